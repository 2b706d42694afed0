"""The pages of claims, over HTTP: a customer tells with photos, support decides, nobody else sees anything."""

from collections.abc import AsyncIterator, Mapping
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from httpx import Response
from PIL import Image

from returns_portal.accounts import actions as accounts
from returns_portal.actor import SYSTEM
from returns_portal.db import run
from returns_portal.ids import new_id
from returns_portal.web.signing import CSRF_COOKIE
from tests.claims.things import SHOE, delivered, standing
from tests.portal import Portal
from tests.refunds.samples import paid_by_gateway
from tests.returns.visits import come_in, post, sign_in, value, words
from tests.webclient import Browser, add_order, browsing

pytestmark = pytest.mark.anyio

NEW = "/claims/new/1001"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


def picture() -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 48), "brown").save(out, "JPEG", comment=b"made at home")
    return out.getvalue()


async def upload(browser: Browser, path: str, fields: Mapping[str, Any], *files: bytes) -> Response:
    return await browser.post(
        path,
        data={"_csrf_token": browser.cookies[CSRF_COOKIE], **fields},
        files=[("photos", (f"{index}.jpg", data, "image/jpeg")) for index, data in enumerate(files or (b"",))],
    )


async def told(browser: Browser, units: Mapping[UUID, int], *files: bytes, **fields: str) -> Response:
    """Open the form and send it."""
    seen = await browser.get(NEW)
    chosen = {"line": [str(line_id) for line_id in units]}
    counts = {f"quantity-{line_id}": str(count) for line_id, count in units.items()}
    typed = {"token": value(seen, "token"), "kind": "damaged", "remedy": "refund", **chosen, **counts, **fields}
    return await upload(browser, NEW, typed, *files)


async def test_a_customer_tells_with_photos_and_support_refunds_it(browser: Browser, portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    await come_in(browser, portal, "1001")
    assert "/claims/new/1001" in (await browser.get("/orders/1001")).text
    answer = await told(browser, {shoes: 1}, picture(), picture(), said="A tear <b>")
    assert answer.status_code == 303
    path = answer.headers["location"]
    page = await browser.get(path)
    said = words(page)
    assert "Thank you for telling us." in said
    assert "It arrived damaged" in said
    assert "A tear <b>" in said
    [one, _two] = await portal.rows("SELECT id, data FROM item_claim_photo ORDER BY id")
    photo = await browser.get(f"{path}/photos/{one.id}")
    assert photo.headers["content-type"] == "image/jpeg"
    assert b"made at home" not in photo.content
    assert "What you told us of" in words(await browser.get("/orders/1001"))
    # Support sees it in the queue, and decides.
    await sign_in(browser, portal, "s@shop.example", "support")
    assert "It arrived damaged: My money back" in words(await browser.get("/claims"))
    assert "Choose what becomes of it." in words(await post(browser, f"{path}/decision", {"answer": "typed"}))
    refused = await post(browser, f"{path}/decision", {"decision": "refusal", "answer": ""})
    assert (refused.status_code, "Say why: the customer reads the reason." in words(refused)) == (422, True)
    reduced = await post(browser, f"{path}/decision", {"decision": "reduction", "amount": "lots", "answer": "Sorry"})
    assert reduced.status_code == 422
    assert "Give an amount in EUR" in words(reduced)
    assert "Sorry" in reduced.text
    verdict = {"decision": "refund", "answer": "We are sorry for the tear."}
    await post(browser, f"{path}/decision", verdict)
    await portal.work()
    # What a pair of shoes costs is above the limit of one person, so finance approves it.
    assert "This is above the limit of one person" in words(await browser.get("/claims?status=approving"))
    assert (await post(browser, f"{path}/decision", verdict)).headers["location"] == path
    assert "This was decided already." in words(await browser.get(path))
    # Until then, the customer is told of no decision.
    await come_in(browser, portal, "1001")
    said = words(await browser.get(path))
    assert "We look at it" in said
    assert "We decided" not in said
    await sign_in(browser, portal, "f@shop.example", "finance")
    [waiting] = await portal.rows("SELECT id FROM goodwill")
    await post(browser, f"/finance/approvals/{waiting.id}/approval")
    await portal.work()
    assert (await paid_by_gateway(portal, "1001"))[1] == SHOE
    await come_in(browser, portal, "1001")
    said = words(await browser.get(path))
    assert "We are sorry for the tear." in said
    assert "We decided to give you your money back" in said
    assert "See where the money stands" in said


async def test_what_is_wrong_with_the_form_is_said_with_everything_typed(browser: Browser, portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    await come_in(browser, portal, "1001")
    answer = await told(browser, {}, said="The sole is off", kind="", remedy="")
    assert answer.status_code == 422
    said = words(answer)
    for sentence in ("Choose at least one item.", "Say what is wrong.", "Say what you would like."):
        assert sentence in said
    assert "The sole is off" in answer.text
    answer = await told(browser, {shoes: 1}, kind="missing", remedy="reduction")
    assert "What did not arrive cannot be kept for less." in words(answer)
    answer = await told(browser, {shoes: 9})
    assert (answer.status_code, "at most 2" in words(answer)) == (422, True)
    assert await portal.rows("SELECT id FROM item_claim") == []


async def test_a_broken_photo_holds_nothing_up_and_can_be_sent_again(browser: Browser, portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    await come_in(browser, portal, "1001")
    answer = await told(browser, {shoes: 1}, b"no picture", picture())
    path = answer.headers["location"]
    assert "This is no photo that can be read." in words(await browser.get(path))
    assert len(await portal.rows("SELECT id FROM item_claim_photo")) == 1
    await upload(browser, f"{path}/photos", {}, picture(), picture())
    assert "The 2 photos are kept." in words(await browser.get(path))
    await upload(browser, f"{path}/photos", {})
    assert "Please choose a photo first." in words(await browser.get(path))
    assert len(await portal.rows("SELECT id FROM item_claim_photo")) == 3


async def test_a_form_sent_twice_is_one_claim(browser: Browser, portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    await come_in(browser, portal, "1001")
    token = value(await browser.get(NEW), "token")
    fields = {"token": token, "kind": "faulty", "remedy": "replacement", "line": str(shoes)}
    first, second = [await upload(browser, NEW, fields) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    assert len(await portal.rows("SELECT id FROM item_claim")) == 1
    assert (await portal.mails()) == ["claim_received"]


async def test_it_can_be_taken_back_until_it_is_decided(browser: Browser, portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    await come_in(browser, portal, "1001")
    path = (await told(browser, {shoes: 1})).headers["location"]
    for _twice in range(2):
        await post(browser, f"{path}/withdrawal")
        assert "Withdrawn by you" in words(await browser.get(path))
    assert await standing(portal, UUID(path.rpartition("/")[2])) == "withdrawn"


async def test_nobody_else_sees_it(browser: Browser, portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    await come_in(browser, portal, "1001")
    path = (await told(browser, {shoes: 1}, picture())).headers["location"]
    [photo] = await portal.rows("SELECT id FROM item_claim_photo")
    async with portal.begin() as db:
        await add_order(db, "1002", "other@example.com")
    await come_in(browser, portal, "1002")
    for asked in (path, f"{path}/photos/{photo.id}", NEW):
        assert (await browser.get(asked)).status_code == 404
    for sent in (f"{path}/withdrawal", f"{path}/photos", NEW):
        assert (await upload(browser, sent, {}, picture())).status_code == 404
    assert (await browser.get("/claims")).headers["location"].startswith("/sign-in")
    browser.cookies.clear()
    assert (await browser.get(path)).headers["location"].startswith("/?next=%2Fclaims%2F")
    assert (await browser.get(f"{path}/photos/{photo.id}")).status_code == 404
    await sign_in(browser, portal, "w@shop.example", "warehouse")
    assert (await browser.get("/claims")).status_code == 403


async def test_an_order_whose_time_is_over_says_so(browser: Browser, portal: Portal) -> None:
    await delivered(portal, days=900)
    await come_in(browser, portal, "1001")
    assert "The two years in which this could be claimed ended" in words(await browser.get(NEW))


async def test_the_queue_has_pages_and_an_end(browser: Browser, portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    await sign_in(browser, portal, "s@shop.example", "support")
    assert "No claim is here" in words(await browser.get("/claims"))
    async with portal.begin() as db:
        [order] = await run(db, "SELECT id FROM orders")
        for _each in range(51):
            await run(
                db,
                "INSERT INTO item_claim (id, order_id, kind, remedy, said, status, answer, filed_by, filed_at,"
                " changed_at) VALUES (:id, :order_id, 'faulty', 'refund', '', 'filed', '', 'test', now(), now())",
                id=new_id(),
                order_id=order.id,
            )
        await run(
            db,
            "INSERT INTO item_claim_line (id, claim_id, order_line_id, quantity, reduced)"
            " SELECT gen_random_uuid(), id, :line, 1, 0 FROM item_claim",
            line=shoes,
        )
    first = await browser.get("/claims")
    assert first.text.count("<article") == 50
    after = first.text.split("after=")[1].split('"')[0]
    assert (await browser.get(f"/claims?status=filed&after={after}")).text.count("<article") == 1


async def test_programs_read_claims(browser: Browser, portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    await come_in(browser, portal, "1001")
    path = (await told(browser, {shoes: 2}, picture(), said="Wet")).headers["location"]
    async with portal.begin() as db:
        key = await accounts.create_api_key(db, SYSTEM, "reader", ["returns:read"])
        other = await accounts.create_api_key(db, SYSTEM, "other", ["orders:read"])
    headers = {"Authorization": f"Bearer {key}"}
    [item] = (await browser.get("/api/v1/claims?status=filed", headers=headers)).json()["items"]
    assert (item["kind"], item["status"], item["said"], item["rma"]) == ("damaged", "filed", "Wet", None)
    assert [(line["sku"], line["quantity"]) for line in item["items"]] == [("KE-42", 2)]
    assert (await browser.get(f"/api/v1{path}", headers=headers)).json() == item
    photo = await browser.get(item["photos"][0], headers=headers)
    assert photo.headers["content-type"] == "image/jpeg"
    assert (await browser.get("/api/v1/claims?status=none", headers=headers)).status_code == 422
    assert (await browser.get("/api/v1/claims", headers={"Authorization": f"Bearer {other}"})).status_code == 403
