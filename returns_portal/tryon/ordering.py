"""What is ordered, to try or to buy, and of what sums its price is made up."""

from collections.abc import Sequence

import msgspec

from returns_portal.tryon.models import Mode


class Wanted(msgspec.Struct, frozen=True):
    """So many units of a variant."""

    sku: str
    quantity: int = 1


class TrialInput(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer orders.

    `terms` is the text that they agreed to, as they saw it, and `silence_keeps` whether it says that what nothing is
    said of counts as kept. Without a text it is the shop's own, which says what the shop's policy says.
    """

    email: str
    name: str
    shipping_address: dict[str, str]
    """name, line1, line2, city, region, postal_code, country."""
    items: Sequence[Wanted]
    phone: str = ""
    locale: str = "en"
    payment_method: str | None = None
    """Stripe's payment method; None where the customer's browser gives it to Stripe itself."""
    trial_days: int | None = None
    mode: Mode = Mode.TRIAL
    points: int = 0
    """How much of it is to be paid with points, in minor units."""
    terms: str = ""
    silence_keeps: bool = False


class Money(msgspec.Struct, frozen=True):
    """How the most that can be charged is made up."""

    currency: str
    most: int
    points: int
    deposit: int

    @property
    def rest(self) -> int:
        """What is neither points nor charged at checkout."""
        return self.most - self.points - self.deposit
