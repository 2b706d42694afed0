"""The shop as the rest of the portal reads it."""

import time
from datetime import datetime
from typing import Annotated, Final
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Engine, RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.shop.models import Shop


class ShopInfo(msgspec.Struct, frozen=True):
    """What the shop is called, where it is, and what it promises; each field is the column's."""

    name: str
    email: str
    phone: str
    timezone: str
    return_days: int
    bonus_percent: int
    goodwill_limit: int
    second_person: bool
    points_rate: int
    points_since: Annotated[datetime, msgspec.Meta(tz=True)] | None
    points_months: int
    points_limit: int
    tax_details: str
    licence: str
    address: dict[str, str]


DEFAULT: Final = ShopInfo(
    name="Nord & Sund",
    email="help@nordsund.example",
    phone="+359 700 12 345",
    timezone="Europe/Sofia",
    return_days=90,
    bonus_percent=10,
    goodwill_limit=5000,
    second_person=True,
    points_rate=0,
    points_since=None,
    points_months=0,
    points_limit=5000,
    tax_details="VAT BG204447115",
    licence="BG-SOF-4471",
    address={
        "name": "Nord & Sund, Returns",
        "line1": "ul. Industrialna 11, hall 3",
        "line2": "",
        "city": "Sofia",
        "region": "",
        "postal_code": "1528",
        "country": "BG",
    },
)
"""The shop of a fresh installation, until `returns-portal shop set` says otherwise."""

COLUMNS: Final = [getattr(Shop, field) for field in ShopInfo.__struct_fields__]

CACHE_SECONDS: Final = 5.0
_cache: WeakKeyDictionary[Engine, tuple[float, ShopInfo]] = WeakKeyDictionary()


async def current(db: AsyncConnection) -> ShopInfo:
    """The shop, at most `CACHE_SECONDS` old: nearly every page asks, and it changes a few times a year.

    A database that was migrated but never prepared reads as the default shop, as a prepared one would.
    """
    kept = _cache.get(db.sync_engine)
    moment = time.monotonic()
    if kept is not None and moment - kept[0] < CACHE_SECONDS:
        return kept[1]
    row = (await db.execute(select(*COLUMNS))).mappings().one_or_none()
    info = DEFAULT if row is None else as_info(row)
    _cache[db.sync_engine] = (moment, info)
    return info


def as_info(row: RowMapping) -> ShopInfo:
    """Make the struct of a row of `COLUMNS`."""
    return msgspec.convert(dict(row), ShopInfo)


def forget() -> None:
    """Read the shop anew at the next question, in this process."""
    _cache.clear()
