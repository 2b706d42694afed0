"""One gateway after the other: the sandbox always, and Stripe itself where a test key of an account is given."""

import os
from collections.abc import AsyncIterator
from typing import Final

import pytest

from returns_portal.payments.stripe import StripeGateway
from tests.sandboxes import KEY, SandboxProcess

STRIPE: Final = "https://api.stripe.com"
_TOP_UP: Final = 100_00


class Place(StripeGateway):
    """The gateway, and how patient one has to be with it."""

    def __init__(self, *, key: str, base: str, patience: float) -> None:
        super().__init__(key=key, base=base)
        self.patience = patience
        """Seconds within which it has done what it does later."""


@pytest.fixture(scope="session")
def stripe_key() -> str:
    """The key of a Stripe account in test mode; the scenarios leave test payments and refunds there."""
    key = os.environ.get("STRIPE_TEST_KEY", "")
    if not key:
        pytest.skip("STRIPE_TEST_KEY is not set: not run against Stripe itself")
    if not key.startswith(("sk_test_", "rk_test_")):
        pytest.fail("STRIPE_TEST_KEY is no test key: nothing is run with it.", pytrace=False)
    return key


@pytest.fixture(params=["sandbox", "stripe"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    if request.param == "sandbox":
        process: SandboxProcess = request.getfixturevalue("sandbox")
        made = Place(key=KEY, base=process.base, patience=10)
    else:
        made = Place(key=request.getfixturevalue("stripe_key"), base=STRIPE, patience=180)
    async with made:
        if request.param == "stripe":
            # A new account has no balance to refund from; this card's money is there at once.
            await made.create_sandbox_payment(
                key=f"top-up:{os.getpid()}:{request.node.name}",
                amount=_TOP_UP,
                currency="EUR",
                metadata={},
                payment_method="pm_card_bypassPending",
            )
        yield made
