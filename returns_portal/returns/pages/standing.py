"""Where a return stands, in a badge and a title: what matters most right now."""

from collections.abc import Sequence
from typing import Literal

from returns_portal.i18n import mark, translate
from returns_portal.labels.models import LabelStatus
from returns_portal.policies.content import Postage
from returns_portal.refunds.models import RefundStatus
from returns_portal.refunds.queries import RefundView
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.queries import ReturnView
from returns_portal.warehouse.models import Acceptance
from returns_portal.warehouse.queries import ParcelView

Kind = Literal["good", "wait", "bad", ""]


def standing(view: ReturnView, parcels: Sequence[ParcelView], refunds: Sequence[RefundView]) -> tuple[str, Kind, str]:
    """Badge, its kind, and the title: the first of these that holds is what matters most right now."""
    statuses = {refund.status for refund in refunds}
    needs_account = RefundStatus.AWAITING_TRANSFER in statuses and not view.has_bank_account
    waits = any(item.acceptance == Acceptance.WAITING for parcel in parcels for item in parcel.items)
    ladder: list[tuple[bool, Kind, str, str]] = [
        (view.status == ReturnStatus.CANCELLED, "", mark("Cancelled"), mark("This return is cancelled")),
        (
            _waits_for_another(view),
            "wait",
            mark("Waiting for your parcel"),
            mark("It travels with another order of yours"),
        ),
        *(_under_way(view.label_status) if view.status == ReturnStatus.FILED else []),
        (
            view.status == ReturnStatus.FILED and view.postage == Postage.OWN_LABEL,
            "wait",
            mark("Waiting for your parcel"),
            mark("Send it to us with a label of your own"),
        ),
        (view.status == ReturnStatus.FILED, "wait", mark("Waiting for your parcel"), mark("Your label is ready")),
        (RefundStatus.FAILED in statuses, "bad", mark("Waiting for you"), mark("A refund did not go through yet")),
        (needs_account, "wait", mark("Waiting for you"), mark("Where should we transfer the money?")),
        (waits, "wait", mark("Being looked at"), mark("We are looking at your items")),
        (bool(statuses - {RefundStatus.SUCCEEDED}), "wait", mark("On its way"), mark("Your refund is on its way")),
        (is_missing(view), "wait", mark("Partly here"), mark("Part of your return has arrived")),
        (bool(refunds), "good", mark("Refunded"), mark("Your refund is done")),
        (True, "good", mark("Checked in"), mark("Your parcel has arrived")),
    ]
    return next((translate(badge), kind, translate(title)) for holds, kind, badge, title in ladder if holds)


def _waits_for_another(view: ReturnView) -> bool:
    """Whether it lies in the parcel of another return, which nobody has seen yet: that one's label is not its title."""
    moving = view.label_status in (LabelStatus.IN_TRANSIT, LabelStatus.DELIVERED, LabelStatus.LOST)
    return view.status == ReturnStatus.FILED and bool(view.in_parcel_of) and not moving


def _under_way(status: str) -> list[tuple[bool, Kind, str, str]]:
    """As the rungs above, for a return of which nothing is here: how far its label has brought it."""
    return [
        (status == LabelStatus.REQUESTED, "wait", mark("Waiting for your label"), mark("Your label is being made")),
        (status == LabelStatus.VOIDED, "wait", mark("Waiting for you"), mark("Your label is not valid any more")),
        (status == LabelStatus.IN_TRANSIT, "wait", mark("On its way to us"), mark("Your parcel is on its way")),
        (status == LabelStatus.DELIVERED, "wait", mark("Brought to us"), mark("Your parcel is with us")),
        (status == LabelStatus.LOST, "bad", mark("Being looked for"), mark("We are looking for your parcel")),
    ]


def is_missing(view: ReturnView) -> bool:
    """Whether less has arrived than was announced."""
    return any(line.received < line.quantity for line in view.lines)
