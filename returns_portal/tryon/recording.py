"""Writing an order that was placed: its trial, its items, and what the gateway is to be asked for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.accounts.rules import email_key
from returns_portal.actor import SYSTEM, Actor
from returns_portal.catalog.actions import Taken
from returns_portal.catalog.rules import tax_in
from returns_portal.db import insert_rows
from returns_portal.ids import new_id, new_trial_number
from returns_portal.orders.trials import TrialLine, TrialOrder, open_order
from returns_portal.points.redemptions import Hold, hold
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
from returns_portal.tryon.ordering import Money, TrialInput
from returns_portal.tryon.rules import Choice, Policy

_POINTS_DAYS: Final = 180
"""How long points may be held for a trial: longer than any can last."""
_DAYS: Final = ("transit_days", "delivery_days", "grace_days", "extension_days")
"""What of the shop's policy stays with a trial, whatever the shop changes later."""


class Placed(msgspec.Struct, frozen=True):
    """An order that may be taken: what is wanted and agreed, and by what it will be paid."""

    wanted: TrialInput
    money: Money
    choice: Choice
    units: Sequence[Taken]
    rules: Policy
    trial_days: int


async def record(db: AsyncConnection, actor: Actor, placed: Placed, *, livemode: bool) -> str:
    """Write an order with its trial, its items and its charges; the number that it got.

    Raises:
        ConflictError: there are fewer points than are to be held.
    """
    number, trial_id, now = new_trial_number(), new_id(), clock.now()
    order_id, line_ids = await open_order(db, actor, _order(number, placed))
    redemption_id = await _hold_points(db, placed, number, trial_id)
    charges = _charges(trial_id, placed.money, placed.choice)
    head = _head(placed, now) | {
        "id": trial_id,
        "number": number,
        "order_id": order_id,
        "redemption_id": redemption_id,
        "livemode": livemode,
    }
    mode = placed.wanted.mode
    bought = charges[0]["id"] if mode == Mode.PURCHASE else None
    items = [
        _item(unit, now, bought) | {"trial_id": trial_id, "order_line_id": line_id, "position": position}
        for position, (unit, line_id) in enumerate(zip(placed.units, line_ids, strict=True))
    ]
    told = {"order": str(order_id), "strategy": placed.choice.strategy.value, "mode": mode.value}
    event = history.rows(actor, ("trial", trial_id, "placed", told))
    await insert_rows(db, (Trial, [head]), (TrialCharge, charges), (TrialItem, items), event)
    return number


def _order(number: str, placed: Placed) -> TrialOrder:
    wanted = placed.wanted
    return TrialOrder(
        number=number,
        email=wanted.email.strip(),
        name=wanted.name.strip(),
        phone=wanted.phone.strip(),
        locale=wanted.locale,
        currency=placed.money.currency,
        address={"name": wanted.name.strip()} | wanted.shipping_address,
        lines=[TrialLine(unit.sku, unit.title, unit.size, unit.color, unit.price) for unit in placed.units],
    )


async def _hold_points(db: AsyncConnection, placed: Placed, number: str, trial_id: UUID) -> UUID | None:
    money = placed.money
    if not money.points:
        return None
    minutes = _POINTS_DAYS * 24 * 60
    wish = Hold(placed.wanted.email, money.currency, money.points, number, str(trial_id), minutes=minutes)
    return (await hold(db, SYSTEM, wish)).id


def _head(placed: Placed, now: datetime) -> dict[str, Any]:
    """What the trial itself says, but for what links it."""
    wanted, money, rules = placed.wanted, placed.money, placed.rules
    return {
        "status": TrialStatus.PLACED,
        "mode": wanted.mode,
        "strategy": placed.choice.strategy,
        "strategy_reason": placed.choice.reason,
        "email_key": email_key(wanted.email),
        "currency": money.currency,
        "max_charge": money.most,
        "deposit": money.deposit,
        "points": money.points,
        "trial_days": placed.trial_days,
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
        "changed_at": now,
    }


def _item(unit: Taken, now: datetime, bought: UUID | None) -> dict[str, Any]:
    """What an item says; one that is bought by a charge is decided upon already."""
    return {
        "id": new_id(),
        "variant_id": unit.variant_id,
        "price": unit.price,
        "tax": tax_in(unit.price, unit.tax_rate),
        "decision": Decision.KEEP if bought else Decision.UNDECIDED,
        "decided_at": now if bought else None,
        "outcome": Outcome.KEPT if bought else Outcome.OPEN,
        "charge_id": bought,
        "problem": "",
        "problem_note": "",
    }


def _charges(trial_id: UUID, money: Money, choice: Choice) -> list[dict[str, Any]]:
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
