"""The unit tests of the application: what is pure in it. They run in Node.js, which says here what failed."""

import asyncio
import sys

from devstack.webapp import build_script


async def test_what_is_pure_in_the_application():
    script = build_script()
    assert script is not None
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), "test", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, problems = await process.communicate()
    assert process.returncode == 0, problems.decode()
    assert "passed" in said.decode()
