"""What the tests of refunds share: conditions by short names, and the gateway's own account of what went back."""

from returns_portal.payments.stripe import StripeGateway
from returns_portal.warehouse.models import Condition
from tests.portal import Portal

LIKE_NEW, WORN, DAMAGED, WRONG = Condition.RESELLABLE, Condition.WORN, Condition.DAMAGED, Condition.WRONG_ITEM


async def paid_by_gateway(portal: Portal, number: str) -> tuple[int, int]:
    """What Stripe holds of an order's payment: captured, refunded."""
    [row] = await portal.rows(
        "SELECT p.reference FROM payment p JOIN orders o ON o.id = p.order_id WHERE o.number = :n", n=number
    )
    payment = await portal.context.service(StripeGateway).read_payment(row.reference)
    return payment.captured, payment.refunded
