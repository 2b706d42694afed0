"""Measuring how long parcels travel and refunds take, so that a customer is told what is true of this shop today."""

from datetime import timedelta
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import Begin, run
from returns_portal.returns.whose import ADDRESS, LABELLED, WITH_GIFT

FEWEST: Final = 5
"""Of fewer parcels than this nothing is said: one that was late would make a rule."""
_LATELY: Final = timedelta(days=90)


class Expectation(msgspec.Struct, frozen=True):
    """What can be expected of a parcel, in whole days; None where too few were measured."""

    transit: int | None
    """From its first scan to its arrival."""
    usual_transit: int
    """The same, as the shop has set it for where nothing is known."""
    refund: int | None
    """From its arrival until the money is sent."""


# Rounded up, since who is told four days and waits three is not disappointed. A label whose parcel nobody followed is
# brought when it is checked in (`labels.sweeping`), and has no first scan. What the customer keeps never travels, and
# is refunded at once.
_MEASURE: Final = f"""
    WITH gone AS (DELETE FROM pace),
    transit AS (
        SELECT b.carrier AS subject, upper(coalesce({ADDRESS} ->> 'country', '')) AS country,
               extract(epoch FROM b.delivered_at - b.first_scan_at) / 86400 AS days
        FROM label b JOIN returns r ON r.id = b.return_id JOIN orders o ON o.id = r.order_id {WITH_GIFT}
        WHERE b.created_at > :since AND b.delivered_at > b.first_scan_at),
    refunds AS (
        SELECT f.destination AS subject, '' AS country,
               extract(epoch FROM f.settled_at - coalesce(least(b.delivered_at, p.checked_in_at), p.checked_in_at))
                   / 86400 AS days
        FROM refund f JOIN parcel p ON p.id = f.parcel_id JOIN returns r ON r.id = p.return_id
        LEFT JOIN label b ON b.return_id = {LABELLED} AND b.number = p.number AND b.status = 'delivered'
        WHERE f.kind = 'return' AND f.status = 'succeeded' AND f.settled_at > :since
          AND NOT EXISTS (SELECT FROM parcel_item i WHERE i.parcel_id = p.id AND i.condition = 'kept')),
    found AS (
        SELECT 'transit' AS kind, subject, coalesce(country, '') AS country, days, samples FROM (
            SELECT subject, country, percentile_cont(0.5) WITHIN GROUP (ORDER BY days) AS days, count(*) AS samples
            FROM transit WHERE country <> '' GROUP BY subject, country
            UNION ALL SELECT subject, NULL, percentile_cont(0.5) WITHIN GROUP (ORDER BY days), count(*)
            FROM transit GROUP BY subject) AS t
        UNION ALL SELECT 'refund', subject, '', percentile_cont(0.5) WITHIN GROUP (ORDER BY days), count(*)
        FROM refunds GROUP BY subject)
    SELECT kind, subject, country, CAST(least(365, greatest(0, ceil(days))) AS integer) AS days,
           CAST(samples AS integer) AS samples FROM found WHERE samples >= :fewest
"""  # noqa: S608 - the interpolated text is our own
_KEEP: Final = """
    INSERT INTO pace (kind, subject, country, days, samples, measured_at)
    SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:subjects AS text[]), CAST(:countries AS text[]),
        CAST(:days AS integer[]), CAST(:samples AS integer[]), CAST(:moments AS timestamptz[]))
    ON CONFLICT (kind, subject, country) DO UPDATE SET days = excluded.days, samples = excluded.samples,
        measured_at = excluded.measured_at
"""


async def measure(begin: Begin) -> int:
    """Measure the last three months anew; how many figures there are."""
    now = clock.now()
    async with begin() as db:
        found = await run(db, _MEASURE, since=now - _LATELY, fewest=FEWEST)
        await run(
            db,
            _KEEP,
            kinds=[row.kind for row in found],
            subjects=[row.subject for row in found],
            countries=[row.country for row in found],
            days=[row.days for row in found],
            samples=[row.samples for row in found],
            moments=[now for _row in found],
        )
    return len(found)


# The country's own figure before that of all countries.
_EXPECTED: Final = """
    SELECT (SELECT days FROM pace WHERE kind = 'transit' AND subject = :carrier AND country IN (:country, '')
            ORDER BY country DESC LIMIT 1) AS transit,
           (SELECT transit_days FROM carrier_policy) AS usual_transit,
           (SELECT days FROM pace WHERE kind = 'refund' AND subject = :destination AND country = '') AS refund
"""


async def expectation(db: AsyncConnection, carrier: str, country: str, destination: str) -> Expectation:
    """What a parcel of this carrier from this country can be expected to do, and a refund that goes there."""
    [row] = await run(db, _EXPECTED, carrier=carrier, country=country.upper(), destination=destination)
    return Expectation(*row)
