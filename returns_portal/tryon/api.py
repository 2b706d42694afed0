"""Trials over JSON. Amounts are minor units of `currency`."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.accounts.replies import answer_once
from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.orders.intake import AddressInput
from returns_portal.refunds.shapes import LabelOut, label_out
from returns_portal.texts import WITHOUT_NUL
from returns_portal.tryon import calling_off, deciding, placing, settling, shipping
from returns_portal.tryon.models import Decision, Mode, TrialStatus
from returns_portal.tryon.ordering import TrialInput, Wanted
from returns_portal.tryon.queries import TrialRow, TrialView, list_trials, trial_for
from returns_portal.web.site import site

MAX_PAGE = 100

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class WantedIn(msgspec.Struct, forbid_unknown_fields=True):
    """So many units of a variant."""

    sku: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=1, max_length=200)]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=50)] = 1


class TrialIn(msgspec.Struct, forbid_unknown_fields=True):
    """A trial, or with `mode` "purchase" an ordinary sale, which is charged at once.

    `payment_method` is Stripe's; with the sandbox its test ids. `terms` is the text that the customer agreed to, and
    `silence_keeps` whether it says that what they say nothing of counts as kept; without it, it does not. Where no
    `terms` are given, the customer agreed to the shop's own: they are kept with the order, and what they say holds.
    """

    email: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=320)]
    name: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=200)]
    shipping_address: AddressInput
    items: Annotated[list[WantedIn], msgspec.Meta(min_length=1, max_length=50)]
    payment_method: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=1, max_length=255)]
    trial_days: Annotated[int, msgspec.Meta(ge=1, le=60)] | None = None
    mode: Literal["trial", "purchase"] = "trial"
    points: Annotated[int, msgspec.Meta(ge=0)] = 0
    phone: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=50)] = ""
    locale: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=16)] = "en"
    terms: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=20_000)] = ""
    silence_keeps: bool = False


class ShipmentIn(msgspec.Struct, forbid_unknown_fields=True):
    """A parcel that leaves."""

    carrier: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=100)] = ""
    tracking: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=100)] = ""


class DeliveryIn(msgspec.Struct, forbid_unknown_fields=True):
    """When it arrived; `shipment_id` where only one parcel of several did."""

    delivered_at: Moment | None = None
    shipment_id: UUID | None = None


class ScanIn(msgspec.Struct, forbid_unknown_fields=True):
    """When a carrier scanned the label on the way back."""

    scanned_at: Moment | None = None


class DecisionIn(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of an item; for a problem, which and what about it."""

    item_id: UUID
    decision: Literal["keep", "return", "problem"]
    problem: Literal["damaged", "missing", "wrong"] = "damaged"
    note: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=1000)] = ""


class DecisionsIn(msgspec.Struct, forbid_unknown_fields=True):
    """Decisions on items."""

    items: Annotated[list[DecisionIn], msgspec.Meta(min_length=1, max_length=50)]


class ItemOut(msgspec.Struct, frozen=True):
    """One unit on trial."""

    item_id: UUID
    sku: str
    title: str
    size: str
    color: str
    price: int
    decision: str
    outcome: str
    """open, kept, returned or waived."""
    received: bool


class ParcelOut(msgspec.Struct, frozen=True):
    """A parcel to the customer."""

    shipment_id: UUID
    carrier: str
    tracking: str
    shipped_at: datetime
    delivered_at: datetime | None


class TrialOut(msgspec.Struct, frozen=True):
    """A trial."""

    trial: str
    status: str
    mode: str
    strategy: str
    items: list[ItemOut]
    shipments: list[ParcelOut]
    currency: str
    max_charge: int
    charge_today: int
    charged: int
    """What was paid for what is kept."""
    deposit_paid: int
    """What was paid at checkout; it pays for what is kept, and what is left of it goes back."""
    refunded: int
    held: int
    """What is held on the card right now."""
    points: int
    placed_at: datetime
    delivered_at: datetime | None
    trial_ends_at: datetime | None
    settled_at: datetime | None
    label: LabelOut | None
    """Of all that may come back; None where nothing does."""


class RowOut(msgspec.Struct, frozen=True):
    """A trial in a list."""

    trial: str
    status: str
    mode: str
    currency: str
    max_charge: int
    items: int
    undecided: int
    placed_at: datetime
    trial_ends_at: datetime | None


class PageOut(msgspec.Struct, frozen=True):
    """A page of trials; the next one begins after `next_cursor`."""

    items: list[RowOut]
    next_cursor: str | None


def trial_out(trial: TrialView) -> TrialOut:
    """A trial as the API shows it."""
    return TrialOut(
        trial=trial.number,
        status=trial.status,
        mode=trial.mode,
        strategy=trial.strategy,
        items=[
            ItemOut(i.id, i.sku, i.title, i.size, i.color, i.price, i.decision, i.outcome, i.received)
            for i in trial.items
        ],
        shipments=[ParcelOut(s.id, s.carrier, s.tracking, s.shipped_at, s.delivered_at) for s in trial.shipments],
        currency=trial.currency,
        max_charge=trial.max_charge,
        charge_today=trial.charge_today,
        charged=trial.charged,
        deposit_paid=trial.deposit_paid,
        refunded=trial.refunded,
        held=trial.held,
        points=trial.points,
        placed_at=trial.placed_at,
        delivered_at=trial.delivered_at,
        trial_ends_at=trial.ends_at,
        settled_at=trial.settled_at,
        label=label_out(trial.rma, trial.rma) if trial.rma and trial.return_status != "cancelled" else None,
    )


def _row_out(row: TrialRow) -> RowOut:
    return RowOut(
        row.number,
        row.status,
        row.mode,
        row.currency,
        row.max_charge,
        row.items,
        row.undecided,
        row.placed_at,
        row.ends_at,
    )


@post("/trials", summary="Order things to try", status_code=201)
async def place(
    request: Request[Any, Any, State],
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    data: JSONBody[TrialIn],
) -> Response[TrialOut]:
    """Order things to try. Honours `Idempotency-Key`. Scope `trials:write`."""
    actor.require("trials:write")
    address = {name: value or "" for name, value in msgspec.structs.asdict(data.shipping_address).items()}

    async def work() -> tuple[int, TrialOut]:
        wanted = TrialInput(
            email=data.email,
            name=data.name,
            phone=data.phone,
            locale=data.locale,
            shipping_address=address,
            items=[Wanted(item.sku, item.quantity) for item in data.items],
            payment_method=data.payment_method,
            trial_days=data.trial_days,
            mode=Mode(data.mode),
            points=data.points,
            terms=data.terms,
            silence_keeps=data.silence_keeps,
        )
        return 201, trial_out(await placing.place(db, actor, site(request).settings, wanted))

    return await answer_once(request, db, actor, work)


@get("/trials", summary="List trials, newest first", reads=True)
async def list_all(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    status: FromQuery[TrialStatus | None] = None,
    cursor: FromQuery[UUID | None] = None,
    limit: FromQuery[int] = 50,
) -> PageOut:
    """Trials. Scope `trials:read`."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidError("A page has 1 to {most} items.", field="limit", most=MAX_PAGE)
    found = await list_trials(db, actor, status=status, before=cursor, limit=limit + 1)
    shown = found[:limit]
    return PageOut([_row_out(row) for row in shown], str(shown[-1].id) if len(found) > limit else None)


@get("/trials/{trial:str}", summary="Show a trial", reads=True)
async def show(db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], trial: FromPath[str]) -> TrialOut:
    """A trial with what was decided, held, charged and refunded. Scope `trials:read`."""
    actor.require("trials:read", "trials:write")
    return trial_out(await trial_for(db, actor, trial))


@post("/trials/{trial:str}/shipments", summary="A parcel leaves", status_code=201)
async def ship(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    trial: FromPath[str],
    data: JSONBody[ShipmentIn],
) -> TrialOut:
    """Say that a parcel left. 409 `not_authorised` while the bank has not agreed. Scope `trials:write`."""
    return trial_out(await shipping.ship(db, actor, trial, carrier=data.carrier, tracking=data.tracking))


@post("/trials/{trial:str}/delivery", summary="It arrived", status_code=200)
async def deliver(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    trial: FromPath[str],
    data: JSONBody[DeliveryIn],
) -> TrialOut:
    """Say that it arrived: with the last parcel the trial begins. Scope `trials:write`."""
    moment = data.delivered_at or clock.now()
    return trial_out(await shipping.deliver(db, actor, trial, moment, shipment_id=data.shipment_id))


@post("/trials/{trial:str}/return-scans", summary="The label was scanned by a carrier", status_code=200)
async def scan(
    db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], trial: FromPath[str], data: JSONBody[ScanIn]
) -> TrialOut:
    """Say that the parcel is on its way back: what is in it is not charged meanwhile. Scope `trials:write`."""
    return trial_out(await shipping.scanned(db, actor, trial, data.scanned_at or clock.now()))


@post("/trials/{trial:str}/decisions", summary="What becomes of the items", status_code=200)
async def decide(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    trial: FromPath[str],
    data: JSONBody[DecisionsIn],
) -> TrialOut:
    """Say of each item whether it is kept, goes back or has a problem. Scope `trials:write`."""
    actor.require("trials:write")
    decisions = {item.item_id: Decision(item.decision) for item in data.items}
    if len(decisions) < len(data.items):
        raise InvalidError(mark("An item is named twice. Say of each once what becomes of it."), field="items")
    problems = {item.item_id: (item.problem, item.note) for item in data.items if item.decision == "problem"}
    return trial_out(await deciding.decide(db, actor, trial, decisions, problems))


@post("/trials/{trial:str}/extension", summary="More time", status_code=200)
async def extend(db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], trial: FromPath[str]) -> TrialOut:
    """Give the customer more time, once. Scope `trials:write`."""
    actor.require("trials:write")
    return trial_out(await deciding.extend(db, actor, trial))


@post("/trials/{trial:str}/settlement", summary="Settle now", status_code=202)
async def settle(db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], trial: FromPath[str]) -> TrialOut:
    """Charge what is kept and release the rest. Again, it charges nothing more. Scope `trials:write`."""
    actor.require("trials:write")
    return trial_out(await settling.begin(db, actor, trial, now_by_staff=True))


@post("/trials/{trial:str}/cancellation", summary="Call it off", status_code=200)
async def cancel(db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], trial: FromPath[str]) -> TrialOut:
    """Call it off before it is sent. Scope `trials:write`."""
    actor.require("trials:write")
    return trial_out(await calling_off.cancel(db, actor, trial))


routes: list[Any] = [place, list_all, show, ship, deliver, scan, decide, extend, settle, cancel]
