"""Many labels in one file: in the order of the file, each once, whatever happens in between."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO

import pikepdf
import pytest

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ForbiddenError, InvalidError, NotFoundError
from returns_portal.ids import new_id
from returns_portal.labels import run_jobs, runs
from returns_portal.labels.actions import another
from returns_portal.labels.content import LabelContent, Size
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.labels.run_reading import KEPT_DAYS, list_runs, run_for
from tests.labels.carried import Carried
from tests.labels.many import DESK, AtHand, Desk, codes_by_page, labels_in, returns, wanted
from tests.portal import Portal, at_once

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BATCH", 3)


@pytest.fixture
def desk(portal: Portal) -> Desk:
    return Desk(portal)


async def test_every_page_is_the_label_of_its_row_in_the_order_of_the_file(portal: Portal, desk: Desk) -> None:
    rmas = await returns(portal, 7)
    run_id = await desk.start(wanted(rmas))
    await portal.work()
    run = await desk.view(run_id)
    assert (run.rows_done, run.labels, run.refused, run.percent) == (7, 7, 0, 100)
    pdf = await desk.pdf(run_id)
    assert labels_in(pdf) == rmas
    assert run.file_size == len(pdf)
    # The pieces have served.
    assert await portal.rows("SELECT number FROM label_run_part WHERE run_id = :id", id=run_id) == []
    assert isinstance(desk.renderer, AtHand)
    assert desk.renderer.asked == [3, 3, 1]


async def test_what_has_no_label_is_named_by_its_line_and_the_rest_is_made(portal: Portal, desk: Desk) -> None:
    good, cancelled, received, under_way, voided, expired = await returns(portal, 6)
    await portal.rows(
        "UPDATE returns SET status = 'cancelled', cancelled_at = now() WHERE rma = :r RETURNING 1", r=cancelled
    )
    await portal.rows("UPDATE returns SET status = 'received' WHERE rma = :r RETURNING 1", r=received)
    for rma, status in ((under_way, "in_transit"), (voided, "voided"), (expired, "expired")):
        await portal.rows("UPDATE label SET status = :s WHERE code = :r RETURNING 1", s=status, r=rma)
    rows = [
        cancelled,
        "R-0000-0000",
        good.lower().replace("-", " "),
        received,
        "",
        under_way,
        voided,
        expired,
        good,
        "<b>",
    ]
    run_id = await desk.start(wanted(rows))
    await portal.work()
    assert await desk.problems(run_id) == [
        (2, "cancelled"),
        (3, "unknown"),
        (5, "received"),
        (6, "missing"),
        (7, "under_way"),
        (8, "voided"),
        (9, "voided"),
        (10, "twice"),
        (11, "unknown"),
    ]
    run = await desk.view(run_id)
    assert (run.labels, run.refused, run.rows_done) == (1, 9, 10)
    assert labels_in(await desk.pdf(run_id)) == [good]


async def test_a_run_without_a_label_ends_without_a_file(portal: Portal, desk: Desk) -> None:
    run_id = await desk.start(wanted(["R-0000-0000"]))
    await portal.work()
    run = await desk.view(run_id)
    assert run.finished_at is not None
    assert (run.file_size, run.labels, run.refused) == (0, 0, 1)


class Dying(AtHand):
    """Its process is killed with the piece of this number in its hands."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    async def gather(self, pieces: Sequence[LabelContent | bytes], size: Size) -> bytes:
        if len(self.asked) == self.at:
            raise asyncio.CancelledError
        return await super().gather(pieces, size)


@pytest.mark.parametrize("at", [0, 1, 2])
async def test_after_a_crash_it_goes_on_without_a_gap_or_a_double(portal: Portal, desk: Desk, at: int) -> None:
    rmas = await returns(portal, 8)
    run_id = await desk.start(wanted(rmas))
    dying = Dying(at)
    for number in range(at + 1):
        call = runs.make_part(portal.begin, dying, run_id, number, sandbox=True)
        if number < at:
            assert await call
            continue
        with pytest.raises(asyncio.CancelledError):
            await call
    assert (await desk.view(run_id)).rows_done == 3 * at
    await portal.work()
    assert labels_in(await desk.pdf(run_id)) == rmas
    assert (await desk.view(run_id)).labels == 8


async def test_a_crash_before_the_file_is_kept_leaves_the_pieces(portal: Portal, desk: Desk) -> None:
    rmas = await returns(portal, 4)
    run_id = await desk.start(wanted(rmas))
    assert [await desk.part(run_id, number) for number in (0, 1)] == [True, True]

    class Broken(AtHand):
        async def bind(self, parts: Sequence[str], target: str) -> int:
            await super().bind(parts, target)
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        await runs.finish(portal.begin, Broken(), run_id)
    assert (await desk.view(run_id)).finished_at is None
    await portal.work()
    assert labels_in(await desk.pdf(run_id)) == rmas


async def test_two_workers_with_the_same_piece_keep_it_once(portal: Portal, desk: Desk) -> None:
    rmas = await returns(portal, 5)
    run_id = await desk.start(wanted(rmas))
    assert await at_once(*(desk.part(run_id, 0) for _ in range(3))) == [True] * 3
    assert (await desk.view(run_id)).labels == 3
    jobs = "SELECT args->>'number' AS n FROM procrastinate_jobs WHERE task_name = 'labels.make_part' ORDER BY id"
    assert [row.n for row in await portal.rows(jobs)] == ["0", "1"]
    await portal.work()
    assert labels_in(await desk.pdf(run_id)) == rmas
    await at_once(*(runs.finish(portal.begin, desk.renderer, run_id) for _ in range(2)))
    assert labels_in(await desk.pdf(run_id)) == rmas


async def test_a_second_click_is_the_same_run(portal: Portal, desk: Desk) -> None:
    rmas = await returns(portal, 2)
    first, second = await at_once(*(desk.start(wanted(rmas)) for _ in range(2)))
    assert first == second
    assert await desk.start(wanted(rmas), occasion="another day") != first
    await portal.work()
    async with portal.begin() as db:
        assert [run.labels for run in await list_runs(db, DESK)] == [2, 2]
    assert labels_in(await desk.pdf(first)) == rmas


async def test_two_runs_of_the_same_returns_make_each_lacking_label_once(portal: Portal, desk: Desk) -> None:
    rmas = await returns(portal, 4)
    await portal.rows("UPDATE label SET status = 'voided' RETURNING 1")
    await portal.rows("DELETE FROM label WHERE code = :rma RETURNING 1", rma=rmas[0])
    ids = [await desk.start(wanted(rmas, renew=True), occasion=name) for name in ("a", "b")]
    answers = await at_once(*(desk.part(run_id, 0) for run_id in ids))
    assert answers == [True, True]
    await portal.work()
    for run_id in ids:
        assert labels_in(await desk.pdf(run_id)) == rmas
    live = await portal.rows("SELECT r.rma, count(*) AS n FROM label b JOIN returns r ON r.id = b.return_id"
                             " WHERE b.status = 'bought' GROUP BY r.rma")  # fmt: skip
    assert {row.rma: row.n for row in live} == dict.fromkeys(rmas, 1)
    # Without being asked for new ones, a run makes one only where there never was any.
    await portal.rows("UPDATE label SET status = 'voided' RETURNING 1")
    await portal.rows(
        "DELETE FROM label WHERE return_id = (SELECT id FROM returns WHERE rma = :r) RETURNING 1", r=rmas[1]
    )
    run_id = await desk.start(wanted(rmas[:3]), occasion="c")
    await portal.work()
    assert await desk.problems(run_id) == [(2, "voided"), (4, "voided")]
    assert labels_in(await desk.pdf(run_id)) == [rmas[1]]
    told = await portal.rows("SELECT actor FROM history WHERE action = 'label_issued' ORDER BY at DESC LIMIT 1")
    assert told[0].actor == DESK.label


async def test_each_open_parcel_of_a_return_has_its_page(portal: Portal, desk: Desk) -> None:
    [rma, other] = await returns(portal, 2)
    [row] = await portal.rows("SELECT id FROM returns WHERE rma = :rma", rma=rma)
    async with portal.begin() as db:
        await another(db, DESK, rma)
    run_id = await desk.start(wanted([rma, other]))
    await portal.work()
    assert labels_in(await desk.pdf(run_id)) == [rma, f"{rma}-2", other]
    assert (await desk.view(run_id)).labels == 3
    await portal.rows(
        "UPDATE label SET status = 'delivered' WHERE return_id = :id AND number = 1 RETURNING 1", id=row.id
    )
    run_id = await desk.start(wanted([rma]), occasion="later")
    await portal.work()
    assert labels_in(await desk.pdf(run_id)) == [f"{rma}-2"]


def a_carriers_label(text: str, width: float = 288, height: float = 432) -> bytes:
    """A PDF with a frame around its page and some words."""
    file = BytesIO()
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(width, height))
        page.add_resource(
            pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica),
            pikepdf.Name.Font,
            pikepdf.Name.F1,
        )
        page.contents_add(f"2 2 {width - 4} {height - 4} re S BT /F1 20 Tf 30 30 Td ({text}) Tj ET".encode())
        pdf.save(file)
    return file.getvalue()


@pytest.mark.parametrize(("size", "paper"), [("4x6", (288, 432)), ("a4", (595.28, 841.89)), ("letter", (612, 792))])
async def test_a_carriers_label_is_put_in_as_it_is_on_the_paper_of_the_run(
    portal: Portal, desk: Desk, size: Size, paper: tuple[float, float]
) -> None:
    rmas = await returns(portal, 3)
    pdf = a_carriers_label("9405500208", 612, 792)
    await portal.rows(
        "UPDATE label SET carrier = 'easypost', pdf = :pdf, tracking = '94' WHERE code = :rma RETURNING 1",
        pdf=pdf,
        rma=rmas[1],
    )
    run_id = await desk.start(wanted(rmas, size=size))
    await portal.work()
    made = await desk.pdf(run_id)
    assert codes_by_page(made) == [{rmas[0]}, set(), {rmas[2]}]
    with pikepdf.open(BytesIO(made)) as whole:
        for page in whole.pages:
            assert [float(edge) for edge in page.mediabox][2:] == pytest.approx(paper, abs=0.1)
        assert len(whole.pages) == 3


async def test_a_run_waits_for_carriers_and_buys_nothing_itself(carried: Carried) -> None:
    carried.easypost.server.label = a_carriers_label("9405")
    await carried.rule("easypost")
    filed = [await carried.filed(number) for number in ("1001", "1002")]
    desk = Desk(carried.portal)
    run_id = await desk.start(wanted([each.rma for each in filed]))
    assert not await desk.part(run_id, 0)
    assert carried.easypost.server.calls.count("buy") == 0
    for each in filed:
        await carried.buy(each)
    await carried.portal.work()
    assert carried.easypost.server.calls.count("buy") == 2
    assert (await desk.view(run_id)).labels == 2
    assert codes_by_page(await desk.pdf(run_id)) == [set(), set()]


async def test_its_patience_ends_and_the_row_says_why(carried: Carried) -> None:
    await carried.rule("easypost")
    filed = await carried.filed()
    desk = Desk(carried.portal)
    run_id = await desk.start(wanted([filed.rma]))
    assert not await desk.part(run_id, 0)
    with clock.at(clock.now() + timedelta(minutes=11)):
        assert await desk.part(run_id, 0)
    assert await desk.problems(run_id) == [(2, "being_made")]


async def test_a_label_that_cannot_be_drawn_takes_no_other_with_it(portal: Portal, desk: Desk) -> None:
    rmas = await returns(portal, 5)
    await portal.rows("UPDATE label SET pdf = :pdf WHERE code = :rma RETURNING 1", pdf=b"%PDF-1.4 broken", rma=rmas[1])
    run_id = await desk.start(wanted(rmas))
    await portal.work()
    assert await desk.problems(run_id) == [(3, "not_drawn")]
    assert labels_in(await desk.pdf(run_id)) == [rmas[0], *rmas[2:]]


async def test_labels_of_a_run_are_drawn_in_a_process_of_their_own(portal: Portal) -> None:
    renderer = LabelRenderer(modest=True)
    desk = Desk(portal, renderer)
    rmas = await returns(portal, 4)
    run_id = await desk.start(wanted(rmas))
    try:
        await portal.work()
    finally:
        await renderer.stop()
    assert labels_in(await desk.pdf(run_id)) == rmas


async def test_a_run_that_stands_still_is_taken_up_and_an_old_one_deleted(portal: Portal, desk: Desk) -> None:
    rmas = await returns(portal, 4)
    run_id = await desk.start(wanted(rmas))
    await portal.rows("DELETE FROM procrastinate_jobs WHERE task_name = 'labels.make_part' RETURNING 1")
    assert await desk.part(run_id, 0)
    await portal.rows("DELETE FROM procrastinate_jobs WHERE task_name = 'labels.make_part' RETURNING 1")
    with clock.at(clock.now() + timedelta(minutes=31)):
        await at_once(run_jobs.mind(portal.begin), run_jobs.mind(portal.begin))
    await portal.work()
    assert labels_in(await desk.pdf(run_id)) == rmas
    with clock.at(clock.now() + timedelta(days=KEPT_DAYS, hours=1)):
        await run_jobs.mind(portal.begin)
    run = await desk.view(run_id)
    assert (run.labels, run.file_size) == (4, 0)
    assert run.gone_at is not None
    for table in ("label_run_row", "label_run_part", "label_run_chunk"):
        assert await portal.rows(f"SELECT 1 FROM {table} WHERE run_id = :id", id=run_id) == []  # noqa: S608 - our own tables


async def test_ten_thousand_rows_are_read_in_bounded_time_and_statements(
    portal: Portal, desk: Desk, monkeypatch: pytest.MonkeyPatch, statements: list[str]
) -> None:
    monkeypatch.setattr(runs, "BATCH", 100)
    [rma] = await returns(portal, 1)
    rows = [f"R-{place:04d}-0000" for place in range(9_999)]
    statements.clear()
    run_id = await desk.start(wanted([*rows, rma]))
    assert len(statements) <= 5
    assert len(statements) == len(set(statements))
    begun = clock.now()
    await portal.work()
    assert (clock.now() - begun).total_seconds() < 30
    run = await desk.view(run_id)
    assert (run.labels, run.refused, run.rows_done) == (1, 9_999, 10_000)
    assert labels_in(await desk.pdf(run_id)) == [rma]


async def test_who_may_and_what_may_not_be(portal: Portal) -> None:
    async with portal.begin() as db:
        for actor in (Actor(kind="customer"), Actor(kind="staff", id="f", grants=frozenset({"finance"}))):
            with pytest.raises(ForbiddenError):
                await runs.start(db, actor, wanted(["R-0000-0000"]), wish="x")
        with pytest.raises(ForbiddenError):
            await list_runs(db, Actor(kind="customer"))
        with pytest.raises(InvalidError, match="no return in it"):
            await runs.start(db, DESK, wanted([]), wish="x")
        with pytest.raises(InvalidError, match="more than 20000"):
            await runs.start(db, DESK, wanted(["x"] * 20_001), wish="x")
        with pytest.raises(NotFoundError):
            await run_for(db, DESK, new_id())
