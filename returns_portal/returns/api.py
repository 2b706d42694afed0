"""Returns over JSON."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.replies import answer_once
from returns_portal.actor import Actor
from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.exchanges.reserving import Swap
from returns_portal.labels.content import Size
from returns_portal.labels.drop_off import drop_off
from returns_portal.labels.pictures import png_of, svg_of
from returns_portal.labels.queries import label_content
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.policies.content import Postage
from returns_portal.refunds import deciding, filing
from returns_portal.refunds.queries import refunds_of_return, refunds_of_returns
from returns_portal.refunds.shapes import (
    LabelOut,
    LineOut,
    PreviewOut,
    ReturnOut,
    label_out,
    line_outs,
    preview_out,
    return_out,
)
from returns_portal.returns import api_eligibility
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo, ReturnStatus
from returns_portal.returns.queries import list_returns, return_for
from returns_portal.settings import Settings
from returns_portal.shop.queries import current
from returns_portal.texts import WITHOUT_NUL
from returns_portal.tryon.announcing import cancel_return
from returns_portal.warehouse.queries import waiting_items
from returns_portal.web.site import site
from returns_portal.web.transaction import asking

MAX_PAGE = 100


class LineIn(msgspec.Struct, forbid_unknown_fields=True):
    """So many units of a line; `reason` is the customer's to give or not.

    `faulty` says that the customer calls it faulty, damaged or not what was ordered: then it goes back free of charge.
    """

    line_id: UUID
    quantity: Annotated[int, msgspec.Meta(ge=1, le=999)]
    reason: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=500)] | None = None
    faulty: bool = False
    exchange_for: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=1, max_length=100)] | None = None
    """The SKU that is wanted for each of these units instead of money."""


class ReturnIn(msgspec.Struct, forbid_unknown_fields=True):
    """A return to be filed."""

    order_number: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=1, max_length=64)]
    lines: Annotated[list[LineIn], msgspec.Meta(min_length=1, max_length=500)]
    refund_to: Literal["original", "points"] = "original"
    exchange_at_once: bool = False
    """Whether what is wanted in exchange is sent before the goods are back, once a card holds its price."""
    in_parcel_of: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=32)] = ""
    """The RMA of a return of another order of the same customer, in whose parcel and under whose label it travels."""


class FiledOut(msgspec.Struct, frozen=True):
    """A return that was filed."""

    rma: str
    status: str
    lines: list[LineOut]
    refund_preview: PreviewOut
    label: LabelOut | None
    """None where the customer sends it with a label of their own, or keeps the goods."""
    postage: str
    kept: bool
    """Whether the customer keeps the goods: nothing is sent, and the refund is under way."""
    in_parcel_of: str | None = None
    """The RMA of the return in whose parcel it travels; `label` is that one's."""


class PageOut(msgspec.Struct, frozen=True):
    """A page of returns; the next one begins after `next_cursor`."""

    items: list[ReturnOut]
    next_cursor: str | None


class DecisionIn(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of the waiting units of a line: of `quantity` of them, or of all.

    `amount` (minor units, for all these units together) and `reason` are needed for a part.
    """

    line_id: UUID
    decision: Literal["accept", "part", "send_back"]
    quantity: Annotated[int, msgspec.Meta(ge=1)] | None = None
    amount: Annotated[int, msgspec.Meta(ge=0)] | None = None
    reason: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=1000)] = ""


class DecisionsIn(msgspec.Struct, forbid_unknown_fields=True):
    """Decisions on the waiting items of a return."""

    lines: Annotated[list[DecisionIn], msgspec.Meta(min_length=1, max_length=500)]


@post("/returns", summary="File a return", status_code=201)
async def file_return(
    request: Request[Any, Any, State],
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    data: JSONBody[ReturnIn],
) -> Response[FiledOut]:
    """File a return: no reason is needed. Scope `returns:write`. Honours `Idempotency-Key`."""
    actor.require("returns:write")

    async def work() -> tuple[int, FiledOut]:
        filed = await filing.file(
            db,
            actor,
            site(request).settings,
            await current(db),
            data.order_number.removeprefix("#"),
            [Wanted(line.line_id, line.quantity, line.reason or "", line.faulty) for line in data.lines],
            RefundTo(data.refund_to),
            swaps=[Swap(each.line_id, each.exchange_for, each.quantity) for each in data.lines if each.exchange_for],
            at_once=data.exchange_at_once,
            in_parcel_of=data.in_parcel_of,
        )
        return 201, FiledOut(
            filed.rma,
            filed.status,
            line_outs(filed.lines),
            preview_out(filed.preview),
            label_out(filed.in_parcel_of or filed.rma, filed.label_code)
            if filed.postage is not Postage.OWN_LABEL and not filed.kept
            else None,
            filed.postage,
            filed.kept,
            filed.in_parcel_of or None,
        )

    return await answer_once(request, db, actor, work)


@get("/returns/{rma:str}", summary="Show a return", reads=True)
async def show_return(
    db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], rma: FromPath[str]
) -> ReturnOut:
    """A return with what was received and what was refunded. Scope `returns:read`."""
    actor.require("returns:read", "returns:write")
    view = await return_for(db, actor, rma)
    return return_out(view, await refunds_of_return(db, actor, view.id))


@get("/returns", summary="List returns, newest first", reads=True)
async def list_all(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    status: FromQuery[ReturnStatus | None] = None,
    cursor: FromQuery[UUID | None] = None,
    limit: FromQuery[int] = 50,
) -> PageOut:
    """Returns with their refunds. Scope `returns:read`."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidError("A page has 1 to {most} items.", field="limit", most=MAX_PAGE)
    views = await list_returns(db, actor, status=status, before=cursor, limit=limit + 1)
    shown = views[:limit]
    paid = await refunds_of_returns(db, actor, [view.id for view in shown])
    items = [return_out(view, paid.get(view.id, [])) for view in shown]
    return PageOut(items, str(shown[-1].id) if len(views) > limit else None)


@post("/returns/{rma:str}/cancellation", summary="Cancel a return", status_code=200)
async def cancel(
    request: Request[Any, Any, State],
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    rma: FromPath[str],
) -> Response[ReturnOut]:
    """Cancel while nothing has arrived; the items can be returned again. Scope `returns:write`."""
    actor.require("returns:write")

    async def work() -> tuple[int, ReturnOut]:
        view = await return_for(db, actor, rma)
        await cancel_return(db, actor, view.rma)
        return 200, return_out(await return_for(db, actor, rma), await refunds_of_return(db, actor, view.id))

    return await answer_once(request, db, actor, work)


@post("/returns/{rma:str}/decisions", summary="Decide damaged and wrong items", status_code=200)
async def decide(
    request: Request[Any, Any, State],
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    rma: FromPath[str],
    data: JSONBody[DecisionsIn],
) -> Response[ReturnOut]:
    """Accept, refund a part with a reason, or send back. Scope `returns:write`. Honours `Idempotency-Key`."""
    actor.require("returns:write")

    async def work() -> tuple[int, ReturnOut]:
        view = await return_for(db, actor, rma)
        for index, wanted in enumerate(data.lines):
            await _decide_line(db, actor, site(request).settings, view.rma, wanted, f"lines[{index}]")
        view = await return_for(db, actor, rma)
        return 200, return_out(view, await refunds_of_return(db, actor, view.id))

    return await answer_once(request, db, actor, work)


async def _decide_line(
    db: AsyncConnection,
    actor: Actor,
    settings: Settings,
    rma: str,
    wanted: DecisionIn,
    field: str,
) -> None:
    """Decide the waiting items of one line, the longest waiting first, until the wanted quantity is reached."""
    waiting = [item for item in await waiting_items(db, actor, rma=rma) if item.line_id == wanted.line_id]
    if not waiting:
        raise NotFoundError(
            "Nothing of this line waits for a decision.", code="nothing_waits", field=f"{field}.line_id"
        )
    left = wanted.quantity or sum(item.quantity for item in waiting)
    if left > sum(item.quantity for item in waiting):
        raise InvalidError("Not so many wait for a decision.", code="bad_quantity", field=f"{field}.quantity")
    amount = wanted.amount
    for item in waiting:
        units = min(left, item.quantity)
        if not units:
            break
        part = amount * units // left if amount is not None else None
        await deciding.decide(
            db, actor, settings, item.id, wanted.decision, amount=part, reason=wanted.reason, quantity=units
        )
        left -= units
        amount = amount - part if amount is not None and part is not None else None


@get("/returns/{rma:str}/label.pdf", summary="The label as PDF", media_type="application/pdf")
async def label_pdf(
    request: Request[Any, Any, State], rma: FromPath[str], size: FromQuery[Size] = "4x6"
) -> Response[bytes]:
    """The prepaid label, 4x6 in, A4 or Letter. Scope `returns:read`."""
    async with asking(request) as (db, actor):
        actor.require("returns:read", "returns:write")
        sandbox = not site(request).settings.livemode
        content = await label_content(db, actor, rma, shop=await current(db), sandbox=sandbox)
    labels: LabelRenderer = request.app.state.labels
    pdf = await labels.render(content, size)
    return Response(
        pdf, media_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{content.code}.pdf"'}
    )


@get("/returns/{rma:str}/qr.png", summary="The code without a printer, as PNG", media_type="image/png", reads=True)
async def code_png(
    db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], rma: FromPath[str], parcel: FromQuery[int] = 1
) -> Response[bytes]:
    """What is shown where a parcel is handed in: its carrier's own code, else the label's. Scope `returns:read`."""
    actor.require("returns:read", "returns:write")
    return png_of(await drop_off(db, actor, rma, number=parcel))


@get("/returns/{rma:str}/qr.svg", summary="The code without a printer, as SVG", media_type="image/svg+xml", reads=True)
async def code_svg(
    db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], rma: FromPath[str], parcel: FromQuery[int] = 1
) -> Response[str]:
    """As PNG, in vectors. Scope `returns:read`."""
    actor.require("returns:read", "returns:write")
    return svg_of(await drop_off(db, actor, rma, number=parcel))


routes: list[Any] = [
    file_return,
    list_all,
    *api_eligibility.routes,
    show_return,
    cancel,
    decide,
    label_pdf,
    code_png,
    code_svg,
]
