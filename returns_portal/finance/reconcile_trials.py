"""Our charges of trials and exchanges beside the gateway's payments: each happened once, with this amount, for us."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import Begin, run
from returns_portal.finance.invariants import SHOWN, Breach
from returns_portal.payments.gateway import GatewayIntent

_SKEW: Final = timedelta(days=1)
"""How far the gateway's clock may be behind ours."""
_ROWS: Final = """
    SELECT id, kind, status, amount, captured, currency, reference FROM trial_charge
    WHERE kind <> 'setup' AND amount > 0
    UNION ALL
    SELECT id, CASE kind WHEN 'payment' THEN 'charge' ELSE kind END, status, amount, captured, currency, reference
    FROM exchange_charge
"""
_FIRST: Final = """
    SELECT least((SELECT min(placed_at) FROM trial), (SELECT min(created_at) FROM exchange_charge)) AS at
"""
_HOLDING: Final = frozenset({"submitting", "unknown", "action_needed", "held", "capturing", "canceling"})
"""Statuses of ours in which the gateway may hold money."""

Charges = Mapping[str, Any]
Found = Mapping[str, list[GatewayIntent]]


class Gateway(Protocol):
    """What is needed of the gateway (`payments.stripe.StripeGateway` has it)."""

    def list_intents(self, since: datetime) -> AsyncIterator[GatewayIntent]:
        """All payments since then that rows of ours asked for."""


async def check_trials(begin: Begin, gateway: Gateway) -> list[Breach]:
    """Compare the charges of trials with the gateway's payments.

    The rows are read before and after the gateway is asked; one that has changed in between is judged the next time.

    Raises:
        GatewayError: the gateway does not answer, or the key may not list payments; nothing is proven then.
    """
    async with begin() as db:
        before = await _rows(db)
        [first] = await run(db, _FIRST)
    if first.at is None:
        return []
    found: dict[str, list[GatewayIntent]] = defaultdict(list)
    async for intent in gateway.list_intents(first.at - _SKEW):
        if intent.our_id in before:
            found[intent.our_id].append(intent)
    async with begin() as db:
        after = await _rows(db)
    same = {id_: row for id_, row in before.items() if after.get(id_) == row}
    breaches = []
    for name, (sentence, finding) in _FINDINGS.items():
        rows = list(finding(same, found))
        if rows:
            breaches.append(Breach(name, sentence, len(rows), rows[:SHOWN]))
    return breaches


async def _rows(db: AsyncConnection) -> dict[str, Any]:
    return {str(row.id): row for row in await run(db, _ROWS)}


def _doubled(charges: Charges, found: Found) -> Iterable[dict[str, Any]]:
    for id_ in charges:
        if len(found.get(id_, [])) > 1:
            yield {"charge_id": id_, "gateway_ids": [intent.id for intent in found[id_]]}


def _different(charges: Charges, found: Found) -> Iterable[dict[str, Any]]:
    for id_, row in charges.items():
        for intent in found.get(id_, []):
            renamed = row.reference is not None and row.reference != intent.id
            if renamed or (intent.amount, intent.currency) != (row.amount, row.currency):
                yield {"charge_id": id_, "ours": f"{row.amount} {row.currency}", "gateway_id": intent.id}


def _uncaptured(charges: Charges, found: Found) -> Iterable[dict[str, Any]]:
    for id_, row in charges.items():
        taken = sum(intent.received for intent in found.get(id_, []))
        if row.status not in _HOLDING and taken != row.captured:
            yield {"charge_id": id_, "status": row.status, "ours": row.captured, "gateway": taken}


def _still_held(charges: Charges, found: Found) -> Iterable[dict[str, Any]]:
    for id_, row in charges.items():
        for intent in found.get(id_, []):
            if intent.status == "requires_capture" and row.status not in _HOLDING:
                yield {"charge_id": id_, "status": row.status, "gateway_id": intent.id}


_FINDINGS: Final = {
    "charge-once": ("Every charge of a trial exists at the gateway at most once.", _doubled),
    "charge-amount": ("The gateway's payment has the same amount, currency and id as ours.", _different),
    "charge-taken": ("What the gateway took for a charge is what we say that it brought in.", _uncaptured),
    "hold-released": ("The gateway holds nothing for a charge that is over.", _still_held),
}
