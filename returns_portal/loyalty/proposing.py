"""Whom to surprise: decided for each parcel that waits to be packed, before anybody at the table can see who it is.

Who is left out by lot has a row, too, at the moment at which it was their turn: so both groups are those who would have
got something, whatever became of it at the table, and only the lot tells them apart.
"""

import secrets
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import Begin, Rows, insert_rows, run
from returns_portal.ids import new_id
from returns_portal.loyalty.models import Surprise, SurpriseStatus
from returns_portal.loyalty.queries import occasions, programme, standings
from returns_portal.loyalty.rules import Programme, affordable, month_of
from returns_portal.shop.queries import current

_BATCH: Final = 100
_PERCENT: Final = 100

# What the receiver of a gift gets in exchange is not packed for who bought it.
WAITING: Final = """
    SELECT 'trial' AS subject, t.id, t.order_id, t.number, t.status = 'authorised' AS open
    FROM trial t WHERE t.status IN ('authorised', 'packed')
    UNION ALL SELECT 'exchange', x.id, x.order_id, x.number, true
    FROM exchange x JOIN returns r ON r.id = x.return_id WHERE x.status = 'to_send' AND r.gift_id IS NULL
    UNION ALL SELECT 'replacement', n.id, n.order_id, n.number, true FROM replacement n WHERE n.status = 'to_send'
"""
"""The parcels that have not left; `open` are those into which something can still be put."""
_LAPSE: Final = f"""
    UPDATE surprise SET status = 'lapsed', decided_at = :now
    WHERE status = 'proposed' AND subject_id NOT IN (SELECT id FROM ({WAITING}) AS w)
"""  # noqa: S608 - the interpolated text is our own
_DUE: Final = f"""
    SELECT o.email_key, w.order_id, w.subject, w.id AS subject_id
    FROM ({WAITING}) AS w JOIN orders o ON o.id = w.order_id
    WHERE w.open AND o.email_key <> '' AND (o.email_key, w.id) > (:key, :id) AND o.erased_at IS NULL AND NOT EXISTS (
        SELECT FROM surprise s WHERE s.subject_id = w.id OR (s.email_key = o.email_key
            AND s.proposed_at > CAST(:now AS timestamptz) - make_interval(days => :days)))
    ORDER BY o.email_key, w.id LIMIT :limit
"""  # noqa: S608 - as above
_SPENT: Final = """
    SELECT CAST(coalesce(sum(cost), 0) AS bigint) AS cost FROM surprise
    WHERE month = :month AND currency = :currency AND status = ANY(:statuses)
"""


async def propose(begin: Begin) -> int:
    """Propose what can be, to be seen at the packing table; how many surprises there are of it, those left out too."""
    async with begin() as db:
        rules = await programme(db, lock=True)
        await run(db, _LAPSE, now=clock.now())
        if not rules.surprises or not rules.costs:
            return 0
        due = await _due(db, rules)
        left_out = await drawn(db, rules, [parcel["email_key"] for parcel in due])
        table, rows = await _chosen(db, rules, due, left_out)
        await insert_rows(db, (table, rows))
        return len(rows)


async def _due(db: AsyncConnection, rules: Programme) -> list[dict[str, Any]]:
    """Whose turn it is, about a batch of them, each with the first parcel for which it is: by level, or by an occasion.

    All others stand in nobody's way, however many wait before them.
    """
    due: dict[str, dict[str, Any]] = {}
    after: tuple[str, UUID] | None = ("", UUID(int=0))
    while after is not None and len(due) < _BATCH:
        values = {"key": after[0], "id": after[1], "days": rules.every_days}
        found = await run(db, _DUE, now=clock.now(), limit=_BATCH, **values)
        stand = await standings(db, rules, [row.email_key for row in found])
        cheers = await occasions(db, rules, [row.order_id for row in found])
        for row in found:
            if stand[row.email_key].level >= rules.from_level or row.order_id in cheers:
                due.setdefault(row.email_key, {**row._asdict(), "occasion": cheers.get(row.order_id)})
        after = (found[-1].email_key, found[-1].subject_id) if len(found) == _BATCH else None
    return list(due.values())


async def spent(db: AsyncConnection, rules: Programme, zone: str, *, promised: bool) -> int:
    """What this month has cost, in minor units; with `promised`, what lies at the table undecided counts, too."""
    statuses = [SurpriseStatus.GIVEN.value, *([SurpriseStatus.PROPOSED.value] if promised else [])]
    month = month_of(clock.now(), zone)
    [row] = await run(db, _SPENT, month=month, currency=rules.currency, statuses=statuses)
    return int(row.cost)


async def _chosen(db: AsyncConnection, rules: Programme, due: list[dict[str, Any]], left_out: frozenset[str]) -> Rows:
    """One surprise for each, at random among what the budget still pays for; no rows where it pays for nothing."""
    zone = (await current(db)).timezone
    left = rules.budget - await spent(db, rules, zone, promised=True)
    rows = []
    for parcel in due:
        kinds = affordable(rules.costs, left)
        if not kinds:
            break
        kind = secrets.choice(kinds)
        withheld = parcel["email_key"] in left_out
        left -= 0 if withheld else rules.costs[kind]
        rows.append(
            {
                **parcel,
                "id": new_id(),
                "kind": kind,
                "status": SurpriseStatus.WITHHELD if withheld else SurpriseStatus.PROPOSED,
                "currency": rules.currency,
                "cost": rules.costs[kind],
                "month": month_of(clock.now(), zone),
                "proposed_at": clock.now(),
            }
        )
    return Surprise, rows


_DRAW: Final = """
    INSERT INTO loyalty_member (email_key, control, drawn_at)
    SELECT key, control, :now FROM unnest(CAST(:keys AS text[]), CAST(:lots AS boolean[])) AS drawn (key, control)
    ON CONFLICT (email_key) DO NOTHING
"""
_LEFT_OUT: Final = "SELECT email_key FROM loyalty_member WHERE email_key = ANY(:keys) AND control"


async def drawn(db: AsyncConnection, rules: Programme, keys: list[str]) -> frozenset[str]:
    """Those of them who are left out; who was never drawn is drawn now."""
    lots = [secrets.randbelow(_PERCENT) < rules.control_percent for _key in keys]
    await run(db, _DRAW, keys=keys, lots=lots, now=clock.now())
    return frozenset(row.email_key for row in await run(db, _LEFT_OUT, keys=keys))
