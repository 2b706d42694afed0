"""Placing a trial, or a purchase: stock, order, items, points, and what is to be asked of the gateway, all at once."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.rules import email_key, is_email
from returns_portal.actor import SYSTEM, Actor
from returns_portal.catalog.actions import take_stock
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark, speaking
from returns_portal.jobs import defer_many
from returns_portal.settings import Settings
from returns_portal.shop.queries import current
from returns_portal.tryon.models import Mode, Strategy
from returns_portal.tryon.ordering import Money, TrialInput
from returns_portal.tryon.pages.terms import Offer, terms
from returns_portal.tryon.queries import TrialView, open_trials, policy, trial_for
from returns_portal.tryon.recording import Placed, record
from returns_portal.tryon.rules import Choice, Policy, Refusal, Wish, choose, deposit_of, refusals

_MOST_UNITS: Final = 50
_MOST_BOUGHT: Final = 20
"""Units of a purchase, which no limit of the shop's bounds."""


async def place(db: AsyncConnection, actor: Actor, settings: Settings, wanted: TrialInput) -> TrialView:
    """Take an order to try, or to buy.

    Raises:
        InvalidError: something of it cannot be so; names the field.
        ConflictError: out of stock, too few points, or one of the shop's limits (the code is the rule's).
    """
    _check(wanted)
    counts = Counter[str]()
    for item in wanted.items:
        counts[item.sku] += item.quantity
    rules = await policy(db)
    under_way = await open_trials(db, email_key(wanted.email)) if wanted.mode == Mode.TRIAL else 0
    stocked = {row.sku: row for row in await take_stock(db, counts)}
    units = [stocked[sku] for sku, count in counts.items() for _ in range(count)]
    currencies = {unit.currency for unit in units}
    if len(currencies) > 1:
        raise InvalidError(
            mark("These items are priced in different currencies. Order them separately."), field="items"
        )
    most, trial_days = sum(unit.price for unit in units), wanted.trial_days or rules.trial_days
    country = wanted.shipping_address.get("country", "")
    wish = Wish(len(units), most, units[0].currency, country, trial_days, under_way)
    if wanted.mode == Mode.TRIAL:
        _allow(refusals(wish, rules))
    money = _shared(wish, wanted, rules)
    choice = (
        Choice(Strategy.CHARGE, {"code": "purchase"}) if wanted.mode == Mode.PURCHASE else choose(trial_days, rules)
    )
    wanted = await _agreed(db, wanted, money, rules, trial_days)
    placed = Placed(wanted, money, choice, units, rules, trial_days)
    number = await record(db, actor, placed, livemode=settings.livemode)
    trial = await trial_for(db, SYSTEM, number)
    await defer_many(db, "tryon.submit", [{"charge_id": str(charge.id)} for charge in trial.charges])
    return trial


def _check(wanted: TrialInput) -> None:
    """Refuse what no shop could send.

    Raises:
        InvalidError: naming the field.
    """
    if not is_email(wanted.email):
        raise InvalidError(mark("This is not an e-mail address."), field="email")
    if not wanted.name.strip():
        raise InvalidError(mark("Please give a name."), field="name")
    for field in ("line1", "city", "country"):
        if not wanted.shipping_address.get(field, "").strip():
            raise InvalidError(mark("The address is not complete."), field=f"shipping_address.{field}")
    if not wanted.items:
        raise InvalidError(mark("Choose at least one item."), field="items", code="nothing_chosen")
    if any(item.quantity < 1 for item in wanted.items):
        raise InvalidError(mark("Choose how many, at least one."), field="items", code="bad_quantity")
    most = _MOST_BOUGHT if wanted.mode == Mode.PURCHASE else _MOST_UNITS
    if sum(item.quantity for item in wanted.items) > most:
        raise InvalidError(mark("At most {most} items can be ordered at a time."), field="items", most=most)
    if wanted.trial_days is not None and wanted.trial_days < 1:
        raise InvalidError(mark("A trial takes at least one day."), field="trial_days")
    if wanted.points < 0:
        raise InvalidError(mark("Points cannot be negative."), field="points")


def _allow(found: Sequence[Refusal]) -> None:
    if found:
        first = found[0]
        values: dict[str, Any] = first.values
        raise ConflictError(first.sentence, code=first.code, **values)


def _shared(wish: Wish, wanted: TrialInput, rules: Policy) -> Money:
    points = min(wanted.points, wish.value)
    payable = wish.value - points
    deposit = payable if wanted.mode == Mode.PURCHASE else deposit_of(payable, rules)
    return Money(wish.currency, wish.value, points, deposit)


async def _agreed(db: AsyncConnection, wanted: TrialInput, money: Money, rules: Policy, trial_days: int) -> TrialInput:
    """The order with the terms that hold for it. Silence is a yes only where its terms and the shop's policy say so."""
    if wanted.terms.strip():
        return msgspec.structs.replace(wanted, silence_keeps=wanted.silence_keeps and rules.silence_keeps)
    offer, shop = Offer(wanted.mode, money.most, money.currency), await current(db)
    with speaking(wanted.locale):
        text = terms(offer, msgspec.structs.replace(rules, trial_days=trial_days), shop)
    return msgspec.structs.replace(wanted, terms="\n\n".join(text), silence_keeps=rules.silence_keeps)


async def trial_numbers_of(db: AsyncConnection, order_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Which of these orders are trials, and their numbers; the caller has shown that they are the actor's."""
    rows = await run(db, "SELECT order_id, number FROM trial WHERE order_id = ANY(:ids)", ids=list(order_ids))
    return {row.order_id: row.number for row in rows}
