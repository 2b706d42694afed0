"""The proof of the books knows what can be wrong with trials: each thing is broken once, and found."""

from datetime import timedelta
from typing import Final

import pytest

from returns_portal import clock
from returns_portal.finance.books import check_trials
from returns_portal.finance.invariants.trials import TRIALS
from returns_portal.payments.stripe import StripeGateway
from tests.broken import found_after
from tests.portal import Portal
from tests.sandboxes import SandboxProcess
from tests.tryon.money import arrives, kept_first, running, settled_now
from tests.tryon.samples import PRICE, seen

pytestmark = pytest.mark.anyio

BREAKS: Final = {
    "trial-charged": "UPDATE trial_charge SET points = 1 WHERE status = 'captured'",
    "charge-is-a-payment": "UPDATE trial_charge SET reference = 'pi_other' WHERE status = 'captured'",
    "one-hold": "UPDATE trial SET max_charge = max_charge - 1",
    "kept-or-back": "UPDATE refund_line SET voided_at = now() WHERE amount > 0",
    "kept-by-a-charge": """
        UPDATE trial_item SET outcome = 'kept', charge_id = (SELECT id FROM trial_charge WHERE status = 'captured')
        WHERE position = 3""",
    "settled-is-over": "UPDATE trial_item SET outcome = 'open' WHERE outcome = 'returned' AND position = 3",
    "no-charge-forgotten": """
        INSERT INTO trial_charge SELECT gen_random_uuid(), trial_id, 'charge', 'unknown', currency, 5, 0, 0, 0, 0, NULL,
        NULL, NULL, '', 1, NULL, now(), now(), now(), false FROM trial_charge""",
}
ALSO: Final = {
    "kept-or-back": {"releases-are-refunded"},
    "kept-by-a-charge": {"trial-charged"},
    "no-charge-forgotten": {"settled-is-over"},
}


async def done(portal: Portal) -> None:
    """A trial of which one was kept and came back later, and three came back at once."""
    trial = await settled_now(portal, await kept_first(portal, await running(portal)))
    await arrives(portal, trial, [1, 2, 3])
    await portal.work()
    await arrives(portal, trial, [0], number=2)
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.status, trial.charged, trial.refunded) == ("settled", PRICE, PRICE)


def test_every_invariant_of_trials_is_broken_once() -> None:
    assert set(BREAKS) == {invariant.name for invariant in TRIALS}


async def test_what_is_broken_is_found(portal: Portal) -> None:
    await done(portal)
    with clock.shifted(timedelta(hours=2)):
        for name, statement in BREAKS.items():
            assert await found_after(portal, statement) == {name} | ALSO.get(name, set()), name


async def test_the_gateway_has_each_charge_once(
    portal: Portal, sandbox: SandboxProcess, gateway: StripeGateway
) -> None:
    await done(portal)
    assert await check_trials(portal.begin, gateway) == []
    [charge] = await portal.rows("SELECT id, trial_id, reference FROM trial_charge")
    form = f"amount={4 * PRICE}&currency=eur&metadata[charge_id]={charge.id}&payment_method=pm_card_visa&confirm=true"
    form += "&automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never"
    status, answer, _ = sandbox.send("POST", "/v1/payment_intents", form)
    assert status == 200, answer
    found = {breach.invariant for breach in await check_trials(portal.begin, gateway)}
    assert found == {"charge-once", "charge-amount", "charge-taken"}
