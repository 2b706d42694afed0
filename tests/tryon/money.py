"""A trial and its money, one verb a line: what tests of settlement, authorisation and renewal need to say."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.notifications.delivery import deliver_due
from returns_portal.notifications.mailer import Mailer
from returns_portal.tryon import authorising, ending, renewing, settling, shipping, sweeping
from returns_portal.tryon.models import Decision
from returns_portal.tryon.queries import TrialView
from returns_portal.warehouse.models import Condition
from tests.portal import API, FINANCE, Portal
from tests.sandboxes import SandboxProcess
from tests.tryon.samples import boots, decided, delivered, place, seen, shipped

KEEP, RETURN, PROBLEM = Decision.KEEP, Decision.RETURN, Decision.PROBLEM


async def running(portal: Portal, *, days: int = 3, **changes: Any) -> TrialView:  # noqa: ANN401 - fields of a trial
    """Four sizes at the customer's, and the trial runs."""
    trial = await place(portal, await boots(portal), trial_days=days, **changes)
    await portal.work()
    assert (await seen(portal, trial)).status == "authorised"
    await shipped(portal, trial)
    return await delivered(portal, trial)


async def settled_now(portal: Portal, trial: TrialView) -> TrialView:
    """Staff settle it."""
    async with portal.begin() as db:
        await settling.begin(db, API, trial.number, now_by_staff=True)
    await portal.work()
    return await seen(portal, trial)


async def kept_first(portal: Portal, trial: TrialView, kept: int = 1) -> TrialView:
    """The customer keeps the first so many, and sends the others back."""
    await decided(portal, trial, *(KEEP if place < kept else RETURN for place in range(len(trial.items))))
    return await seen(portal, trial)


async def arrives(
    portal: Portal, trial: TrialView, places: Sequence[int], *, number: int = 1, condition: Condition | None = None
) -> None:
    """The warehouse counts these of its items."""
    trial = await seen(portal, trial)
    assert trial.rma
    found = condition or Condition.RESELLABLE
    await portal.receive(trial.rma, *((trial.items[place].order_line_id, 1, found) for place in places), number=number)


async def days_later(portal: Portal, days: float) -> None:
    """So many days later: the calendar is looked at, what hangs is set going, and all of it is done."""
    with clock.shifted(timedelta(days=days)):
        await ending.end_trials(portal.begin)
        await deliver_due(portal.begin, portal.context.service(Mailer))
        await renewing.renew_holds(portal.begin)
        await sweeping.sweep(portal.begin)
        await portal.work()


async def given(portal: Portal, trial: TrialView, card: str | None) -> TrialView:
    """The customer gives a card."""
    async with portal.begin() as db:
        await authorising.card_given(db, API, trial.number, card)
    await portal.work()
    return await seen(portal, trial)


async def scanned(portal: Portal, trial: TrialView) -> None:
    """A carrier scans the label on its way back."""
    async with portal.begin() as db:
        await shipping.scanned(db, SYSTEM, trial.number, clock.now())


async def tried_again(portal: Portal, trial: TrialView) -> TrialView:
    """Finance charges what is open once more."""
    async with portal.begin() as db:
        await settling.retry(db, FINANCE, trial.number)
    await portal.work()
    return await seen(portal, trial)


def at_gateway(sandbox: SandboxProcess, trial: TrialView) -> list[tuple[str, int, int]]:
    """The payments that the sandbox has of a trial: status, amount, what was taken; the oldest first."""
    if trial.customer is None:
        return []
    status, page, _ = sandbox.send("GET", "/v1/payment_intents", f"customer={trial.customer}&limit=100")
    assert status == 200, page
    found = [each for each in page["data"] if each["metadata"]["trial_id"] == str(trial.id)]
    ids = [each["metadata"]["charge_id"] for each in found]
    assert len(set(ids)) == len(ids), "a charge was made twice"
    return [(each["status"], each["amount"], each["amount_received"]) for each in reversed(found)]


def charge_id(trial: TrialView, place: int = -1) -> UUID:
    return trial.charges[place].id
