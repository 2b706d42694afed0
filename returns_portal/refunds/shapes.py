"""What the JSON API says of returns and refunds: shapes shared by its faces. Amounts are minor units."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from returns_portal.refunds.queries import RefundView
from returns_portal.refunds.rules import RefundPlan
from returns_portal.returns.queries import ReturnLineView, ReturnView


class LineOut(msgspec.Struct, frozen=True):
    """A line of a return; `received` and `condition` tell what came of it."""

    line_id: UUID
    sku: str
    title: str
    size: str
    color: str
    quantity: int
    reason: str
    received: int
    condition: str | None


class LegOut(msgspec.Struct, frozen=True):
    """What goes back of one payment; `amount` is without the bonus."""

    destination: str
    amount: int
    bonus: int


class PreviewOut(msgspec.Struct, frozen=True):
    """What will be refunded when everything announced arrives in good order."""

    total: int
    bonus: int
    shipping: int
    currency: str
    legs: list[LegOut]
    fee: int
    """What is kept for the postage; `total` is what is left."""


class LabelOut(msgspec.Struct, frozen=True):
    """Where the label is, and what its barcodes hold."""

    pdf_url: str
    qr_url: str
    """A picture of the code, for those without a printer; `.svg` instead of `.png` as vectors."""
    code: str


class RefundOut(msgspec.Struct, frozen=True):
    """A refund; `amount` is without the bonus."""

    id: UUID
    status: str
    destination: str
    amount: int
    bonus: int
    currency: str
    fee: int
    """What was kept for the postage of the return, beside `amount`."""


class ReturnOut(msgspec.Struct, frozen=True):
    """A return."""

    rma: str
    order_number: str
    status: str
    refund_to: str
    lines: list[LineOut]
    label: LabelOut | None
    """None where there is none of ours: the customer sends it with a label of their own, or keeps the goods."""
    postage: str
    postage_fee: int
    policy_version: int
    refunds: list[RefundOut]
    refund_deadline: datetime
    created_at: datetime
    cancelled_at: datetime | None
    in_parcel_of: str | None = None
    """The RMA of the return in whose parcel it travels; `label` is that one's."""
    parcel_with: list[str] = []
    """The RMAs of the other returns in the same parcel, the leading one first."""


def label_out(rma: str, code: str) -> LabelOut:
    """The label of a return."""
    here = f"/api/v1/returns/{rma}"
    return LabelOut(f"{here}/label.pdf", f"{here}/qr.png", code)


def preview_out(planned: RefundPlan) -> PreviewOut:
    """A plan, as the API shows it."""
    legs = [LegOut(leg.destination, leg.amount, leg.bonus) for leg in planned.legs]
    return PreviewOut(planned.total, planned.bonus, planned.shipping, planned.currency, legs, planned.fee)


def line_outs(lines: Sequence[ReturnLineView]) -> list[LineOut]:
    """The lines of a return."""
    return [
        LineOut(
            line.line_id,
            line.sku,
            line.title,
            line.size,
            line.color,
            line.quantity,
            line.reason,
            line.received,
            line.condition,
        )
        for line in lines
    ]


def refund_out(view: RefundView) -> RefundOut:
    """A refund, as a return lists it."""
    return RefundOut(view.id, view.status, view.destination, view.amount, view.bonus, view.currency, view.fee)


def return_out(view: ReturnView, refunds: list[RefundView]) -> ReturnOut:
    """A return with its refunds."""
    return ReturnOut(
        rma=view.rma,
        order_number=view.order_number,
        status=view.status,
        refund_to=view.refund_to,
        lines=line_outs(view.lines),
        label=label_out(view.in_parcel_of or view.rma, view.label_code) if view.label_status else None,
        postage=view.postage,
        postage_fee=view.postage_fee,
        policy_version=view.policy_version,
        refunds=[refund_out(refund) for refund in refunds],
        refund_deadline=view.refund_deadline,
        created_at=view.created_at,
        cancelled_at=view.cancelled_at,
        in_parcel_of=view.in_parcel_of or None,
        parcel_with=view.fellows,
    )
