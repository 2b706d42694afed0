"""What must be equal in both: all that is known of the orders, in words and numbers that either side can say."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import run
from returns_portal.points.queries import look_up
from returns_portal.refunds.queries import balance_of
from returns_portal.returns.queries import order_state
from tests.model.plans import free, owed, shipping_paid
from tests.model.shop import Model
from tests.model.things import Dispute, Line, Order, Refund, Run
from tests.portal import API

Facts = dict[str, Any]

_EMPTY: Final[tuple[int, int, dict[object, int]]] = (0, 0, {})
"""A purse with nothing in it is as good as none."""

_TABLES: Final = {
    # Of a disputed payment nothing is sent. Whether that stands in the row already, or is found when its turn comes,
    # depends on which old events a poll happens to read once more.
    "refunds": """
        SELECT id, kind, status, destination, amount, bonus, tax, shipping, attempt,
            held_at IS NOT NULL OR (status = 'planned' AND EXISTS (
                SELECT FROM dispute d WHERE d.payment_id = refund.payment_id AND d.closed_at IS NULL))
        FROM refund WHERE order_id = ANY(:ids)""",
    "paid for": """
        SELECT order_line_id, CASE WHEN quantity > 0 OR order_line_id IS NULL THEN first_unit END, quantity, amount, tax
        FROM refund_line WHERE order_id = ANY(:ids) AND voided_at IS NULL""",
    "returns": "SELECT rma, status FROM returns WHERE order_id = ANY(:ids)",
    "counted": """
        SELECT i.id, i.order_line_id, i.quantity, i.condition, i.acceptance FROM parcel_item i
        JOIN parcel p ON p.id = i.parcel_id JOIN returns r ON r.id = p.return_id
        WHERE r.order_id = ANY(:ids) AND p.undone_at IS NULL""",
    "gestures": "SELECT id, amount, decision FROM goodwill WHERE order_id = ANY(:ids)",
    "disputes": """
        SELECT d.gateway_id, d.status, d.withdrawn FROM dispute d JOIN payment p ON p.id = d.payment_id
        WHERE p.order_id = ANY(:ids)""",
    # What refunds and disputes have left on the accounts; what points have is in the balances.
    "books": """
        SELECT e.account, e.currency, sum(e.amount)::bigint FROM ledger_entry e
        JOIN ledger_transaction t ON t.id = e.transaction_id WHERE t.cause_id IN (
            SELECT id FROM refund WHERE order_id = ANY(:ids) UNION ALL
            SELECT d.id FROM dispute d JOIN payment p ON p.id = d.payment_id WHERE p.order_id = ANY(:ids))
        AND t.kind LIKE ANY(ARRAY['refund%', 'dispute%'])
        GROUP BY e.account, e.currency HAVING sum(e.amount) <> 0""",
    "holds": """
        SELECT h.id, h.status, h.captured FROM points_redemption h JOIN points_account a ON a.id = h.account_id
        WHERE a.email_key = ANY(:emails)""",
    "asked": """
        SELECT c.id, c.currency, c.amount FROM points_adjustment c JOIN points_account a ON a.id = c.account_id
        WHERE a.email_key = ANY(:emails) AND c.status = 'pending'""",
}
# In one statement, since it is asked after every step.
_ALL: Final = " UNION ALL ".join(
    f"SELECT '{name}' AS name, array(SELECT row_to_json(r) FROM ({query}) AS r) AS rows"  # noqa: S608 - our own text
    for name, query in _TABLES.items()
)


async def kept(db: AsyncConnection, orders: Sequence[Order], closely: Sequence[Order]) -> Facts:
    """What the portal has written down of these orders, and what it says is left of some of them."""
    ids, emails = [order.id for order in orders], sorted({order.email for order in orders})
    tables = await run(db, _ALL, ids=ids, emails=emails)
    facts: Facts = {table.name: Counter(tuple(row.values()) for row in table.rows) for table in tables}
    for order in closely:
        state, balance = await order_state(db, API, order.number), await balance_of(db, order.id)
        facts[order.number] = (
            [line.quantity - line.requested for line in state.lines],
            [line.free for line in balance.lines],
            [tender.left for tender in balance.tenders],
            balance.shipping_settled,
        )
    for email in {order.email for order in closely}:
        for purse in await look_up(db, API, email):
            lots = {lot.expires_at: lot.points for lot in purse.expiring}
            facts[f"{email} {purse.currency}"] = (purse.points, purse.held, lots)
    return {name: fact for name, fact in facts.items() if fact != _EMPTY}


def known(model: Model, closely: Sequence[Order]) -> Facts:
    """The same, as the model has it."""
    facts: Facts = {name: Counter(rows) for name, rows in _tables(model).items()}
    for order in closely:
        facts[order.number] = (
            [line.ordered - order.gone(line) for line in order.lines],
            [free(order, line) for line in order.lines],
            [owed(order, payment) for payment in order.payments],
            shipping_paid(order),
        )
    for (email, currency), purse in model.purses.items():
        if email in {order.email for order in closely}:
            facts[f"{email} {currency}"] = (purse.points(model.now), purse.held, purse.expiring(model.now))
    return {name: fact for name, fact in facts.items() if fact != _EMPTY}


def _tables(model: Model) -> dict[str, list[tuple[object, ...]]]:
    orders = model.orders
    items = [item for order in orders for parcel in order.parcels if parcel.live for item in parcel.items]
    return {
        "refunds": [_refund(refund) for refund in model.refunds],
        "paid for": [_run(run) for order in orders for run in order.paid_for],
        "returns": [(each.rma, each.status) for order in orders for each in order.returns],
        "counted": [(str(i.id), _id(i.line), i.quantity, i.condition, i.acceptance) for i in items],
        "gestures": [(str(each.id), each.amount, each.decision) for order in orders for each in order.gestures],
        "disputes": [(each.id, each.known, _withdrawn(each)) for each in model.disputes if each.known],
        "books": [(*entry, amount) for entry, amount in _books(model).items() if amount],
        "holds": [(str(h.id), h.status, h.captured) for purse in model.purses.values() for h in purse.holds],
        "asked": [(str(each.id), each.purse.currency, each.amount) for each in model.asked],
    }


def reached(model: Model) -> set[str]:
    """What has come about, in words."""
    found = {f"{refund.kind} to {refund.to}: {refund.status}" for refund in model.refunds}
    found |= {"a refund is held" for refund in model.refunds if refund.held}
    found |= {"a refund is tried again" for refund in model.refunds if refund.attempt > 1}
    found |= {f"dispute: {dispute.known}" for dispute in model.disputes if dispute.known}
    found |= {f"hold: {hold.status}" for purse in model.purses.values() for hold in purse.holds}
    for order in model.orders:
        found |= {f"paid with {payment.tender}" for payment in order.payments}
        found |= {f"order in {order.currency}"} | {f"gesture: {gesture.decision}" for gesture in order.gestures}
        found |= {"points are clawed back" for _ in range(order.clawed)}
        found |= {f"return: {each.status}" for each in order.returns}
        found |= {"a count is corrected" for parcel in order.parcels if parcel.corrects}
        found |= {f"item: {item.acceptance}" for parcel in order.parcels for item in parcel.items}
        found |= {"delivery is paid back" for run in order.paid_for if run.line is None}
        found |= {"the rest of a unit is paid" for run in order.paid_for if run.line and not run.units}
    return found


def _refund(refund: Refund) -> tuple[object, ...]:
    amounts = refund.amount, refund.bonus, refund.tax, refund.shipping
    held = refund.held or (refund.status == "planned" and refund.payment.disputed)
    return str(refund.id), refund.kind, refund.status, refund.to, *amounts, refund.attempt, held


def _run(run: Run) -> tuple[object, ...]:
    """Its place is its first unit, where it is not the rest of one."""
    place = run.units[0] if run.units else 0 if run.line is None else None
    return _id(run.line), place, len(run.units), run.amount, run.tax


def _id(line: Line | None) -> str | None:
    return str(line.id) if line else None


def _withdrawn(dispute: Dispute) -> int:
    """What the bank has taken, as far as the portal knows: for an inquiry, nothing yet."""
    return dispute.amount if dispute.known in {"needs_response", "under_review", "lost"} else 0


_PAID_FROM: Final = {"original": "gateway_clearing", "transfer": "bank_clearing", "points": "customer_points"}


def _books(model: Model) -> Counter[tuple[str, str]]:
    """What refunds and disputes have left on the accounts; debits are positive."""
    books: Counter[tuple[str, str]] = Counter()
    for refund in model.refunds:
        currency, amount = refund.order.currency, 0 if refund.status == "canceled" else refund.amount
        books["goodwill_expense" if refund.kind == "goodwill" else "sales_returns", currency] += amount
        if refund.status == "succeeded":
            books["bonus_expense", currency] += refund.bonus
            books[_PAID_FROM[refund.to], currency] -= amount + refund.bonus
        else:
            books["refunds_payable", currency] -= amount
    for order in model.orders:
        for payment in order.payments:
            for dispute in payment.disputes:
                account = "dispute_losses" if dispute.known == "lost" else "disputes_open"
                books[account, order.currency] += _withdrawn(dispute)
                books["gateway_clearing", order.currency] -= _withdrawn(dispute)
    return books
