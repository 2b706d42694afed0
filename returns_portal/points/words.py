"""What moved a customer's points, in words that they understand."""

from typing import Any

from returns_portal.i18n import _, ngettext
from returns_portal.points.models import RedemptionStatus
from returns_portal.web import formats


def points(count: int) -> str:
    """So many points."""
    return ngettext("{count} point", "{count} points", count, count=formats.number(count))


def change(count: int) -> str:
    """So many more, or fewer: `+1,200`, `−300`, with a true minus sign."""
    return f"{'+' if count > 0 else '−' if count < 0 else ''}{formats.number(abs(count))}"


def movement(row: Any) -> str:  # noqa: ANN401 - a row of the statement's query
    """What a line of the statement was."""
    match row.kind:
        case "refund" | "refund_reversal":
            return _refund(row)
        case "points_earned":
            return _("Earned with order {number}", number=row.order_number)
        case "points_clawed_back":
            return _("Earned with order {number}, of which goods came back", number=row.order_number)
        case "points_expired":
            return _("Expired")
        case "points_adjusted":
            return _("From us: {reason}", reason=row.reason) if row.points > 0 else _said_by_us(row)
        case _:
            return _redemption(row)


def _said_by_us(row: Any) -> str:  # noqa: ANN401 - as above
    return _("Corrected by us: {reason}", reason=row.reason)


def _refund(row: Any) -> str:  # noqa: ANN401 - as above
    what = _("return {rma}", rma=row.rma) if row.rma else _("order {number}", number=row.order_number)
    if row.paid_with_points:
        return _("Points back for {what}", what=what)
    if row.bonus:
        return _("Refund for {what}, with a bonus of {bonus}", what=what, bonus=formats.number(row.bonus))
    return _("Refund for {what}", what=what)


def _redemption(row: Any) -> str:  # noqa: ANN401 - as above
    """A hold is told as what has become of it."""
    number = row.spent_on or row.reference
    if row.kind == "points_held":
        if row.redemption_status == RedemptionStatus.CAPTURED:
            return _("Paid with points: {what}", what=number) if number else _("Paid with points")
        return _("Set aside for a purchase: {what}", what=number) if number else _("Set aside for a purchase")
    if row.kind == "points_captured":
        return _("Not needed for {what}: back to you", what=number) if number else _("Not needed: back to you")
    return _("The purchase was not made: back to you")
