"""Fetching the file of a label from where a carrier has put it."""

from typing import Final
from urllib.parse import urlsplit

import requests
import urllib3

from returns_portal.carriers.gateway import CarrierUnknownError

_MOST: Final = 4_000_000
"""Bytes."""


def fetched(url: str, *, of: str, seconds: float) -> bytes:
    """The PDF at an address: an encrypted one, or one of the carrier's own API `of` which it was asked.

    Raises:
        CarrierUnknownError: it did not come whole, is too large or is no PDF; the same again fetches it again.
    """
    if urlsplit(url).scheme != "https" and urlsplit(url).netloc != urlsplit(of).netloc:
        raise CarrierUnknownError("The label lies at an address that is not fetched.")
    try:
        with requests.get(url, timeout=seconds, stream=True) as answer:
            content = _body(answer) if answer.ok else b""
    # What goes wrong in the middle of a body is told in the words of the library below.
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise CarrierUnknownError(f"The label did not come: {type(error).__name__}") from error
    if not content.startswith(b"%PDF"):
        raise CarrierUnknownError("The label that came is no PDF.")
    return content


def _body(answer: requests.Response) -> bytes:
    # One byte more than is taken, read to its end: else a body that was cut would look whole.
    content = bytearray()
    while part := answer.raw.read(_MOST + 1 - len(content), decode_content=True):
        content += part
        if len(content) > _MOST:
            raise CarrierUnknownError(f"The label is larger than {_MOST} bytes.")
    return bytes(content)
