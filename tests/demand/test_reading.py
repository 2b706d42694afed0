"""Other shops from a file: all lines or none, and every wrong one is named."""

from collections.abc import AsyncIterator

import pytest
from httpx import Response

from returns_portal.web.signing import CSRF_COOKIE
from tests.demand.things import LINK, stock
from tests.portal import Portal
from tests.returns.visits import sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

HEAD = "product,size,shop,url,price,currency,seen_on"
GOOD = f"boot,43,Kestrel,{LINK},179.90,EUR,2026-11-01"


@pytest.fixture
async def desk(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    await stock(portal)
    async with browsing(portal.settings, database_url) as client:
        await sign_in(client, portal, "olga@shop.example", "support")
        await client.get("/staff/elsewhere")
        yield client


async def upload(desk: Browser, content: bytes) -> Response:
    return await desk.post(
        "/staff/elsewhere/file",
        data={"_csrf_token": desk.cookies[CSRF_COOKIE]},
        files={"file": ("elsewhere.csv", content, "text/csv")},
    )


async def test_a_file_is_taken_in_and_again_brings_it_up_to_date(desk: Browser, portal: Portal) -> None:
    for price in ("179.90", "169.90"):
        lines = [HEAD, GOOD.replace("179.90", price), GOOD.replace("43", "", 1).replace("Kestrel", "Other")]
        answer = await upload(desk, ("\ufeff" + "\r\n".join(lines)).encode())
        assert answer.headers["location"] == "/staff/elsewhere"
    assert "2 lines were taken in." in words(await desk.get("/staff/elsewhere"))
    rows = await portal.rows("SELECT shop, size, price FROM elsewhere ORDER BY shop")
    assert [tuple(row) for row in rows] == [("Kestrel", "43", 16990), ("Other", "", 17990)]


async def test_one_wrong_line_takes_all_back(desk: Browser, portal: Portal) -> None:
    lines = [
        HEAD,
        GOOD,
        "",
        GOOD.replace("boot", "nothing", 1),
        GOOD.replace("https", "http"),
        GOOD.replace("179.90", "much"),
        GOOD.replace("179.90", ""),
        GOOD.replace("EUR", "euro"),
        GOOD.replace("2026-11-01", "soon"),
        GOOD.replace("179.90", "99999999999999999.90"),
        GOOD.replace("boot", "bo\0ot", 1),
    ]
    answer = await upload(desk, "\n".join(lines).encode())
    said = words(answer)
    assert answer.status_code == 422
    assert "Nothing was taken in" in said
    assert "Line 2:" not in said
    assert "Line 3:" not in said
    assert [f"Line {line}:" in said for line in range(4, 12)] == [True] * 8
    assert await portal.rows("SELECT id FROM elsewhere") == []


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"product,shop\nboot,x", b'"', b"\n".join([HEAD.encode(), *[b"x"] * 2001]), b"x" * 1_000_001],
)
async def test_what_is_no_such_file_is_refused(desk: Browser, portal: Portal, content: bytes) -> None:
    answer = await upload(desk, content)
    assert (answer.status_code, 'id="file-error"' in answer.text) == (422, True)
    assert await portal.rows("SELECT id FROM elsewhere") == []
