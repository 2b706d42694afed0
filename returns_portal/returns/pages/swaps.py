"""What can be had in exchange, on the page on which a customer chooses what goes back."""

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.exchanges.offers import Line, Offer, Offers, offers_for
from returns_portal.i18n import _
from returns_portal.insights.fitting import told
from returns_portal.refunds.rules import OrderBalance
from returns_portal.returns.pages.words import item_words
from returns_portal.returns.queries import OrderState
from returns_portal.web import formats


class Wanted(Protocol):
    """What of a wish matters here."""

    @property
    def swaps(self) -> Mapping[UUID, str]:
        """SKUs by line."""

    @property
    def find(self) -> str:
        """What is looked for."""


class SwapOption(msgspec.Struct, frozen=True):
    """One thing to have in exchange, in words, with its difference."""

    sku: str
    text: str
    chosen: bool
    out: bool = False
    """Whether there is none just now: it is shown, and cannot be chosen."""


class SwapGroup(msgspec.Struct, frozen=True):
    """Things of one product; without a title, of the product that goes back."""

    title: str
    options: list[SwapOption]
    ask: str = ""
    """Where one says that one needs what there is none of; empty where there is all."""


class Picked(msgspec.Struct, frozen=True):
    """What is chosen in exchange for the units of a line; amounts for each unit, in minor units."""

    line_id: UUID
    words: str
    quantity: int
    covered: int
    to_pay: int
    price: int
    """What the replacement costs."""


class Swapping(msgspec.Struct, frozen=True):
    """What there is, by line, and what is chosen of it."""

    groups: Mapping[UUID, list[SwapGroup]]
    chosen: Mapping[UUID, tuple[Offer, int]]
    """What is chosen, and what was paid for the unit that goes back."""
    gone: frozenset[UUID] = frozenset()
    """Lines for which something was chosen that cannot be had any more."""
    fits: Mapping[UUID, str] = {}
    """What is known of how things are cut that can be exchanged, by line."""

    def finds(self) -> bool:
        """Whether there is anything else than the same products."""
        return any(group.title for groups in self.groups.values() for group in groups)

    def picked(self, units: Mapping[UUID, int]) -> list[Picked]:
        """What is chosen for lines of which so many units go back."""
        return [
            Picked(
                line_id,
                item_words(offer.title, offer.size, offer.color, units[line_id]),
                units[line_id],
                min(paid, offer.difference.price - offer.difference.to_pay),
                offer.difference.to_pay,
                offer.difference.price,
            )
            for line_id, (offer, paid) in self.chosen.items()
            if line_id in units
        ]


async def swaps_of(
    db: AsyncConnection,
    actor: Actor,
    order: OrderState,
    balance: OrderBalance,
    lines: Collection[UUID],
    wish: Wanted,
) -> Swapping:
    """What can be had instead of these lines of an order."""
    paid = {line.line_id: line.unit_paid[line.free[0]] for line in balance.lines if line.free}
    known = [
        Line(line.line_id, line.sku, paid[line.line_id])
        for line in order.lines
        if line.line_id in lines and line.line_id in paid
    ]
    named = set(wish.swaps.values())
    offers = await offers_for(db, actor, order.id, known, order.currency, words=wish.find, chosen=named)
    groups = {line_id: _groups(found, order.currency, wish.swaps.get(line_id, "")) for line_id, found in offers.items()}
    chosen = {
        line_id: (offer, paid[line_id])
        for line_id, found in offers.items()
        for offer in (*found.same, *found.others)
        if offer.sku == wish.swaps.get(line_id)
    }
    cut = await told(db, [line.sku for line in known if line.line_id in groups]) if groups else {}
    fits = {line.line_id: cut[line.sku] for line in known if line.sku in cut}
    return Swapping(groups, chosen, frozenset(wish.swaps) - frozenset(chosen), fits)


def _groups(found: Offers, currency: str, chosen: str) -> list[SwapGroup]:
    own = [_option(offer, currency, chosen) for offer in found.same] + [_out(offer) for offer in found.missing]
    ask = f"/wanted?product={found.handle}&from=exchange" if found.missing and found.handle else ""
    same = [SwapGroup("", own, ask)] if own else []
    others = [
        SwapGroup(title, [_option(offer, currency, chosen) for offer in offers])
        for title, offers in groupby(found.others, key=lambda offer: offer.title)
    ]
    return [*same, *others]


def _look(offer: Offer) -> str:
    size = _("Size {size}", size=offer.size) if offer.size else ""
    return ", ".join(part for part in (size, offer.color) if part) or offer.title


def _out(offer: Offer) -> SwapOption:
    return SwapOption(offer.sku, _("{item}: not in stock", item=_look(offer)), chosen=False, out=True)


def _option(offer: Offer, currency: str, chosen: str) -> SwapOption:
    words = _look(offer)
    found = offer.difference
    if found.to_pay:
        words = _("{item}: you pay {amount}", item=words, amount=formats.money(found.to_pay, currency))
    elif found.back:
        words = _("{item}: {amount} back", item=words, amount=formats.money(found.back, currency))
    return SwapOption(offer.sku, words, offer.sku == chosen)


def covered_units(picked: Sequence[Picked]) -> list[tuple[UUID, int]]:
    """What of each unit that goes back pays for something else."""
    return [(each.line_id, each.covered) for each in picked for _unit in range(each.quantity)]


def at_once_words(picked: Sequence[Picked], currency: str) -> str:
    """What is held where it is sent at once; empty where nothing is had in exchange."""
    held = sum(each.price * each.quantity for each in picked)
    return formats.money(held, currency) if held else ""


def to_pay_words(picked: Sequence[Picked], currency: str) -> str:
    """What is to be paid on top, altogether; empty where it is nothing."""
    amount = sum(each.to_pay * each.quantity for each in picked)
    return formats.money(amount, currency) if amount else ""
