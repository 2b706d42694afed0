"""The shop as the rest of the portal reads it."""

import time
from datetime import datetime
from typing import Annotated, Final
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import run
from returns_portal.shop.confirming import Confirming
from returns_portal.shop.hours import ChannelName, Hours
from returns_portal.shop.presence import presence
from returns_portal.web.site import Presence


class ShopInfo(msgspec.Struct, frozen=True):
    """What the shop is called, where it is, and how it works: each field is the column's.

    Two are what its policy of today promises for most goods. They are for words about the shop: a return is judged by
    the policy of its order's day (`returns_portal.policies`).
    """

    name: str
    email: str
    phone: str
    timezone: str
    goodwill_limit: int
    second_person: bool
    points_rate: int
    points_since: Annotated[datetime, msgspec.Meta(tz=True)] | None
    points_months: int
    points_limit: int
    tax_details: str
    licence: str
    address: dict[str, str]
    return_days: int
    """The window after delivery."""
    bonus_percent: int
    """What is added to card money that is taken as points."""
    pays_postage: bool = True
    """Whether every return travels at the shop's expense, so that this can be said before anybody names an order."""
    accent: str = ""
    logo: str = ""
    texts: dict[str, dict[str, str]] = {}
    hours: Hours = Hours()
    shows_pace: bool = False
    confirming: Confirming = Confirming()
    warehouses: list[str] = []

    def words(self, place: str, language: str) -> str:
        """What the shop says in a place (`actions.PLACES`) in its own words; empty where it says nothing there."""
        return self.texts.get(place, {}).get(language, "")

    def presence(self, channel: ChannelName) -> Presence | None:
        """Whether somebody serves a channel at this moment, in words; None where no times are set for it."""
        return presence(self.hours, channel, self.timezone)


DEFAULT: Final = ShopInfo(
    name="Nord & Sund",
    email="help@nordsund.example",
    phone="+359 700 12 345",
    timezone="Europe/Sofia",
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
    return_days=90,
    bonus_percent=10,
)
"""The shop of a fresh installation, until `returns-portal shop set` says otherwise."""

PROMISED: Final = {
    "return_days": "CAST(p.content ->> 'return_days' AS integer)",
    "bonus_percent": "CAST(p.content ->> 'bonus_percent' AS integer)",
    "pays_postage": """(p.content ->> 'postage' = 'shop'
        AND NOT jsonb_path_exists(p.content, '$.rules[*].then.postage ? (@ != "shop")'))""",
}
"""The fields that the policy of today gives. Policies stand above the shop and are not imported: it is only read."""

AMENDED: Final = ("return_days", "bonus_percent")
"""Those of them that can be set as if they were the shop's own: a version of the policy comes of it."""

OWN: Final = tuple(field for field in ShopInfo.__struct_fields__ if field not in PROMISED)
"""The fields of the shop's own row."""

_TODAY: Final = "(SELECT content FROM policy WHERE starts_at <= :now ORDER BY starts_at DESC, version DESC LIMIT 1)"
_SHOP: Final = f"""
    SELECT {", ".join(f"s.{field}" for field in OWN)},
           {", ".join(f"{value} AS {field}" for field, value in PROMISED.items())}
    FROM {_TODAY} AS p LEFT JOIN shop s ON true
"""  # noqa: S608 - our own columns

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
    info = await read(db)
    _cache[db.sync_engine] = (moment, info)
    return info


async def read(db: AsyncConnection, *, lock: bool = False) -> ShopInfo:
    """The shop, read anew; with `lock` its row is held until the transaction ends."""
    if lock:
        await run(db, "SELECT id FROM shop FOR UPDATE")
    rows = await run(db, _SHOP, now=clock.now())
    if not rows:
        return DEFAULT
    found = rows[0]._asdict()
    if found["name"] is None:
        return msgspec.structs.replace(DEFAULT, **{field: found[field] for field in PROMISED})
    return msgspec.convert(found, ShopInfo)


def forget() -> None:
    """Read the shop anew at the next question, in this process."""
    _cache.clear()
