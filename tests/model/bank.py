"""The model of the gateway: what it has refunded, what it refuses, and what becomes of refunds and disputes there."""

from collections import deque
from typing import Final

from tests.model.things import Dispute, Effect, Payment, RefusedError

_BY_CARD: Final = {
    "pm_card_visa": ("succeeded", None),
    "pm_card_pendingRefund": ("pending", "succeeded"),
    "pm_card_refundFail": ("succeeded", "failed"),
}
_NEXT: Final = {"pending": ("succeeded", "failed", "canceled"), "succeeded": ("failed",)}
_VERDICTS: Final = {
    "warning_needs_response": ("warning_under_review", "warning_closed", "needs_response"),
    "warning_under_review": ("warning_closed", "needs_response"),
    "needs_response": ("under_review", "won", "lost"),
    "under_review": ("won", "lost"),
}


class Bank:
    """The gateway, as it is."""

    def __init__(self) -> None:
        self.ordered: deque[str] = deque()
        """How the next refunds go; after that, as their cards do."""
        self._later: list[tuple[Effect, str]] = []

    @staticmethod
    def left(payment: Payment) -> int:
        return payment.amount - sum(effect.amount for effect in payment.effects if effect.moves)

    def refund(self, payment: Payment, amount: int, *, ours: bool) -> Effect:
        """Make a refund.

        Raises:
            RefusedError: the money was taken back by the payer's bank, or there is not so much left.
        """
        if any(dispute.took for dispute in payment.disputes):
            raise RefusedError("charge_disputed")
        if amount > self.left(payment):
            raise RefusedError("too_much")
        status, then = (self.ordered.popleft(), None) if self.ordered else _BY_CARD[payment.card]
        effect = Effect(payment, amount, status, ours=ours)
        payment.effects.append(effect)
        if then is not None:
            self._later.append((effect, then))
        if effect.moves and not self.left(payment):
            # Nothing is left to ask about.
            for dispute in payment.disputes:
                if dispute.status.startswith("warning"):
                    dispute.status = "warning_closed"
        return effect

    def go_on(self) -> bool:
        """Let happen what is to happen by itself; whether there was anything."""
        for effect, status in self._later:
            if status in _NEXT.get(effect.status, ()):
                effect.status = status
        happened, self._later = bool(self._later), []
        return happened

    @staticmethod
    def outcomes(effect: Effect) -> tuple[str, ...]:
        """What may become of a refund."""
        return _NEXT.get(effect.status, ())

    @staticmethod
    def verdicts(dispute: Dispute) -> tuple[str, ...]:
        """What may become of a dispute."""
        return _VERDICTS.get(dispute.status, ())

    def disputable(self, payment: Payment) -> bool:
        """Whether the payer may dispute: not twice at once, nor what they have got back already."""
        settled = all(dispute.status in {"won", "warning_closed"} for dispute in payment.disputes)
        return payment.tender == "stripe" and settled and self.left(payment) > 0
