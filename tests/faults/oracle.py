"""What must be true of an order when a bad day is over, by what the sandbox itself holds."""

from typing import Any

from returns_portal.db import run
from returns_portal.payments.stripe import StripeGateway
from tests.faults.world import World

_ROWS = """
    SELECT f.id, f.attempt, f.status, f.kind, f.amount, f.bonus, f.destination, f.gateway_id, f.held_at FROM refund f
    WHERE f.order_id = :id
"""
_BOOKED = """
    SELECT e.account, sum(e.amount)::bigint AS amount
    FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
    WHERE t.cause_id IN (SELECT id FROM refund WHERE order_id = :id UNION ALL
                         SELECT d.id FROM dispute d JOIN payment p ON p.id = d.payment_id WHERE p.order_id = :id)
    GROUP BY e.account
"""
_OVER = frozenset({"failed", "canceled"})


async def prove(world: World) -> None:
    """One effect for each refund and attempt; what the gateway moved is what the books say; points as promised."""
    async with world.begin() as db:
        rows = await run(db, _ROWS, id=world.order_id)
        booked = {row.account: row.amount for row in await run(db, _BOOKED, id=world.order_id)}
    made = world.ground.refunds_at_gateway(world.reference)
    _prove_effects(world, rows, made)
    disputes = await world.ground.context.service(StripeGateway).find_disputes(world.reference)
    live = sum(refund["amount"] for refund in made if refund["status"] not in _OVER)
    withdrawn = sum(dispute.withdrawn for dispute in disputes)
    assert booked.get("gateway_clearing", 0) == -live - withdrawn, (booked, live, withdrawn)
    credited = sum(row.amount + row.bonus for row in rows if (row.destination, row.status) == ("points", "succeeded"))
    assert (await world.ground.points(world.email)).get("EUR", 0) == credited
    open_ones = sum(row.amount for row in rows if row.status not in {"succeeded", "canceled"})
    assert booked.get("refunds_payable", 0) == -open_ones, (booked, open_ones)


def _prove_effects(world: World, rows: list[Any], made: list[dict[str, Any]]) -> None:
    ours = {refund["metadata"]["refund_id"]: refund for refund in made if "refund_id" in refund["metadata"]}
    elsewhere = {refund["id"]: refund for refund in made if "refund_id" not in refund["metadata"]}
    assert len(ours) + len(elsewhere) == len(made), "an attempt was made twice"
    assert set(elsewhere) == set(world.dashboard)
    by_gateway = {row.gateway_id: row for row in rows if row.kind == "outside"}
    assert set(by_gateway) == set(elsewhere), "what was made in the dashboard is not known, or not once"
    for row in rows:
        refund = elsewhere[row.gateway_id] if row.kind == "outside" else None
        if row.kind != "outside" and row.destination == "original":
            refund = ours.pop(f"{row.id}:{row.attempt}", None)
        _prove_one(row, refund)
    # What is left are earlier attempts, of which nothing may have come.
    assert all(refund["status"] in _OVER for refund in ours.values()), ours


def _prove_one(row: Any, refund: dict[str, Any] | None) -> None:  # noqa: ANN401 - a row
    """A row of ours beside what the gateway has of its present attempt."""
    if refund is None:
        assert row.status != "succeeded" or row.destination != "original", f"the gateway has nothing of {row}"
        return
    assert refund["amount"] == row.amount
    assert (refund["status"] in _OVER) == (row.status in _OVER), (row, refund["status"])
    assert (refund["status"] == "succeeded") == (row.status == "succeeded"), (row, refund["status"])
