"""The whole of the demo shop's year: what was sold, what customers asked, and what they looked for in vain.

The same each time, told in days before loading; so that tests can count from it, it asks neither clock nor database.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import Final, NamedTuple

from returns_portal.demo.sales import BOOT, NEWEST, OLDEST, SHIRT, Buyer, Order, articles, buyers, happens, moment, sold
from returns_portal.service.models import Topic

QUESTIONS: Final = 64
LATELY: Final = 34
"""Questions since the newest of those orders: they name none."""
SOUGHT: Final = 32
SOUGHT_LATELY: Final = 10
_SEED: Final = 2026
_WALKED: Final = "trail-runner-gtx"
_DRESS: Final = "linen-dress"
_TOPICS: Final = (Topic.LATE, Topic.PRODUCT, Topic.PRODUCT, Topic.RETURN, Topic.REFUND, Topic.DAMAGED)
_WAITING: Final = ((9.2, Topic.PRODUCT), (4.5, Topic.RETURN), (2.4, Topic.PRODUCT))
"""Questions of the last evening that nobody has answered: hours before loading, and what about."""


class Question(NamedTuple):
    """A question with its answer, about an order, about a product alone, or about neither."""

    ago: timedelta
    buyer: Buyer
    order: str
    handle: str
    topic: Topic
    answered: timedelta | None
    """None where it still waits."""
    closed: timedelta | None
    """After the answer."""
    helped: bool | None


class Sought(NamedTuple):
    """A size of a colour that somebody looked for, and that is not in stock."""

    ago: timedelta
    handle: str
    size: str
    color: str
    buyer: Buyer
    told: bool
    """Whether they gave their address, to be told."""
    answered: timedelta | None
    """None where nobody has looked at it yet."""
    coming: bool
    """Whether the shop gets it again; else another shop is named, where one is known."""
    went: bool
    """Whether they went to another shop that was named to them."""


class Plan(NamedTuple):
    """All of it."""

    orders: tuple[Order, ...]
    questions: tuple[Question, ...]
    sought: tuple[Sought, ...]
    visits: tuple[tuple[timedelta, str], ...]
    """When people went to another shop straight from a product's page, and of which product."""


@cache
def planned() -> Plan:
    """The plan of the year."""
    chance = random.Random(_SEED)  # noqa: S311 - the same each time is what is wanted
    orders = sold(chance)
    sought = (*_returning(chance, orders), *_sought_in_vain(chance))
    visits = tuple((moment(chance, 2, OLDEST), chance.choice((BOOT, BOOT, _WALKED, _DRESS))) for _ in range(24))
    return Plan(orders, tuple(_questions(chance, orders)), tuple(sorted(sought, key=lambda each: -each.ago)), visits)


def _questions(chance: random.Random, orders: Sequence[Order]) -> Iterator[Question]:
    """The oldest first."""
    for ago in sorted((_asked_at(chance, NEWEST - 8, OLDEST - 30) for _ in range(QUESTIONS)), reverse=True):
        order, topic = _one_before(chance, ago, orders), chance.choice(_TOPICS)
        about = chance.choice(order.lines)[0].handle if topic in (Topic.PRODUCT, Topic.DAMAGED) else ""
        number = "" if topic is Topic.PRODUCT else order.number
        yield _answered(chance, Question(ago, order.buyer, number, about, topic, None, None, None))
    for ago in sorted((_asked_at(chance, 4, NEWEST - 9) for _ in range(LATELY)), reverse=True):
        topic = chance.choice((Topic.PRODUCT, Topic.PRODUCT, Topic.RETURN))
        yield _answered(chance, _at_large(chance, ago, topic))
    for hours, topic in _WAITING:
        yield _at_large(chance, timedelta(hours=hours), topic)


def _asked_at(chance: random.Random, newest: int, oldest: int) -> timedelta:
    """Between two days: by day rather than in the evening."""
    if happens(chance, 0.25):
        return moment(chance, newest, oldest)
    return timedelta(days=chance.randint(newest, oldest), minutes=-chance.randint(9 * 60, 17 * 60))


def _one_before(chance: random.Random, ago: timedelta, orders: Sequence[Order]) -> Order:
    """One of the fifty that were placed last by then."""
    placed = [order for order in orders if order.ago > ago + timedelta(days=1)]
    return chance.choice(placed[-50:])


def _at_large(chance: random.Random, ago: timedelta, topic: Topic) -> Question:
    """A question that names no order."""
    about = chance.choice(list(articles())) if topic is Topic.PRODUCT else ""
    return Question(ago, chance.choice(buyers()), "", about, topic, None, None, None)


def _answered(chance: random.Random, question: Question) -> Question:
    minutes = chance.choice((chance.randint(6, 60), chance.randint(30, 200), chance.randint(150, 600)))
    closed = None if happens(chance, 0.12) else timedelta(hours=chance.randint(1, 30))
    helped = chance.choice((True, True, True, False)) if closed and happens(chance, 0.5) else None
    return question._replace(answered=timedelta(minutes=minutes), closed=closed, helped=helped)


def _sought_in_vain(chance: random.Random) -> Iterator[Sought]:
    for newest, oldest, count in ((5, OLDEST, SOUGHT), (2, 28, SOUGHT_LATELY)):
        for _ in range(count):
            handle = chance.choice((BOOT, BOOT, BOOT, _WALKED, _WALKED, _DRESS, SHIRT))
            buyer, told = chance.choice(buyers()), happens(chance, 0.4)
            yield _sought(chance, moment(chance, newest, oldest), handle, buyer, told=told)
    for hours in (27.5, 3.1):
        found = _sought(chance, timedelta(hours=hours), BOOT, chance.choice(buyers()), told=True)
        yield found._replace(answered=None, went=False)


def _returning(chance: random.Random, orders: Sequence[Order]) -> Iterator[Sought]:
    """What was looked for by those who ordered another size or colour of it soon afterwards."""
    bought = [order for order in orders if order.lines[0][0].handle in {BOOT, _WALKED, _DRESS}]
    for order in bought[::-17][:9]:
        ago = order.ago + timedelta(days=chance.randint(2, 12))
        yield _sought(chance, ago, order.lines[0][0].handle, order.buyer, told=True)


def _sought(chance: random.Random, ago: timedelta, handle: str, buyer: Buyer, *, told: bool) -> Sought:
    article = chance.choice([article for article in articles()[handle] if not article.stock])
    answered = min(timedelta(hours=chance.randint(2, 60)), ago - timedelta(hours=1))
    coming, went = happens(chance, 0.3), happens(chance, 0.35)
    return Sought(ago, handle, article.size, article.color, buyer, told, answered, coming, went)
