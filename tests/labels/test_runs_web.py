"""Staff's pages of runs: a file is sent, or what the list shows is taken; progress, refusals, the download."""

from collections.abc import AsyncIterator

import pytest
from httpx import Response

from returns_portal.ids import new_id
from returns_portal.labels import runs
from returns_portal.labels.run_files import MAX_BYTES
from returns_portal.web.signing import CSRF_COOKIE
from tests.labels.many import DESK, Desk, labels_in, returns, wanted
from tests.portal import Portal, at_once
from tests.webclient import Browser, browsing, send, staff_signs_in

pytestmark = pytest.mark.anyio

HERE = "/staff/labels/runs"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def upload(browser: Browser, content: bytes, **fields: str) -> Response:
    given = {"size": "4x6", "token": "one form", "_csrf_token": browser.cookies[CSRF_COOKIE], **fields}
    return await browser.post(HERE, data=given, files={"file": ("returns.csv", content, "text/csv")})


def csv_of(rmas: list[str], end: str = "\r\n") -> bytes:
    return ("\ufeff" + end.join(["customer,rma", *(f'"Ana, {rma}",{rma}' for rma in rmas)]) + end).encode()


async def test_a_file_becomes_a_run_whose_page_tells_how_far_it_is(portal: Portal, browser: Browser) -> None:
    Desk(portal)
    rmas = await returns(portal, 3)
    await staff_signs_in(browser, portal.begin, "warehouse")
    assert "No runs yet" in (await browser.get(HERE)).text
    answer = await upload(browser, csv_of([rmas[0], "R-0000-0000", *rmas[1:]]))
    assert answer.status_code == 303
    run = answer.headers["location"]
    page = await browser.get(run)
    assert page.headers["refresh"] == "3"
    assert "0 of 4 returns" in page.text
    assert (await browser.get(f"{run}/file")).status_code == 409
    await portal.work()
    page = await browser.get(run)
    assert "refresh" not in page.headers
    assert "Your labels are ready" in page.text
    assert "3 labels, 1 return without one" in page.text
    assert "There is no return with this number." in page.text
    assert '<td class="n">3</td>' in page.text
    assert "Mira" in (await browser.get(HERE)).text
    file = await browser.get(f"{run}/file")
    assert (file.status_code, file.headers["cache-control"]) == (200, "no-store")
    assert file.headers["content-length"] == str(len(file.content))
    assert labels_in(file.content) == rmas


async def test_the_same_form_sent_twice_is_one_run_and_another_is_another(portal: Portal, browser: Browser) -> None:
    rmas = await returns(portal, 2)
    await staff_signs_in(browser, portal.begin, "support")
    first, second = await at_once(*(upload(browser, csv_of(rmas)) for _ in range(2)))
    assert first.headers["location"] == second.headers["location"]
    for change in ({"token": "another"}, {"size": "a4"}, {"renew": "yes"}):
        assert (await upload(browser, csv_of(rmas), **change)).headers["location"] != first.headers["location"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Please choose a file"),
        (b"\n", "The file is empty."),
        (b"rma\n", "There is no return in it"),
        (b"number\nR-1\n", "The file lacks the columns rma."),
        (b"rma;name\nR-1;x\n", "not separated by commas"),
        ("rma\nR-é\n".encode("latin-1"), "not UTF-8 at line 2"),
        (b'rma\n"R-1\n', "not well-formed CSV at line 2"),
        (b"rma\n" + b"R-1\n" * (runs.MOST_ROWS + 1), "These are more than 20000 returns."),
        (b"rma,x\n" + b"R-1,1234567890123456789\n" * 208_500, "This file has more than 5 MB."),
    ],
    ids=["none", "blank", "no rows", "no column", "semicolons", "latin-1", "broken", "too many", "too large"],
)
async def test_a_file_that_cannot_be_read_is_told_at_its_field(
    portal: Portal, browser: Browser, content: bytes, said: str
) -> None:
    assert len(content) < MAX_BYTES or "MB" in said
    await staff_signs_in(browser, portal.begin, "support")
    answer = await upload(browser, content, size="a4", renew="yes")
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-describedby="file-error"' in answer.text
    # What else was chosen stays.
    assert '<option value="a4" selected>' in answer.text
    assert 'value="yes" checked' in answer.text
    assert await portal.rows("SELECT id FROM label_run") == []


async def test_a_paper_that_there_is_not_is_told(portal: Portal, browser: Browser) -> None:
    await staff_signs_in(browser, portal.begin, "support")
    answer = await upload(browser, b"rma\nR-1\n", size="a3")
    assert answer.status_code == 422
    assert "Please choose one of the papers." in answer.text


async def test_what_the_list_shows_becomes_a_run_as_far_as_it_waits_to_be_sent(
    portal: Portal, browser: Browser
) -> None:
    Desk(portal)
    rmas = await returns(portal, 4)
    await portal.rows("UPDATE label SET status = 'in_transit' WHERE code = :rma RETURNING 1", rma=rmas[3])
    await portal.rows("UPDATE label SET status = 'sent' WHERE code = :rma RETURNING 1", rma=rmas[2])
    await staff_signs_in(browser, portal.begin, "support")
    assert f"{HERE}/shown" in (await browser.get("/staff/labels")).text
    assert f"{HERE}/shown" not in (await browser.get("/staff/labels?show=in_transit")).text
    for chosen, expected in (("", rmas[:3]), ("sent", [rmas[2]])):
        fields = {"show": chosen, "size": "a4", "token": "x"}
        answers = [await send(browser, f"{HERE}/shown", fields) for _ in range(2)]
        assert len({answer.headers["location"] for answer in answers}) == 1
        await portal.work()
        file = await browser.get(answers[0].headers["location"] + "/file")
        assert sorted(labels_in(file.content)) == sorted(expected)
    none = await send(browser, f"{HERE}/shown", {"show": "stuck", "size": "a4", "token": "x"})
    assert none.headers["location"] == "/staff/labels?show=stuck"
    assert "nothing to print" in (await browser.get("/staff/labels?show=stuck")).text


async def test_customers_see_no_runs_and_finance_begins_none(portal: Portal, browser: Browser) -> None:
    rmas = await returns(portal, 1)
    Desk(portal)
    async with portal.begin() as db:
        run_id = await runs.start(db, DESK, wanted(rmas), wish="x")
    await portal.work()
    for path in (HERE, f"{HERE}/{run_id}", f"{HERE}/{run_id}/file"):
        answer = await browser.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
    await staff_signs_in(browser, portal.begin, "finance")
    assert (await browser.get(f"{HERE}/{run_id}/file")).status_code == 200
    assert "Make the labels" not in (await browser.get(HERE)).text
    assert (await upload(browser, csv_of(rmas))).status_code == 403
    assert (await send(browser, f"{HERE}/shown", {"size": "a4"})).status_code == 403
    assert (await browser.get(f"{HERE}/{new_id()}")).status_code == 404
