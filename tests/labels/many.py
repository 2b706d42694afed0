"""Many returns, runs of their labels, and what a scanner reads on the pages that come out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pypdfium2  # type: ignore[import-untyped]  # pypdfium2 ships no types.
import zxingcpp

from returns_portal.actor import Actor
from returns_portal.ids import new_rma
from returns_portal.jobs import JobContext
from returns_portal.labels import gathering, runs
from returns_portal.labels.content import LabelContent, Size
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.labels.run_reading import RunView, run_for
from returns_portal.labels.runs import Wanted
from tests.labels.prints import DPI
from tests.orders.samples import a_line
from tests.portal import Portal

DESK = Actor(kind="staff", id="0192f0c1-0000-7000-8000-000000000000", grants=frozenset({"support"}))
_CLONE = """
    WITH first AS (SELECT r.id FROM returns r WHERE r.rma = :rma),
    made AS MATERIALIZED (SELECT gen_random_uuid() AS id, rma FROM unnest(CAST(:rmas AS text[])) AS rma),
    copies AS (INSERT INTO returns SELECT c.* FROM made m, returns r, jsonb_populate_record(
        r, jsonb_build_object('id', m.id, 'rma', m.rma)) AS c WHERE r.id = (SELECT id FROM first)),
    lines AS (INSERT INTO return_line SELECT c.* FROM made m, return_line l, jsonb_populate_record(
        l, jsonb_build_object('id', gen_random_uuid(), 'return_id', m.id)) AS c
        WHERE l.return_id = (SELECT id FROM first))
    INSERT INTO label SELECT c.* FROM made m, label l, jsonb_populate_record(
        l, jsonb_build_object('id', gen_random_uuid(), 'return_id', m.id, 'code', m.rma)) AS c
        WHERE l.return_id = (SELECT id FROM first) RETURNING code
"""


class AtHand(LabelRenderer):
    """Makes what is asked of it here and now, and notes how many pieces; the process pool has a test of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    async def gather(self, pieces: Sequence[LabelContent | bytes], size: Size) -> bytes:
        self.asked.append(len(pieces))
        return gathering.gather(pieces, size)

    async def bind(self, parts: Sequence[str], target: str) -> int:
        return gathering.bind(parts, target)


async def returns(portal: Portal, count: int, *, number: str = "1001") -> list[str]:
    """So many returns with prepaid labels; their numbers."""
    line = a_line(quantity=count, unit_price=100, tax=0)
    order, lines = await portal.order(number=number, lines=[line])
    filed = await portal.file(order.number, (lines[0], 1))
    rmas = [new_rma() for _ in range(count - 1)]
    await portal.rows(_CLONE, rma=filed.rma, rmas=rmas)
    return [filed.rma, *rmas]


def wanted(rmas: Sequence[str], **changes: Any) -> Wanted:  # noqa: ANN401 - the fields of a wish
    """These returns, as they stand in a file from its second line on."""
    fields = {"rows": [(line, rma) for line, rma in enumerate(rmas, 2)], "size": "4x6", "source": "", **changes}
    return Wanted(**fields)


class Desk:
    """Somebody of the staff who has labels made, and the worker that makes them."""

    def __init__(self, portal: Portal, renderer: LabelRenderer | None = None) -> None:
        self.portal = portal
        self.renderer = renderer or AtHand()
        services = portal.context._services
        portal.context = JobContext(portal.begin, *services, self.renderer)

    async def start(self, wish: Wanted, *, occasion: str = "once") -> UUID:
        async with self.portal.begin() as db:
            return await runs.start(db, DESK, wish, wish=occasion)

    async def view(self, run_id: UUID) -> RunView:
        async with self.portal.begin() as db:
            return await run_for(db, DESK, run_id)

    async def part(self, run_id: UUID, number: int) -> bool:
        return await runs.make_part(self.portal.begin, self.renderer, run_id, number, sandbox=True)

    async def pdf(self, run_id: UUID) -> bytes:
        rows = await self.portal.rows("SELECT data FROM label_run_chunk WHERE run_id = :id ORDER BY number", id=run_id)
        return b"".join(bytes(row.data) for row in rows)

    async def problems(self, run_id: UUID) -> list[tuple[int, str]]:
        rows = await self.portal.rows(
            "SELECT line, problem FROM label_run_row WHERE run_id = :id AND problem <> '' ORDER BY position", id=run_id
        )
        return [(row.line, row.problem) for row in rows]


def codes_by_page(pdf: bytes | Path) -> list[set[str]]:
    """What a scanner reads on each page."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        found = []
        for page in document:
            image = page.render(scale=DPI / 72).to_pil().convert("L")
            found.append({code.text for code in zxingcpp.read_barcodes(image)})
            page.close()
        return found
    finally:
        document.close()


def labels_in(pdf: bytes | Path) -> list[str]:
    """The code of each page, of which there is exactly one."""
    found = codes_by_page(pdf)
    assert all(len(codes) == 1 for codes in found), found
    return [code for codes in found for code in codes]
