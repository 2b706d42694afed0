"""What EasyPost tells by webhook: signed over the very bytes with HMAC-SHA-256 under the endpoint's secret.

Source: docs.easypost.com, Webhooks Guide. The SDK's `validate_webhook` does the same; it is not loaded here, because
a web process would carry all of the SDK for these lines.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any, Final, TypeVar

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


class Coming(msgspec.Struct, frozen=True):
    """That a parcel is on its last way, since when, and when it should arrive as far as the carrier says so."""

    since: datetime
    day: date | None = None
    by: time | None = None
    """In the time of the place."""


class _Detail(msgspec.Struct):
    est_delivery_date_local: str | None = None
    est_delivery_time_local: str | None = None


class _Scan(msgspec.Struct):
    status: str = ""
    datetime: str = ""


class _Tracker(msgspec.Struct):
    status: str = ""
    updated_at: str | None = None
    est_delivery_date: str | None = None
    tracking_details: list[_Scan] = []
    carrier_detail: _Detail | None = None


class _Told(msgspec.Struct):
    result: _Tracker | None = None


def coming(body: bytes) -> Coming | None:
    """What a signed event tells of a parcel that is out for delivery; None where it tells of anything else.

    `est_delivery_date` names a day: its time of day is none. Of carriers that say more, `carrier_detail` has the day
    and the time of the place (docs.easypost.com, Tracker).
    """
    try:
        tracker = msgspec.json.decode(body, type=_Told).result
    except msgspec.DecodeError:
        return None
    if tracker is None or tracker.status != "out_for_delivery":
        return None
    scans = [scan.datetime for scan in tracker.tracking_details if scan.status == "out_for_delivery"]
    since = _read(datetime.fromisoformat, max(scans, default=tracker.updated_at))
    if since is None:
        return None
    detail = tracker.carrier_detail or _Detail()
    day = _read(date.fromisoformat, (detail.est_delivery_date_local or tracker.est_delivery_date or "")[:10])
    by = _read(time.fromisoformat, (detail.est_delivery_time_local or "")[:8])
    return Coming(since if since.tzinfo else since.replace(tzinfo=UTC), day, by)


_T = TypeVar("_T")


def _read(reader: Callable[[str], _T], text: str | None) -> _T | None:
    try:
        return reader(text or "")
    except ValueError:
        return None
