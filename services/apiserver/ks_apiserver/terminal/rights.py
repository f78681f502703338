"""Rights that have to last as long as what they opened."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from servicekit.errors import Forbidden, ServiceError

log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[object]]
"""Raises Forbidden for who may not."""


async def withdrawn(check: Check, interval: float) -> None:
    """Returns once `check`, which is asked every `interval` seconds, raises Forbidden.

    While it cannot be asked, the last answer counts: its outage ends no terminal by itself.
    """
    while True:
        await asyncio.sleep(interval)
        try:
            await check()
        except Forbidden:
            return
        except ServiceError as error:
            log.info("whether what is open may stay open was not answered: %s", error)
