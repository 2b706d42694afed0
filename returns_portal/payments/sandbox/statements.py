"""The two statements of the store that are put together anew for each request: one that writes, one that lists."""

from collections.abc import Sequence
from typing import LiteralString

import msgspec

_ALWAYS: LiteralString = "VALUES {slots}"
_IF_CLAIMED: LiteralString = (
    "SELECT v.* FROM claimed, (VALUES {slots}) "
    "AS v (id, object, created, payment_intent, charge, customer, due, payout, mark, body)"
)
_SLOT: LiteralString = (
    "(%s::text, %s::text, %s::bigint, %s::text, %s::text, %s::text, %s::float8, %s::text, %s::text, %s::json)"
)
_CLAIM: LiteralString = (
    "INSERT INTO idempotency (key, endpoint, fingerprint, status, body, request_id, created) "
    "VALUES (%s, %s, %s, %s, %s, %s, to_timestamp(%s)) ON CONFLICT (key) DO NOTHING RETURNING key"
)
_WRITE: LiteralString = (
    "INSERT INTO resource (id, object, created, payment_intent, charge, customer, due, payout, mark, body) {source} "
    "ON CONFLICT (id) DO UPDATE SET body = excluded.body, due = excluded.due, customer = excluded.customer, "
    "payout = coalesce(excluded.payout, resource.payout), mark = coalesce(excluded.mark, resource.mark)"
)
_DELIVERY_SLOT: LiteralString = "(%s::text, %s::text, %s::float8, %s::smallint)"
_DELIVER: LiteralString = "INSERT INTO delivery (event, endpoint, due, copies) {source}"
_DELIVER_IF_CLAIMED: LiteralString = "SELECT v.* FROM claimed, (VALUES {slots}) AS v (event, endpoint, due, copies)"
_PAGE: LiteralString = "SELECT body::text FROM resource WHERE {where} ORDER BY {order} LIMIT %s"


class Page(msgspec.Struct, frozen=True):
    """Which part of a list is asked for; newest first."""

    object: str
    limit: int = 10
    columns: dict[LiteralString, str | None] = {}
    """Values of columns."""
    fields: dict[str, str | None] = {}
    """Values of fields of the documents."""
    types: Sequence[str] = ()
    created: Sequence[tuple[LiteralString, int]] = ()
    """Operators and moments in Unix seconds."""
    arrival: Sequence[tuple[LiteralString, int]] = ()
    """As above, of a payout's arrival."""
    after: tuple[int, int] | None = None
    """The place (creation and sequence) after which the page begins, that is, older."""
    before: tuple[int, int] | None = None


def select(page: Page) -> tuple[LiteralString, list[object]]:
    """Write the statement that reads a page, and one document more, with its values."""
    where: list[LiteralString] = ["object = %s"]
    values: list[object] = [page.object]
    for column, value in page.columns.items():
        if value is not None:
            where.append(column + " = %s")
            values.append(value)
    for field, value in page.fields.items():
        if value is not None:
            where.append("body ->> %s = %s")
            values.extend((field, value))
    if page.types:
        where.append("body ->> 'type' = ANY(%s)")
        values.append(list(page.types))
    for operator, moment in page.created:
        where.append("created " + operator + " %s")
        values.append(moment)
    for operator, moment in page.arrival:
        where.append("(body ->> 'arrival_date')::bigint " + operator + " %s")
        values.append(moment)
    if page.after is not None:
        where.append("(created, seq) < (%s, %s)")
        values.extend(page.after)
    if page.before is not None:
        where.append("(created, seq) > (%s, %s)")
        values.extend(page.before)
    order: LiteralString = "created, seq" if page.before is not None else "created DESC, seq DESC"
    query: LiteralString = _PAGE.format(where=" AND ".join(where), order=order)
    return query, [*values, page.limit + 1]


WIDTH = 10
"""How many values a document's row has."""


def insert(*, claimed: bool, resources: int, deliveries: int) -> LiteralString:
    """Write the one statement: the key's claim first, everything else only where that succeeded."""
    slots: LiteralString = ", ".join([_SLOT] * resources)
    sent: LiteralString = ", ".join([_DELIVERY_SLOT] * deliveries)
    parts: list[LiteralString] = []
    if claimed:
        if not resources:
            return _CLAIM
        parts.append("claimed AS (" + _CLAIM + ")")
    if deliveries:
        source = _DELIVER_IF_CLAIMED if claimed else _ALWAYS
        parts.append("sent AS (" + _DELIVER.format(source=source.format(slots=sent)) + ")")
    source = _IF_CLAIMED if claimed else _ALWAYS
    write: LiteralString = _WRITE.format(source=source.format(slots=slots))
    if not parts:
        return write
    head: LiteralString = "WITH " + ", ".join(parts) + " "
    return head + write
