"""The customer's bank, where no money moves: it asks, and takes the answer that is given on our own page."""

from typing import Final

import aiohttp

from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.settings import Settings

_SECONDS: Final = 10
_OK: Final = 300


async def answer(settings: Settings, reference: str, *, succeeds: bool) -> None:
    """Pass, or fail, the confirmation that a payment or setup intent of the sandbox waits for.

    Raises:
        ConflictError: it waits for none any more.
    """
    kind = "setup_intents" if reference.startswith("seti_") else "payment_intents"
    path = f"{settings.stripe_base}/_sandbox/{kind}/{reference}/authenticate"
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as http, http.post(path, json={"succeeds": succeeds}) as told:
        if told.status >= _OK:
            raise ConflictError(mark("There is nothing to be confirmed any more."))
