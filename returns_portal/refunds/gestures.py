"""How much of which payment a gesture takes. Pure, as `rules.py`."""

from collections.abc import Sequence

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.payments.models import Tender
from returns_portal.refunds.rules import (
    Claim,
    OrderBalance,
    PlannedLine,
    RefundPlan,
    TenderBalance,
    plan,
    share_among_tenders,
    shared_out,
)
from returns_portal.returns.models import RefundTo


def plan_goodwill(
    balance: OrderBalance,
    amount: int,
    *,
    refund_to: RefundTo,
    shipping: bool = False,
    units: Sequence[Claim] = (),
) -> RefundPlan:
    """Decide which payments a gesture goes back to: card money first, pro rata where several cards paid.

    A gesture is no price of anything, so that there is no tax in it, and no bonus is on it, which was promised for
    returns alone. Outbound shipping is a unit of its own with its own tax; it goes back at most once. Units that are
    paid for without coming back (lost, or broken) are planned as those of a return, each at most once.

    Raises:
        InvalidError: nothing, more than is left of the payments, or shipping or units that are paid back already.
    """
    if units:
        planned = plan(balance, units, refund_to=refund_to, bonus_percent=0)
        if not planned.total:
            raise InvalidError(
                mark("Nothing is left to pay back for these items."), code="nothing_left_of_units", field="amount"
            )
        return planned
    lines = []
    if shipping:
        if balance.shipping_settled or not balance.shipping:
            raise InvalidError(
                "The delivery of this order was refunded already, or cost nothing.", code="no_shipping", field="amount"
            )
        amount = balance.shipping
        lines = [PlannedLine(None, 0, 0, amount, balance.shipping_tax)]
    left = sum(tender.left for tender in balance.tenders)
    if amount < 1:
        raise InvalidError("Give an amount above nothing.", code="nothing", field="amount")
    if amount > left:
        raise InvalidError(
            "This is more than what is left of the payments of this order.", code="more_than_left", field="amount"
        )
    return shared_out(balance, lines, _cards_first(balance.tenders, amount), refund_to, 0)


def _cards_first(tenders: Sequence[TenderBalance], amount: int) -> list[int]:
    shares = [0] * len(tenders)
    for kind in (Tender.STRIPE, Tender.EXTERNAL, Tender.POINTS):
        places = [place for place, tender in enumerate(tenders) if tender.tender is kind]
        those = [tenders[place] for place in places]
        part = min(amount, sum(tender.left for tender in those))
        for place, share in zip(places, share_among_tenders(those, part), strict=True):
            shares[place] = share
        amount -= part
    return shares
