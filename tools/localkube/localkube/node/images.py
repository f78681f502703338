"""The images that localkube brings itself, made from programs that are on the machine.

No compiler is needed: the pause image and the test image hold Debian's static busybox, that of kubectl one
beside it, the DNS image holds CoreDNS's one executable.
"""

import subprocess
from dataclasses import replace
from pathlib import Path

from localkube.errors import ImageError
from localkube.node.archive import Image
from localkube.packages import program

PAUSE = "localkube/pause:1"
BUSYBOX = "localkube/busybox:1"
KUBECTL = "localkube/kubectl:1"

# As process 1 of a sandbox: ends on SIGTERM, collects orphans (the shell's `wait` does), and takes no CPU.
_PAUSE_SCRIPT = 'trap "exit 0" TERM INT; while :; do sleep 86400 & wait $!; done'


def coredns_name(version: str) -> str:
    """The name of the DNS image."""
    return f"localkube/coredns:{version}"


def pause() -> Image:
    """What holds a pod's namespaces open."""
    return Image(
        PAUSE, ["/bin/busybox", "sh", "-c", _PAUSE_SCRIPT], files={"bin/busybox": _busybox()}, folders=["bin"]
    )


def busybox() -> Image:
    """A small image with a shell and some 300 tools, for tests and for looking around."""
    executable = _busybox()
    applets = subprocess.run(
        [executable, "--list"], capture_output=True, text=True, check=True
    ).stdout.split()
    return Image(
        BUSYBOX,
        command=["/bin/sh"],
        files={"bin/busybox": executable},
        links={f"bin/{applet}": "busybox" for applet in applets if applet != "busybox"}
        | {"usr/bin/env": "../../bin/busybox"},
        texts={
            "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
            "etc/group": "root:x:0:\nnogroup:x:65534:\n",
            "etc/nsswitch.conf": "hosts: files dns\n",
        },
        folders=["bin", "etc", "root", "tmp", "usr", "usr/bin"],
    )


def kubectl(executable: Path) -> Image:
    """kubectl with a shell, for those who use the cluster from inside."""
    shell = busybox()
    files = {**shell.files, "bin/kubectl": executable.resolve()}
    return replace(shell, name=KUBECTL, files=files)


def coredns(executable: Path, version: str) -> Image:
    """The cluster's DNS server."""
    return Image(coredns_name(version), ["/coredns"], files={"coredns": executable}, folders=["tmp"])


def _busybox() -> Path:
    executable = Path(program("busybox")).resolve()
    # The name of the dynamic loader stands near the beginning of what needs one (elf(5), PT_INTERP).
    if b"/ld-" in executable.read_bytes()[:4096]:
        raise ImageError(
            f"{executable} is not static and cannot run in an image: install Debian's busybox-static"
        )
    return executable
