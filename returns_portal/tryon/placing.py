"""Placing a trial, or a purchase: stock, order, items, points, and what is to be asked of the gateway, all at once."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.accounts.rules import email_key, is_email
from returns_portal.actor import SYSTEM, Actor
from returns_portal.catalog.actions import Taken, give_back_stock, take_stock
from returns_portal.catalog.rules import tax_in
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark, speaking
from returns_portal.ids import new_id, new_trial_number
from returns_portal.jobs import defer, defer_many
from returns_portal.orders.trials import TrialLine, TrialOrder, mark_cancelled, open_order
from returns_portal.points.redemptions import Hold, hold, release
from returns_portal.returns.life import move_to as move_return
from returns_portal.returns.models import ReturnStatus
from returns_portal.settings import Settings
from returns_portal.shop.queries import current
from returns_portal.tryon.letters import tell
from returns_portal.tryon.life import charge_to, move_to
from returns_portal.tryon.models import (
    ChargeKind,
    ChargeStatus,
    Decision,
    Mode,
    Outcome,
    Strategy,
    Trial,
    TrialCharge,
    TrialItem,
    TrialStatus,
)
from returns_portal.tryon.pages.terms import Offer, terms
from returns_portal.tryon.queries import TrialView, open_trials, policy, trial_for
from returns_portal.tryon.rules import Choice, Policy, Refusal, Wish, choose, deposit_of, refusals

_POINTS_DAYS: Final = 180
"""How long points may be held for a trial: longer than any can last."""
_MOST_UNITS: Final = 50
_MOST_BOUGHT: Final = 20
"""Units of a purchase, which no limit of the shop's bounds."""


class Wanted(msgspec.Struct, frozen=True):
    """So many units of a variant."""

    sku: str
    quantity: int = 1


class TrialInput(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer orders.

    `terms` is the text that they agreed to, as they saw it, and `silence_keeps` whether it says that what nothing is
    said of counts as kept. Without a text it is the shop's own, which says what the shop's policy says.
    """

    email: str
    name: str
    shipping_address: dict[str, str]
    """name, line1, line2, city, region, postal_code, country."""
    items: Sequence[Wanted]
    phone: str = ""
    locale: str = "en"
    payment_method: str | None = None
    """Stripe's payment method; None where the customer's browser gives it to Stripe itself."""
    trial_days: int | None = None
    mode: Mode = Mode.TRIAL
    points: int = 0
    """How much of it is to be paid with points, in minor units."""
    terms: str = ""
    silence_keeps: bool = False


class _Money(msgspec.Struct, frozen=True):
    """How the most that can be charged is made up."""

    currency: str
    most: int
    points: int
    deposit: int

    @property
    def rest(self) -> int:
        """What is neither points nor charged at checkout."""
        return self.most - self.points - self.deposit


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
    number = await _write(db, actor, settings, wanted, money, choice, units, rules, trial_days)
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


def _shared(wish: Wish, wanted: TrialInput, rules: Policy) -> _Money:
    points = min(wanted.points, wish.value)
    payable = wish.value - points
    deposit = payable if wanted.mode == Mode.PURCHASE else deposit_of(payable, rules)
    return _Money(wish.currency, wish.value, points, deposit)


async def _agreed(db: AsyncConnection, wanted: TrialInput, money: _Money, rules: Policy, trial_days: int) -> TrialInput:
    """The order with the terms that hold for it. Silence is a yes only where its terms and the shop's policy say so."""
    if wanted.terms.strip():
        return msgspec.structs.replace(wanted, silence_keeps=wanted.silence_keeps and rules.silence_keeps)
    offer, shop = Offer(wanted.mode, money.most, money.currency), await current(db)
    with speaking(wanted.locale):
        text = terms(offer, msgspec.structs.replace(rules, trial_days=trial_days), shop)
    return msgspec.structs.replace(wanted, terms="\n\n".join(text), silence_keeps=rules.silence_keeps)


async def _write(
    db: AsyncConnection,
    actor: Actor,
    settings: Settings,
    wanted: TrialInput,
    money: _Money,
    choice: Choice,
    units: Sequence[Taken],
    rules: Policy,
    trial_days: int,
) -> str:
    number, trial_id, now = new_trial_number(), new_id(), clock.now()
    order = TrialOrder(
        number=number,
        email=wanted.email.strip(),
        name=wanted.name.strip(),
        phone=wanted.phone.strip(),
        locale=wanted.locale,
        currency=money.currency,
        address={"name": wanted.name.strip()} | wanted.shipping_address,
        lines=[TrialLine(unit.sku, unit.title, unit.size, unit.color, unit.price) for unit in units],
    )
    order_id, line_ids = await open_order(db, actor, order)
    held = None
    if money.points:
        held = await hold(
            db,
            SYSTEM,
            Hold(wanted.email, money.currency, money.points, number, str(trial_id), minutes=_POINTS_DAYS * 24 * 60),
        )
    charges = _charges(trial_id, money, choice)
    head = {
        "id": trial_id,
        "number": number,
        "order_id": order_id,
        "status": TrialStatus.PLACED,
        "mode": wanted.mode,
        "strategy": choice.strategy,
        "strategy_reason": choice.reason,
        "email_key": email_key(wanted.email),
        "currency": money.currency,
        "max_charge": money.most,
        "deposit": money.deposit,
        "points": money.points,
        "redemption_id": held.id if held else None,
        "trial_days": trial_days,
        "extended_days": 0,
        "policy": {name: getattr(rules, name) for name in _DAYS},
        "silence_keeps": wanted.silence_keeps,
        "terms": wanted.terms,
        "locale": wanted.locale,
        "consented_at": now,
        "payment_method": wanted.payment_method,
        "card_brand": "",
        "card_last4": "",
        "placed_at": now,
        "stocked_at": now,
        "delivery_assumed": False,
        "livemode": settings.livemode,
        "changed_at": now,
    }
    bought = charges[0]["id"] if wanted.mode == Mode.PURCHASE else None
    items = [
        {
            "id": new_id(),
            "trial_id": trial_id,
            "order_line_id": line_id,
            "variant_id": unit.variant_id,
            "position": position,
            "price": unit.price,
            "tax": tax_in(unit.price, unit.tax_rate),
            "decision": Decision.KEEP if bought else Decision.UNDECIDED,
            "decided_at": now if bought else None,
            "outcome": Outcome.KEPT if bought else Outcome.OPEN,
            "charge_id": bought,
            "problem": "",
            "problem_note": "",
        }
        for position, (unit, line_id) in enumerate(zip(units, line_ids, strict=True))
    ]
    told = {"order": str(order_id), "strategy": choice.strategy.value, "mode": wanted.mode.value}
    event = history.rows(actor, ("trial", trial_id, "placed", told))
    await insert_rows(db, (Trial, [head]), (TrialCharge, charges), (TrialItem, items), event)
    return number


_DAYS: Final = ("transit_days", "delivery_days", "grace_days", "extension_days")


def _charges(trial_id: UUID, money: _Money, choice: Choice) -> list[dict[str, Any]]:
    """What is asked of the gateway at checkout. Where points pay all, one of nothing: it is done without asking."""
    planned: list[tuple[ChargeKind, int]] = []
    if money.deposit or choice.strategy is Strategy.CHARGE or not money.rest:
        planned.append((ChargeKind.DEPOSIT, money.deposit))
    if money.rest:
        kind = ChargeKind.HOLD if choice.strategy is Strategy.HOLD else ChargeKind.SETUP
        planned.append((kind, money.rest if kind is ChargeKind.HOLD else 0))
    return [planned_charge(trial_id, kind, money.currency, amount) for kind, amount in planned]


def planned_charge(
    trial_id: UUID, kind: ChargeKind, currency: str, amount: int, *, points: int = 0, deposit: int = 0
) -> dict[str, Any]:
    """The row of something that the gateway is to be asked for."""
    now = clock.now()
    return {
        "id": new_id(),
        "trial_id": trial_id,
        "kind": kind,
        "status": ChargeStatus.PLANNED,
        "currency": currency,
        "amount": amount,
        "to_capture": 0,
        "captured": 0,
        "points": points,
        "deposit": deposit,
        "failure": "",
        "attempts": 0,
        "unattended": False,
        "created_at": now,
        "changed_at": now,
    }


CANCELLABLE: Final = frozenset(
    {
        TrialStatus.PLACED,
        TrialStatus.AUTHORISATION_FAILED,
        TrialStatus.AUTHORISED,
        TrialStatus.PACKED,
        TrialStatus.AUTHORISATION_EXPIRED,
    }
)


async def cancel(db: AsyncConnection, actor: Actor, number: str, *, reason: str = "") -> TrialView:
    """Call a trial off before it is sent: what is held is released, points and stock go back. Again, nothing changes.

    `reason` is a word of `templates/email/trial.txt` for why the shop does it; empty where somebody wished it.

    Raises:
        NotFoundError: there is none, or it is not the actor's.
        ConflictError: it was sent (`already_shipped`): what is not wanted comes back with the label.
    """
    trial = await trial_for(db, actor, number, lock=True)
    if trial.status == TrialStatus.CANCELLED:
        return trial
    if trial.status not in CANCELLABLE or trial.shipped_at is not None:
        raise ConflictError(
            mark("This has been sent already. Send back what you do not want, with the label in the parcel."),
            code="already_shipped",
        )
    await move_to(db, actor, trial.id, TrialStatus.CANCELLED, reason=reason, cancelled_at=clock.now())
    for charge in trial.charges:
        if charge.status == ChargeStatus.PLANNED:
            await charge_to(db, actor, charge.id, ChargeStatus.CANCELED)
    # What the gateway holds, or may hold, is let go by jobs; a deposit or a purchase that was paid is refunded by them.
    await defer(db, "tryon.unwind", trial_id=str(trial.id))
    if trial.return_id is not None and trial.return_status == ReturnStatus.FILED:
        await move_return(db, actor, trial.return_id, ReturnStatus.CANCELLED, "cancelled")
    await mark_cancelled(db, trial.order_id)
    await put_back(db, trial)
    # Points that were spent with a purchase come back with its refund.
    if trial.redemption_id is not None and not any(charge.points for charge in trial.charges):
        await release(db, SYSTEM, trial.redemption_id)
    await tell(db, trial, "trial_cancelled", why=reason)
    return await trial_for(db, actor, number)


async def put_back(db: AsyncConnection, trial: TrialView) -> None:
    """Its items go back into the stock, unless they are there already. Under the order's lock."""
    if trial.stocked_at is not None:
        await run(db, _STOCKED, id=trial.id, at=None)
        await give_back_stock(db, Counter(item.variant_id for item in trial.items))


async def set_aside(db: AsyncConnection, trial: TrialView) -> None:
    """Take its items from the stock again, where they were put back. Under the order's lock.

    Raises:
        ConflictError: somebody else has bought them meanwhile (`out_of_stock`).
        InvalidError: something of it is no longer offered.
    """
    if trial.stocked_at is None:
        await take_stock(db, Counter(item.sku for item in trial.items))
        await run(db, _STOCKED, id=trial.id, at=clock.now())


_STOCKED: Final = "UPDATE trial SET stocked_at = :at WHERE id = :id"


async def trial_numbers_of(db: AsyncConnection, order_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Which of these orders are trials, and their numbers; the caller has shown that they are the actor's."""
    rows = await run(db, "SELECT order_id, number FROM trial WHERE order_id = ANY(:ids)", ids=list(order_ids))
    return {row.order_id: row.number for row in rows}
