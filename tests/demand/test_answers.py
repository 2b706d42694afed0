"""Support answers what people look for: with another shop, or with words; by e-mail, or in the thread of a question."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from returns_portal.demand import asking
from returns_portal.demand.answering import Reply, answer
from returns_portal.demand.asking import Asked
from returns_portal.demand.links import request_path
from returns_portal.demand.listing import Which, list_requests
from returns_portal.demand.models import Source, State
from returns_portal.demand.places import remove_place
from returns_portal.demand.queries import request_for
from returns_portal.errors import ConflictError, ForbiddenError, NotFoundError
from tests.demand.things import LINK, STRANGER, SUPPORT, hire, one, place, stock, today
from tests.portal import Portal, at_once
from tests.returns.visits import post, sign_in, value, words
from tests.service.things import asks, open_shop, writes
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

QUEUE = "/staff/requests"
NEW_SHOP = {
    "shop": "Andere",
    "url": "https://andere.example/b",
    "price": "99",
    "currency": "EUR",
    "seen_on": "2026-11-01",
}


@pytest.fixture
async def desk(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    await open_shop(portal)
    await stock(portal)
    async with browsing(portal.settings, database_url) as client:
        await sign_in(client, portal, "olga@shop.example", "support")
        yield client


async def asked(portal: Portal, **more: Any) -> UUID:  # noqa: ANN401 - fields
    given: dict[str, Any] = {"product": "boot", "size": "43", "email": "ana@example.com", "consent": "yes"}
    wish = Asked(source=Source.PRODUCT, locale="de", **(given | more))
    async with portal.begin() as db:
        return await asking.ask(db, STRANGER, portal.settings, wish)


async def last_mail(portal: Portal) -> Any:  # noqa: ANN401 - a row
    return (await portal.rows("SELECT template, recipient, locale, values FROM email ORDER BY id DESC LIMIT 1"))[0]


async def test_the_queue_has_what_is_open_the_longest_waiting_first(desk: Browser, portal: Portal) -> None:
    assert "Nobody waits for an answer" in words(await desk.get(QUEUE))
    await asked(portal)
    second = await asked(portal, product="", what="Gloves", size="", email="")
    page = words(await desk.get(QUEUE))
    assert page.index("Chelsea <Boot>, Size 43") < page.index("Gloves")
    # By the shop's clock it may be the next month already.
    months = f"from={today():%Y-%m}&to={today() + timedelta(days=31):%Y-%m}"
    assert "Gloves" in words(await desk.get(f"{QUEUE}?what=gloves&{months}"))
    assert "No request is here" in words(await desk.get(f"{QUEUE}?what=gloves&from=2026-01&to=2026-02"))
    page = words(await desk.get(f"{QUEUE}?product=boot&size=43"))
    assert ("Size 43" in page, "Gloves" in page) == (True, False)
    await post(desk, f"{QUEUE}/{second}/answer", {"state": "declined"})
    assert "Gloves" not in words(await desk.get(QUEUE))
    assert "Gloves" in words(await desk.get(f"{QUEUE}?show=answered"))
    assert (await desk.get(f"{QUEUE}?from=soon")).status_code == 422


async def test_another_shop_of_the_list_goes_by_mail_in_the_customers_language(desk: Browser, portal: Portal) -> None:
    request_id, place_id = await asked(portal), await place(portal)
    page = await desk.get(f"{QUEUE}/{request_id}")
    assert "Kestrel & Sons, €179.90" in words(page)
    assert not re.search(r'name="(state|place)"[^>]* checked', page.text)
    sent = {"state": "elsewhere", "place": str(place_id), "words": "Viel Freude!"}
    for _twice in range(2):
        assert (await post(desk, f"{QUEUE}/{request_id}/answer", sent)).headers["location"] == QUEUE
    mail = await last_mail(portal)
    assert (mail.template, mail.recipient, mail.locale) == ("request_answered", "ana@example.com", "de")
    [shop] = mail.values["shops"]
    assert (shop["shop"], shop["price"]) == ("Kestrel & Sons", "179,90\N{NO-BREAK SPACE}€")
    assert mail.values["words"] == "Viel Freude!"
    assert LINK not in str(mail.values)
    assert (await portal.mails()).count("request_answered") == 1
    path = shop["href"].removeprefix(portal.settings.public_url)
    assert (await desk.get(path)).headers["location"] == LINK
    referral = await one(portal, "SELECT shown, request_id, followed_at FROM referral WHERE shown = 'mail'")
    assert referral.request_id == request_id
    assert referral.followed_at is not None
    said = words(await desk.get(f"{QUEUE}/{request_id}"))
    assert "Answered by Mira" in said
    assert "Viel Freude!" in said


@pytest.mark.parametrize(("keep", "listed"), [("", False), ("yes", True)])
async def test_a_new_one_can_be_kept(desk: Browser, portal: Portal, keep: str, listed: bool) -> None:
    request_id = await asked(portal)
    sent = {"state": "elsewhere", **NEW_SHOP, "keep": keep}
    assert (await post(desk, f"{QUEUE}/{request_id}/answer", sent)).status_code == 303
    row = await one(portal, "SELECT listed, size, price, url FROM elsewhere")
    assert tuple(row) == (listed, "43", 9900, "https://andere.example/b")
    assert ("Andere" in words(await desk.get("/staff/elsewhere"))) is listed
    # Who goes there is counted either way.
    href = (await last_mail(portal)).values["shops"][0]["href"].removeprefix(portal.settings.public_url)
    assert (await desk.get(href)).headers["location"] == "https://andere.example/b"


async def test_for_what_is_no_product_of_ours_it_is_named_once(desk: Browser, portal: Portal) -> None:
    request_id = await asked(portal, product="", what="Gloves")
    await post(desk, f"{QUEUE}/{request_id}/answer", {"state": "elsewhere", **NEW_SHOP, "keep": "yes"})
    assert (await one(portal, "SELECT listed FROM elsewhere")).listed is False
    assert "Andere" in words(await desk.get(f"{QUEUE}/{request_id}"))


async def test_who_left_no_address_was_sent_nowhere_by_a_person(desk: Browser, portal: Portal) -> None:
    request_id = await asked(portal, email="", consent="")
    place_id = await place(portal)
    assert "Keep this" in words(await desk.get(f"{QUEUE}/{request_id}"))
    await post(desk, f"{QUEUE}/{request_id}/answer", {"state": "elsewhere", "place": str(place_id)})
    assert (await one(portal, "SELECT state FROM product_request")).state == "elsewhere"
    assert not await portal.rows("SELECT id FROM referral")


async def test_a_shop_that_was_named_twice_stands_there_once(desk: Browser, portal: Portal) -> None:
    place_id = await place(portal)
    request_id = await asked(portal)
    await post(desk, f"{QUEUE}/{request_id}/answer", {"state": "elsewhere", "place": str(place_id)})
    assert len(await portal.rows("SELECT id FROM referral")) == 2
    page = await desk.get(request_path(portal.settings, request_id))
    assert words(page).count("Kestrel & Sons") == 1


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "state"),
        ({"state": "elsewhere"}, "place"),
        ({"state": "elsewhere", "place": "x"}, "place"),
        ({"state": "elsewhere", **NEW_SHOP, "url": "http://x.example"}, "url"),
        ({"state": "coming", "words": "x" * 1001}, "words"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_sent(
    desk: Browser, portal: Portal, sent: dict[str, str], field: str
) -> None:
    request_id = await asked(portal)
    page = await post(desk, f"{QUEUE}/{request_id}/answer", {"words": "Moment", **sent})
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
    assert sent.get("words", "Moment") in page.text
    assert (await one(portal, "SELECT state FROM product_request")).state == "open"
    assert await portal.mails() == ["request_kept"]


async def test_words_go_too_and_nobody_answers_twice(portal: Portal) -> None:
    await stock(portal)
    request_id, olga, ivan = await asked(portal), await hire(portal), await hire(portal, "ivan@example.com")

    async def says(actor: Any, state: State) -> None:  # noqa: ANN401 - an actor
        async with portal.begin() as db:
            await answer(db, actor, portal.settings, request_id, Reply(state=state, words="Im März"))

    ended = await at_once(says(olga, State.COMING), says(ivan, State.DECLINED))
    [refused] = [each for each in ended if each is not None]
    assert isinstance(refused, ConflictError)
    mail = await last_mail(portal)
    assert mail.values["words"] == "Im März"
    assert len(await portal.mails()) == 2


async def test_what_came_by_a_question_is_answered_in_its_thread(desk: Browser, portal: Portal) -> None:
    question_id = await asks(portal, "Do you get it in 43?", product="boot")
    place_id = await place(portal)
    path = f"/staff/questions/{question_id}"
    assert "They look for something we do not have" in words(await desk.get(path))
    for _twice in range(2):
        sent = {"product": "boot", "size": "43"}
        assert (await post(desk, f"{path}/requests", sent)).headers["location"] == path
    row = await one(portal, "SELECT id, question_id, email, source FROM product_request")
    assert (row.question_id, row.email, row.source) == (question_id, "", "question")
    assert await portal.rows("SELECT id FROM referral") == []
    page = await desk.get(path)
    assert "Kestrel & Sons, €179.90" in words(page)
    sent = {"state": "elsewhere", "place": str(place_id), "words": "Try there", "seen": value(page, "seen")}
    await writes(portal, question_id, "Wait")
    crossed = await post(desk, f"{QUEUE}/{row.id}/answer", sent)
    assert crossed.status_code == 409
    assert "The customer has written once more meanwhile" in words(crossed)
    assert "Try there" in crossed.text
    sent["seen"] = value(crossed, "seen")
    assert (await post(desk, f"{QUEUE}/{row.id}/answer", sent)).headers["location"] == path
    mail = await last_mail(portal)
    assert mail.template == "question_answered"
    assert "Try there" in mail.values["answer"]
    assert "Kestrel & Sons: €179.90, Size 43" in mail.values["answer"]
    assert f"{portal.settings.public_url}/elsewhere/" in mail.values["answer"]
    assert (await one(portal, "SELECT state FROM question")).state == "answered"
    assert "sent elsewhere" in words(await desk.get(path))


async def test_what_cannot_be_noted_of_a_thread_is_said(desk: Browser, portal: Portal) -> None:
    path = f"/staff/questions/{await asks(portal)}"
    await post(desk, f"{path}/requests", {"product": "boot", "size": "42"})
    assert "is in stock" in words(await desk.get(path))
    await post(desk, f"{path}/requests", {"product": "nothing"})
    assert "There is no such product" in words(await desk.get(path))
    assert await portal.rows("SELECT id FROM product_request") == []


async def test_what_was_taken_off_the_list_meanwhile_is_said(desk: Browser, portal: Portal) -> None:
    request_id, place_id = await asked(portal), await place(portal)
    async with portal.begin() as db:
        await remove_place(db, SUPPORT, place_id)
    sent = {"state": "elsewhere", "place": str(place_id), "words": "Try there"}
    page = await post(desk, f"{QUEUE}/{request_id}/answer", sent)
    assert (page.status_code, "Try there" in page.text) == (404, True)
    assert "not on our list any more" in words(page)


async def test_nobody_else_sees_or_answers_them(desk: Browser, portal: Portal) -> None:
    request_id = await asked(portal)
    await sign_in(desk, portal, "ivo@shop.example", "warehouse")
    for path in (QUEUE, f"{QUEUE}/{request_id}"):
        assert (await desk.get(path)).status_code == 403
    assert (await post(desk, f"{QUEUE}/{request_id}/answer", {"state": "coming"})).status_code == 403
    async with portal.begin() as db:
        with pytest.raises(NotFoundError):
            await request_for(db, STRANGER, request_id)
        with pytest.raises(ForbiddenError):
            await list_requests(db, STRANGER, Which(), limit=1)
