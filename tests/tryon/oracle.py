"""What must hold of a trial and its money whatever happened, said plainly: from the gateway's own lists alone."""

from datetime import datetime, timedelta
from typing import Any

from returns_portal.tryon.models import ChargeStatus, Decision, Mode, Outcome, TrialStatus
from returns_portal.tryon.queries import Item, TrialView
from tests.sandboxes import SandboxProcess

T = TrialStatus
CAPTURED = ChargeStatus.CAPTURED
FINAL = {T.SETTLED, T.CANCELLED, T.WRITTEN_OFF}
PENDING = {"planned", "submitting", "unknown", "action_needed", "capturing", "canceling"}


def payments_at(sandbox: SandboxProcess, trial: TrialView) -> list[dict[str, Any]]:
    """All payments that the gateway has of a trial's customer."""
    if trial.customer is None:
        return []
    status, page, _ = sandbox.send("GET", "/v1/payment_intents", f"customer={trial.customer}&limit=100")
    assert status == 200, page
    return list(page["data"])


def refunded_at(sandbox: SandboxProcess, payments: list[dict[str, Any]]) -> int:
    """What the gateway has given back of them."""
    total = 0
    for payment in payments:
        status, page, _ = sandbox.send("GET", "/v1/refunds", f"payment_intent={payment['id']}&limit=100")
        assert status == 200, page
        total += sum(refund["amount"] for refund in page["data"] if refund["status"] == "succeeded")
    return total


class Watched:
    """One trial, watched from its placing on: what was said and done, and when it was first seen to be charged."""

    def __init__(self, trial: TrialView) -> None:
        self.number = trial.number
        self.shown = trial.max_charge - trial.points - trial.deposit
        self.kept: set[str] = set()
        self.scanned_at: datetime | None = None
        self.arrived_at: datetime | None = None
        self.reminders = 0

    @property
    def moving(self) -> bool:
        """A carrier has the parcel that goes back."""
        return self.scanned_at is not None and (self.arrived_at is None or self.arrived_at < self.scanned_at)

    def look(self, sandbox: SandboxProcess, trial: TrialView, now: datetime) -> None:
        """Look at it after a step."""
        payments = payments_at(sandbox, trial)
        ids = [payment["metadata"]["charge_id"] for payment in payments]
        assert len(set(ids)) == len(ids), "a charge was made twice"
        holds = [payment["amount"] for payment in payments if payment["status"] == "requires_capture"]
        assert len(holds) <= 1, "two holds at once"
        assert sum(holds) <= self.shown, "more is held than was shown"
        known = {str(charge.id): charge for charge in trial.charges}
        for payment in payments:
            charge = known[payment["metadata"]["charge_id"]]
            if charge.status not in PENDING | {"held"}:
                assert payment["amount_received"] == charge.captured, (charge, payment["status"])
        taken = sum(payment["amount_received"] for payment in payments)
        assert taken <= trial.max_charge + sum(item.price for item in trial.items if item.received), "too much"
        for item in trial.items:
            if item.outcome == Outcome.KEPT and str(item.id) not in self.kept:
                assert trial.mode == Mode.PURCHASE or self._may_be_charged(trial, item, now), (item, now)
                self.kept.add(str(item.id))
            elif item.outcome != Outcome.KEPT:
                self.kept.discard(str(item.id))

    def _may_be_charged(self, trial: TrialView, item: Item, now: datetime) -> bool:
        """Whether the terms allow it, said plainly."""
        if item.decision == Decision.KEEP:
            return True
        if item.decision == Decision.PROBLEM or self.moving or trial.settling_at is None:
            return False
        if item.decision == Decision.UNDECIDED:
            return trial.reminders >= 2 and trial.silence_keeps
        over = max(trial.settling_at, trial.ends_at or trial.settling_at) + timedelta(days=trial.policy.grace_days)
        return now >= over

    def ended(self, sandbox: SandboxProcess, trial: TrialView) -> None:
        """Look at how it ended: what was paid, less what went back, is the price of what the customer has kept."""
        assert trial.status in FINAL
        payments = payments_at(sandbox, trial)
        assert all(payment["status"] != "requires_capture" for payment in payments), "something is held for ever"
        paid = sum(payment["amount_received"] for payment in payments)
        points = sum(charge.points for charge in trial.charges if charge.status == CAPTURED)
        assert paid == sum(charge.captured for charge in trial.charges if charge.status == CAPTURED)
        bought = [item for item in trial.items if item.outcome == Outcome.KEPT]
        if trial.status == T.CANCELLED:
            assert paid - refunded_at(sandbox, payments) == 0
            return
        assert all(item.outcome != Outcome.OPEN for item in trial.items)
        assert trial.charged == sum(item.price for item in bought)
        if trial.status == T.SETTLED:
            for item in trial.items:
                assert (item.outcome == Outcome.RETURNED) <= item.received
                assert (item.outcome == Outcome.WAIVED) <= (item.decision == Decision.PROBLEM)
        has = sum(item.price for item in bought if not item.received)
        back_in_points = trial.refunded - refunded_at(sandbox, payments)
        left = trial.deposit if trial.status == T.WRITTEN_OFF else 0
        net = paid + points - refunded_at(sandbox, payments) - back_in_points
        assert has <= net <= has + left, (net, has, left)
