"""Loaders of trials. Each takes the actor; what is not theirs does not exist."""

from datetime import datetime
from functools import cached_property
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.catalog.sizes import arranged
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import parse_trial_number
from returns_portal.tryon.models import ChargeKind, ChargeStatus, Decision, Mode, Outcome, Strategy, TrialStatus
from returns_portal.tryon.rules import Policy

LIVE_HOLDS: Final = frozenset({ChargeStatus.HELD, ChargeStatus.CAPTURING, ChargeStatus.CANCELING})


class Item(msgspec.Struct, frozen=True):
    """One unit on trial. Amounts in minor units of the trial's currency."""

    id: UUID
    order_line_id: UUID
    variant_id: UUID
    position: int
    sku: str
    title: str
    size: str
    color: str
    price: int
    tax: int
    decision: Decision
    decided_at: datetime | None
    outcome: Outcome
    charge_id: UUID | None
    problem: str
    problem_note: str
    received: bool
    """Whether the warehouse has it: it was counted in a parcel that was not undone."""
    requested: bool
    """Whether the trial's return announces it."""


class Charge(msgspec.Struct, frozen=True):
    """One effect at the gateway; each field is the column's of `TrialCharge`."""

    id: UUID
    kind: ChargeKind
    status: ChargeStatus
    currency: str
    amount: int
    to_capture: int
    captured: int
    points: int
    deposit: int
    reference: str | None
    payment_id: UUID | None
    capture_before: datetime | None
    failure: str
    attempts: int
    next_try_at: datetime | None
    unattended: bool
    submitted_at: datetime | None
    created_at: datetime
    changed_at: datetime


class Shipment(msgspec.Struct, frozen=True):
    """One parcel to the customer."""

    id: UUID
    carrier: str
    tracking: str
    shipped_at: datetime
    delivered_at: datetime | None


class Days(msgspec.Struct, frozen=True):
    """The shop's days at the time of the order."""

    transit_days: int
    delivery_days: int
    grace_days: int
    extension_days: int


class TrialView(msgspec.Struct, frozen=True, dict=True):
    """A trial with all that belongs to it; fields not described here are the columns of `Trial`."""

    id: UUID
    number: str
    order_id: UUID
    status: TrialStatus
    mode: Mode
    strategy: Strategy
    strategy_reason: dict[str, Any]
    email_key: str
    email: str
    name: str
    phone: str
    address: dict[str, str]
    currency: str
    max_charge: int
    deposit: int
    points: int
    redemption_id: UUID | None
    trial_days: int
    extended_days: int
    policy: Days
    silence_keeps: bool
    terms: str
    locale: str
    consented_at: datetime
    customer: str | None
    payment_method: str | None
    card_brand: str
    card_last4: str
    return_id: UUID | None
    rma: str | None
    """The number of the return whose label lies in the parcel."""
    return_status: str | None
    return_scanned_at: datetime | None
    placed_at: datetime
    stocked_at: datetime | None
    authorised_at: datetime | None
    packed_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    delivery_assumed: bool
    ends_at: datetime | None
    reminders: int
    """How many reminders went out since they count."""
    settling_at: datetime | None
    grace_ends_at: datetime | None
    settled_at: datetime | None
    cancelled_at: datetime | None
    livemode: bool
    changed_at: datetime
    refunded: int
    """What was refunded of its order."""
    items: list[Item]
    charges: list[Charge]
    shipments: list[Shipment]

    @cached_property
    def charged(self) -> int:
        """What was paid for what is kept: by card, deposit and points together."""
        done = {charge.id for charge in self.charges if charge.status == ChargeStatus.CAPTURED}
        return sum(item.price for item in self.items if item.charge_id in done)

    @cached_property
    def deposit_paid(self) -> int:
        """What was paid at checkout."""
        return sum(charge.captured for charge in self.charges if charge.kind == ChargeKind.DEPOSIT)

    @cached_property
    def held(self) -> int:
        """What is held on the card right now."""
        return sum(c.amount for c in self.charges if c.kind == ChargeKind.HOLD and c.status in LIVE_HOLDS)

    @cached_property
    def arrived_at(self) -> datetime | None:
        """When the last parcel arrived, where all that were sent have."""
        moments = [parcel.delivered_at for parcel in self.shipments]
        known = [moment for moment in moments if moment is not None]
        return max(known) if known and len(known) == len(moments) else None

    @cached_property
    def charge_today(self) -> int:
        """What is charged at checkout."""
        return self.deposit

    @cached_property
    def in_order(self) -> list[Item]:
        """The items as people read them: of each product from small to large."""
        return arranged(self.items, lambda item: (item.title, item.size))

    @cached_property
    def undecided(self) -> list[Item]:
        """What nothing was said of yet."""
        return [i for i in self.items if i.decision == Decision.UNDECIDED and i.outcome == Outcome.OPEN]


_VIEW: Final = """
    SELECT t.id, t.number, t.order_id, t.status, t.mode, t.strategy, t.strategy_reason, t.email_key, o.email, o.name,
           o.phone, o.address, t.currency, t.max_charge, t.deposit, t.points, t.redemption_id, t.trial_days,
           t.extended_days, t.policy, t.silence_keeps, t.terms, t.locale, t.consented_at, t.customer, t.payment_method,
           t.card_brand, t.card_last4, t.return_id, r.rma, r.status AS return_status, t.return_scanned_at, t.placed_at,
           t.stocked_at, t.authorised_at, t.packed_at, t.shipped_at, t.delivered_at, t.delivery_assumed, t.ends_at,
           CAST((SELECT count(*) FROM email e WHERE e.subject_id = t.id AND e.template = 'trial_reminder'
               AND e.status = 'sent' AND e.created_at >= t.reminders_since) AS int) AS reminders,
           t.settling_at, t.grace_ends_at, t.settled_at, t.cancelled_at, t.livemode, t.changed_at,
           CAST((SELECT CAST(coalesce(sum(f.amount), 0) AS bigint) FROM refund f
               WHERE f.order_id = t.order_id AND f.status = 'succeeded') AS bigint)
               AS refunded,
           (SELECT json_agg(json_build_object(
                'id', i.id, 'order_line_id', i.order_line_id, 'variant_id', i.variant_id, 'position', i.position,
                'sku', l.sku, 'title', l.title, 'size', l.size, 'color', l.color, 'price', i.price, 'tax', i.tax,
                'decision', i.decision, 'decided_at', i.decided_at, 'outcome', i.outcome, 'charge_id', i.charge_id,
                'problem', i.problem, 'problem_note', i.problem_note,
                'received', EXISTS (
                    SELECT FROM parcel_item c JOIN parcel p ON p.id = c.parcel_id
                    WHERE c.order_line_id = l.id AND c.acceptance NOT IN ('surplus', 'sent_back')
                     AND p.undone_at IS NULL),
                'requested', EXISTS (
                    SELECT FROM return_line a WHERE a.return_id = t.return_id AND a.order_line_id = l.id)
            ) ORDER BY i.position) FROM trial_item i JOIN order_line l ON l.id = i.order_line_id
            WHERE i.trial_id = t.id) AS items,
           (SELECT json_agg(to_json(c) ORDER BY c.created_at, c.id) FROM trial_charge c WHERE c.trial_id = t.id)
               AS charges,
           (SELECT json_agg(to_json(s) ORDER BY s.shipped_at, s.id) FROM trial_shipment s WHERE s.trial_id = t.id)
               AS shipments
    FROM trial t JOIN orders o ON o.id = t.order_id LEFT JOIN returns r ON r.id = t.return_id
"""
_BY_NUMBER: Final = f"{_VIEW} WHERE t.number = :number"
_BY_ID: Final = f"{_VIEW} WHERE t.id = :id"
_BY_ORDER: Final = f"{_VIEW} WHERE t.order_id = :id"


def _view(row: Any) -> TrialView:  # noqa: ANN401 - a row
    values = row._asdict()
    for name in ("items", "charges", "shipments"):
        values[name] = values[name] or []
    return msgspec.convert(values, TrialView)


async def trial_for(db: AsyncConnection, actor: Actor, number: str, *, lock: bool = False) -> TrialView:
    """One trial by its number, as people write it; with `lock` its order's row is held until the transaction ends.

    Raises:
        NotFoundError: there is none, or it is not the actor's.
    """
    parsed = parse_trial_number(number)
    if parsed and lock:
        # By a statement of its own: one that waited for the lock would see the rest as it was before.
        await run(db, "SELECT id FROM orders WHERE number = :number FOR UPDATE", number=parsed)
    rows = await run(db, _BY_NUMBER, number=parsed) if parsed else []
    if not rows or not actor.sees_order(rows[0].order_id):
        raise NotFoundError(mark("There is no such trial."), code="trial_not_found")
    return _view(rows[0])


_LOCK: Final = "SELECT o.id FROM orders o JOIN trial t ON t.order_id = o.id WHERE t.id = :id FOR UPDATE OF o"


async def trial_by_id(db: AsyncConnection, trial_id: UUID, *, lock: bool = False) -> TrialView | None:
    """One trial, for jobs; None where there is none."""
    if lock:
        await run(db, _LOCK, id=trial_id)
    rows = await run(db, _BY_ID, id=trial_id)
    return _view(rows[0]) if rows else None


async def trial_of_order(db: AsyncConnection, order_id: UUID, *, lock: bool = False) -> TrialView | None:
    """The trial that an order is, for jobs; None where it is none."""
    if lock:
        await run(db, "SELECT id FROM orders WHERE id = :id FOR UPDATE", id=order_id)
    rows = await run(db, _BY_ORDER, id=order_id)
    return _view(rows[0]) if rows else None


async def trial_id_of_charge(db: AsyncConnection, charge_id: UUID) -> UUID | None:
    """The trial that a charge is of."""
    rows = await run(db, "SELECT trial_id FROM trial_charge WHERE id = :id", id=charge_id)
    return rows[0].trial_id if rows else None


async def open_trials(db: AsyncConnection, email_key: str) -> int:
    """How many trials a customer has under way; waits for one that is just being placed, or agreed to.

    Only those that a bank has agreed to: anybody can type anybody's address.
    """
    await run(db, "SELECT pg_advisory_xact_lock(hashtextextended('trial:' || :key, 0))", key=email_key)
    rows = await run(db, _OPEN, key=email_key)
    return int(rows[0].open)


_OPEN: Final = """
    SELECT count(*) AS open FROM trial WHERE email_key = :key AND mode = 'trial'
    AND status NOT IN ('placed', 'authorisation_failed', 'settled', 'cancelled', 'written_off')
"""


class TrialRow(msgspec.Struct, frozen=True):
    """A trial in a list."""

    id: UUID
    number: str
    status: TrialStatus
    mode: Mode
    name: str
    currency: str
    max_charge: int
    items: int
    undecided: int
    placed_at: datetime
    shipped_at: datetime | None
    ends_at: datetime | None
    changed_at: datetime


_ROWS: Final = """
    SELECT t.id, t.number, t.status, t.mode, o.name, t.currency, t.max_charge,
           (SELECT count(*) FROM trial_item i WHERE i.trial_id = t.id) AS items,
           (SELECT count(*) FROM trial_item i
            WHERE i.trial_id = t.id AND i.decision = 'undecided' AND i.outcome = 'open') AS undecided,
           t.placed_at, t.shipped_at, t.ends_at, t.changed_at
    FROM trial t JOIN orders o ON o.id = t.order_id
"""


async def list_trials(
    db: AsyncConnection, actor: Actor, *, status: TrialStatus | None = None, before: UUID | None = None, limit: int = 50
) -> list[TrialRow]:
    """Trials newest first, after the one where the last page ended.

    Raises:
        ForbiddenError: the actor may not see all trials.
    """
    actor.require("trials:read", "trials:write", "support", "finance", "warehouse")
    conditions, values = ["true"], {"limit": limit}
    more: dict[str, object] = {}
    if status is not None:
        conditions.append("t.status = :status")
        more["status"] = status.value
    if before is not None:
        conditions.append("t.id < :before")
        more["before"] = before
    where = " AND ".join(conditions)
    rows = await run(db, f"{_ROWS} WHERE {where} ORDER BY t.id DESC LIMIT :limit", **values, **more)
    return [msgspec.convert(row._asdict(), TrialRow) for row in rows]


_POLICY: Final = f"SELECT {', '.join(Policy.__struct_fields__)} FROM trial_policy"  # noqa: S608 - our own columns


async def policy(db: AsyncConnection) -> Policy:
    """What the shop allows."""
    [row] = await run(db, _POLICY)
    return Policy(*row)


_PLAIN: Final = ", ".join(f"{name} = :{name}" for name in Policy.__struct_fields__ if name != "max_values")
_SET_POLICY: Final = f"UPDATE trial_policy SET {_PLAIN}, max_values = CAST(:max_values AS jsonb), updated_at = :now"  # noqa: S608 - our own columns
_POLICY_ID: Final = UUID(int=1)
"""By which the history knows the one row."""


async def set_policy(db: AsyncConnection, actor: Actor, changed: Policy) -> None:
    """Change what the shop allows, from the next trial on.

    Raises:
        ForbiddenError: the actor is no admin.
    """
    actor.require("admin")
    values = msgspec.structs.asdict(changed) | {"max_values": msgspec.json.encode(changed.max_values).decode()}
    await run(db, _SET_POLICY, **values, now=clock.now())
    await history.record(db, actor, ("trial_policy", _POLICY_ID, "changed", msgspec.structs.asdict(changed)))


async def photo_for(db: AsyncConnection, actor: Actor, photo_id: UUID) -> bytes:
    """A photo of a problem, as JPEG.

    Raises:
        NotFoundError: there is none, or it is of another customer's trial.
    """
    rows = await run(db, _PHOTO, id=photo_id)
    if not rows or not actor.sees_order(rows[0].order_id):
        raise NotFoundError(mark("There is no such photo."), code="photo_not_found")
    return bytes(rows[0].data)


_PHOTO: Final = """
    SELECT f.data, t.order_id FROM trial_photo f JOIN trial_item i ON i.id = f.item_id
    JOIN trial t ON t.id = i.trial_id WHERE f.id = :id
"""


async def photos_of(db: AsyncConnection, trial_id: UUID) -> dict[UUID, list[UUID]]:
    """The ids of the photos of a trial's items, by item; the caller has shown that the trial is the actor's."""
    found: dict[UUID, list[UUID]] = {}
    for row in await run(db, _PHOTOS, id=trial_id):
        found.setdefault(row.item_id, []).append(row.id)
    return found


_PHOTOS: Final = """
    SELECT f.id, f.item_id FROM trial_photo f JOIN trial_item i ON i.id = f.item_id
    WHERE i.trial_id = :id ORDER BY f.created_at, f.id
"""
