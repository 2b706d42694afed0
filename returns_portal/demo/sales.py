"""What was sold in the demo shop's year before the orders of its file, and what became of it: the same each time.

Told in days before loading. It asks neither clock nor database, so that tests count from it what the portal is to say.
"""

import csv
import random
from datetime import timedelta
from functools import cache
from typing import Final, NamedTuple

from returns_portal.claims.models import Kind
from returns_portal.demo.goods import PRODUCTS
from returns_portal.demo.words import COUNTRIES, Country
from returns_portal.insights.reading import Theme
from returns_portal.warehouse.models import Condition

FIRST: Final = 401
"""The number of the oldest order; all have three digits, those of the file four."""
ORDERS: Final = 500
BUYERS: Final = 210
NEWEST: Final = 72
"""Days before loading of the newest: the file's oldest is younger."""
OLDEST: Final = 363
BOOT: Final = "chelsea-boot"
"""Runs small."""
SHIRT: Final = "oxford-shirt-slim"
"""Runs large."""
FRAGILE: Final = "canvas-low"
"""Often comes damaged."""
STORK: Final = "Stork Express"
"""Loses more than the others, and breaks more."""
_CARRIERS: Final = (STORK, "Balkan Parcel", "Balkan Parcel", "Nordwind Logistik")
_CARRIERS_LATELY: Final = (STORK, *_CARRIERS[1:] * 3)
"""Of the file's orders: the shop has seen what its year tells, and gives that carrier less."""
_WAREHOUSES: Final = ("Sofia", "Sofia", "Plovdiv")
_SOLD: Final = {
    BOOT: 24,
    SHIRT: 20,
    FRAGILE: 18,
    "derby-oxford-leather": 8,
    "trail-runner-gtx": 9,
    "linen-dress": 6,
    "merino-crew": 8,
    "rain-shell-3l": 4,
    "vyshyvanka-poltava": 4,
    "wool-socks-3-pack": 14,
}
"""How often each is bought, beside the others."""
_BACK: Final = {BOOT: 0.45, SHIRT: 0.38, "derby-oxford-leather": 0.34, "trail-runner-gtx": 0.22, FRAGILE: 0.16}
"""How often each comes back; of all others, one in twelve does."""
_SMALL: Final = 4000
"""Up to this price (minor units) support gives all of it back by itself."""


class Article(NamedTuple):
    """One variant of a product."""

    handle: str
    title: str
    sku: str
    size: str
    color: str
    price: int
    supplier: str
    stock: int


class Buyer(NamedTuple):
    """A customer, who may come back."""

    name: str
    email: str
    country: Country
    house: int


class Back(NamedTuple):
    """What is sent back of the first line: one unit."""

    theme: Theme | None
    filed: timedelta
    """After the order was delivered; the next is after it was filed."""
    counted: timedelta
    condition: Condition


class Claimed(NamedTuple):
    """What is claimed of one unit of the last line."""

    kind: Kind
    filed: timedelta
    """After delivery."""
    decided: timedelta
    refused: bool
    reduced: int
    """By how much (minor units) its price is lowered; 0 where all of it is given back."""


class Order(NamedTuple):
    """An order with what became of it. Moments are told before the day of loading, then each after the one before."""

    number: str
    buyer: Buyer
    ago: timedelta
    lines: tuple[tuple[Article, int], ...]
    carrier: str
    warehouse: str
    sent: timedelta
    on_its_way: timedelta
    back: Back | None
    claim: Claimed | None

    @property
    def delivered(self) -> timedelta:
        """How long after it was placed."""
        return self.sent + self.on_its_way


@cache
def articles() -> dict[str, tuple[Article, ...]]:
    """What the shop offers, by product."""
    with PRODUCTS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    heads = {row["handle"]: row for row in rows if row["title"]}
    found: dict[str, list[Article]] = {handle: [] for handle in heads}
    for row in rows:
        head = heads[row["handle"]]
        price = int(row["price"].replace(".", ""))
        sort = (row["handle"], head["title"], row["sku"], row["size"], row["color"])
        found[row["handle"]].append(Article(*sort, price, head["supplier"], int(row["stock"])))
    return {handle: tuple(several) for handle, several in found.items()}


@cache
def buyers() -> tuple[Buyer, ...]:
    """Who buys, or could."""
    return tuple(_buyer(number) for number in range(BUYERS))


def sold(chance: random.Random) -> tuple[Order, ...]:
    """The orders, the oldest first."""
    moments = sorted((moment(chance, NEWEST, OLDEST) for _ in range(ORDERS)), reverse=True)
    return tuple(_order(chance, FIRST + place, ago) for place, ago in enumerate(moments))


def parcel_of(number: str) -> tuple[str, str]:
    """Who carried an order of the file, which does not tell it, and from which warehouse."""
    chance = random.Random(int(number))  # noqa: S311 - as in the plan
    return chance.choice(_CARRIERS_LATELY), chance.choice(_WAREHOUSES)


def moment(chance: random.Random, newest: int, oldest: int) -> timedelta:
    """Between two days, at a time at which people are awake."""
    return timedelta(days=chance.randint(newest, oldest), minutes=-chance.randint(7 * 60, 22 * 60))


def happens(chance: random.Random, share: float) -> bool:
    """Whether it does, this time."""
    return chance.random() < share


def _buyer(number: int) -> Buyer:
    country = COUNTRIES[number % len(COUNTRIES)]
    first, in_first = country.first[number // 5 % 5]
    last, in_last = country.last[number // 25 % 4]
    email = f"{in_first}.{in_last}{number}@customers.example"
    return Buyer(f"{first} {last}", email, country, 1 + number % 90)


def _order(chance: random.Random, number: int, ago: timedelta) -> Order:
    # Some come back again and again: the first of the list most of all.
    buyer = buyers()[min(chance.randrange(BUYERS), chance.randrange(BUYERS * 2))]
    handles = chance.choices(list(_SOLD), list(_SOLD.values()), k=chance.choice((1, 1, 1, 2)))
    lines = [
        (chance.choice(articles()[handle]), 2 if happens(chance, 0.06) else 1) for handle in dict.fromkeys(handles)
    ]
    carrier = chance.choice(_CARRIERS)
    late = carrier == STORK and happens(chance, 0.3)
    back = _back(chance, lines[0][0].handle, late=late)
    return Order(
        str(number),
        buyer,
        ago,
        tuple(lines),
        carrier,
        chance.choice(_WAREHOUSES),
        timedelta(hours=chance.randint(18, 40)),
        timedelta(days=chance.randint(6, 9) if late else chance.randint(1, 4)),
        back,
        None if back and len(lines) == 1 else _claim(chance, lines[-1][0], carrier),
    )


def _back(chance: random.Random, handle: str, *, late: bool) -> Back | None:
    if not happens(chance, _BACK.get(handle, 0.08)):
        return None
    return Back(
        _theme(chance, handle, late=late),
        timedelta(days=chance.randint(2, 11), minutes=chance.randint(0, 600)),
        timedelta(days=chance.randint(3, 8), minutes=chance.randint(0, 300)),
        Condition.WORN if happens(chance, 0.12) else Condition.RESELLABLE,
    )


def _theme(chance: random.Random, handle: str, *, late: bool) -> Theme | None:
    """Most say nothing, but of what is cut otherwise than people think."""
    if late and happens(chance, 0.5):
        return Theme.LATE
    if handle == BOOT:
        return chance.choices((Theme.TOO_SMALL, Theme.TOO_LARGE, None), (70, 3, 27))[0]
    if handle == SHIRT:
        return chance.choices((Theme.TOO_LARGE, Theme.TOO_SMALL, None), (65, 3, 32))[0]
    return chance.choices((Theme.UNLIKED, Theme.LOOKS, Theme.TOO_SMALL, Theme.TOO_LARGE, None), (12, 10, 5, 5, 68))[0]


def _claim(chance: random.Random, article: Article, carrier: str) -> Claimed | None:
    share = (0.24 if article.handle == FRAGILE else 0.02) + (0.12 if carrier == STORK else 0.0)
    if not happens(chance, share):
        return None
    # What is dear is not lost here: to give so much back takes two people, and this is a history of quiet days.
    missing = article.price <= _SMALL and happens(chance, 0.7)
    return Claimed(
        Kind.MISSING if missing else Kind.DAMAGED,
        timedelta(hours=chance.randint(3, 60)),
        timedelta(hours=chance.randint(2, 50)),
        not missing and happens(chance, 0.1),
        0 if missing else min(_SMALL, article.price // 500 * 100),
    )
