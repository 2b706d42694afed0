"""What filing asks before something is sent instead of what comes back."""

from collections.abc import Sequence
from uuid import UUID

from returns_portal.errors import ConflictError
from returns_portal.exchanges.reserving import Asked
from returns_portal.i18n import mark
from returns_portal.refunds.rules import OrderBalance
from returns_portal.returns.actions import Wanted
from returns_portal.returns.judging import Judgement
from returns_portal.returns.queries import OrderState


def refuse_of_gift(order: OrderState, wanted: Sequence[Wanted]) -> None:
    """What the receiver of a gift was sent in exchange is theirs: its value must not go to whoever gave it.

    Raises:
        ConflictError: some of it is wanted (`of_gift`).
    """
    theirs = {line.line_id for line in order.lines if line.of_gift is not None}
    if any(line.line_id in theirs for line in wanted):
        raise ConflictError(
            mark("The receiver of a gift was sent this in exchange: they file its return on the page of their gift."),
            code="of_gift",
            field="lines",
        )


def kept() -> ConflictError:
    """Why nothing is had in exchange for what the customer keeps."""
    return ConflictError(
        mark("You keep these items and get their money, so there is nothing to exchange. Nothing was filed."),
        code="kept_not_exchangeable",
        field="swaps",
    )


def at_once_days(judged: Judgement) -> int:
    """Within how many days the goods are to be back for what is sent at once.

    Raises:
        ConflictError: the shop sends nothing at once (`not_at_once`).
    """
    if not judged.exchange_days:
        raise ConflictError(
            mark(
                "This shop sends an exchange once your items are back. Nothing was filed: choose that, and file again."
            ),
            code="not_at_once",
            field="exchange_at_once",
        )
    return judged.exchange_days


def asked_of(
    order: OrderState, return_id: UUID, balance: OrderBalance, units: dict[UUID, int], days: int | None = None
) -> Asked:
    """What exchanges have to know of the return that they belong to."""
    paid = {
        line.line_id: [line.unit_paid[unit] for unit in line.free[: units.get(line.line_id, 0)]]
        for line in balance.lines
    }
    return Asked(return_id, order.id, order.currency, {line.line_id: line.sku for line in order.lines}, paid, days)


def units_wanted(wanted: Sequence[Wanted]) -> dict[UUID, int]:
    """How many units of each line, with lines that were named twice joined."""
    units: dict[UUID, int] = {}
    for line in wanted:
        units[line.line_id] = units.get(line.line_id, 0) + line.quantity
    return units
