"""What EasyPost tells by webhook: signed over the very bytes with HMAC-SHA-256 under the endpoint's secret.

Source: docs.easypost.com, Webhooks Guide. The SDK's `validate_webhook` does the same; it is not loaded here, because
a web process would carry all of the SDK for these lines.
"""

import hashlib
import hmac
import unicodedata
from typing import Any, Final

import msgspec

from returns_portal.carriers.gateway import ForgedNewsError, News

SIGNATURE: Final = "x-hmac-signature"
_PREFIX: Final = "hmac-sha256-hex="


def signature_of(body: bytes, secret: str) -> str:
    """What EasyPost sends in `X-Hmac-Signature`."""
    key = unicodedata.normalize("NFKD", secret).encode()
    return _PREFIX + hmac.new(key, body, hashlib.sha256).hexdigest()


class _Event(msgspec.Struct):
    id: str
    description: str
    result: dict[str, Any] | None = None


def signed_news(body: bytes, signature: str, secret: str) -> News:
    """Read an event that EasyPost signed.

    Raises:
        ForgedNewsError: it was not signed with the secret, or is no event.
    """
    if not hmac.compare_digest(signature_of(body, secret).encode(), signature.encode(errors="replace")):
        raise ForgedNewsError("The signature is not EasyPost's.")
    try:
        event = msgspec.json.decode(body, type=_Event)
    except msgspec.DecodeError as error:
        raise ForgedNewsError("This is no event.") from error
    told = event.result or {}
    ref = told.get("shipment_id") or (told.get("id") if told.get("object") == "Shipment" else "")
    return News(event.id, event.description, str(ref or ""), str(told.get("tracking_code") or ""))
