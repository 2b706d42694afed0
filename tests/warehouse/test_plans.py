"""How the database goes about what every scan asks."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import run
from returns_portal.warehouse.finding import last_check_in
from tests.portal import API, Portal
from tests.warehouse.dock import LIKE_NEW, two_shoes

pytestmark = pytest.mark.anyio

PARCELS = """
    INSERT INTO parcel SELECT (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'number', n))).*
    FROM parcel p, generate_series(2, 5000) AS n RETURNING id
"""


async def test_what_somebody_checked_in_last_is_found_by_its_index(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    await portal.receive(filed.rma, (shoes, 1, LIKE_NEW))
    told: list[str] = []

    async def explain(db: AsyncConnection, query: str, /, **values: object) -> Sequence[Any]:
        told.extend(row[0] for row in await run(db, f"EXPLAIN {query}", **values))
        return await run(db, query, **values)

    monkeypatch.setattr("returns_portal.warehouse.finding.run", explain)
    async with portal.begin() as db:
        await run(db, PARCELS)
        await run(db, "ANALYZE parcel")
        found = await last_check_in(db, API, clock.now().replace(year=2000))
        assert found is not None
        assert found.rma == filed.rma
        await run(db, "DELETE FROM parcel WHERE number > 1")
    plan = "\n".join(told)
    assert "ix_parcel_own" in plan
    assert "Seq Scan on parcel" not in plan
