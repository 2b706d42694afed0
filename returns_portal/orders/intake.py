"""An order as it is handed in, by the JSON API or a file.

Amounts are whole minor units of the order's currency; `discount` and `tax` are of the whole line. What an order must
satisfy to be taken stands in `checks`.
"""

import hashlib
from datetime import datetime

import msgspec

from returns_portal.orders.models import FinancialStatus
from returns_portal.payments.models import Tender


class AddressInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the order was sent, in any script."""

    name: str
    line1: str
    city: str
    country: str
    """ISO 3166-1 alpha-2."""
    line2: str | None = None
    region: str | None = None
    postal_code: str | None = None


class LineInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line; `discount` and `tax` are of all its units together."""

    sku: str
    title: str
    quantity: int
    unit_price: int
    size: str | None = None
    color: str | None = None
    discount: int = 0
    tax: int = 0
    shipped: int | None = None
    """How many of them have left the shop; by default all or none, as `fulfilled` says."""

    @property
    def net(self) -> int:
        """The line after its own discount, before its share of the order's."""
        return self.unit_price * self.quantity - self.discount


class ShippingInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What delivery cost the customer."""

    price: int = 0
    discount: int = 0
    tax: int = 0
    standard_price: int | None = None
    """The least expensive standard delivery, where a dearer one was chosen: the surplus need not be refunded."""

    @property
    def net(self) -> int:
        """Delivery after its promotions."""
        return self.price - self.discount


class PaymentInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tender of the order."""

    tender: Tender
    amount: int
    reference: str | None = None
    """Stripe's PaymentIntent."""
    method: str = ""
    """How the shop's file names the means of payment."""
    imported_reference: str | None = None
    """What the shop's file calls the payment."""
    refunded_before: int = 0


class OrderInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole order."""

    email: str
    name: str
    currency: str
    placed_at: datetime
    shipping_address: AddressInput
    lines: list[LineInput]
    tax_included: bool
    payments: list[PaymentInput]
    number: str = ""
    phone: str | None = None
    locale: str | None = None
    """A language tag; by default the language of the country of delivery, as far as the portal speaks it."""
    order_discount: int = 0
    shipping: ShippingInput = ShippingInput()
    extras: int = 0
    """Duties, tips and the like, tax in them: part of the total that is of no line, and that no return gives back."""
    delivered_at: datetime | None = None
    shipped_at: datetime | None = None
    cancelled_at: datetime | None = None
    fulfilled: bool | None = None
    """Whether everything has left the shop; by default it has once the order is shipped or delivered."""
    financial_status: FinancialStatus | None = None
    """By default paid, which payments that come to the total prove."""

    @property
    def goods(self) -> int:
        """All lines after their own discounts."""
        return sum(line.net for line in self.lines)

    @property
    def total(self) -> int:
        """What the order costs, with tax, shipping and extras."""
        total = self.goods - self.order_discount + self.shipping.net + self.extras
        if not self.tax_included:
            total += sum(line.tax for line in self.lines) + self.shipping.tax
        return total


def fingerprint(order: OrderInput) -> bytes:
    """SHA-256 of a checked order: equal exactly where taking it in again would change nothing."""
    return hashlib.sha256(msgspec.json.encode(order, order="deterministic")).digest()
