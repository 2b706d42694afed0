"""A link of an e-mail shows its order and changes nothing; who wants to change something proves who they are first."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from html import unescape

import pytest
from httpx import Response
from pydantic import SecretStr

from returns_portal import clock
from returns_portal.ids import new_id
from returns_portal.settings import Settings
from returns_portal.web.links import VIEW_LASTS, view_link, viewed
from returns_portal.web.signing import SESSION_COOKIE
from tests.portal import Portal
from tests.returns.visits import come_in, post, sign_in, value, words
from tests.webclient import Browser, browsing, send

pytestmark = pytest.mark.anyio


@pytest.fixture
async def reader(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


def link(portal: Portal, path: str) -> str:
    return view_link(portal.settings, path).removeprefix(portal.settings.public_url)


async def filed(portal: Portal, number: str = "1001") -> str:
    _order, (shoes,) = await portal.order(number=number)
    return f"/returns/{(await portal.file(number, (shoes, 1))).rma}"


async def newest_code(portal: Portal) -> str:
    rows = await portal.rows("SELECT values ->> 'code' AS code FROM email WHERE template = 'access_code' ORDER BY id")
    return str(rows[-1].code)


async def carry(reader: Browser, page: Response, path: str, **more: str) -> Response:
    """Send the form of a page on, with what it keeps."""
    return await post(reader, path, {"to": value(page, "to"), "kept": value(page, "kept"), **more})


async def test_the_link_of_a_status_e_mail_shows_its_return_without_a_question(reader: Browser, portal: Portal) -> None:
    path = await filed(portal)
    shown = await reader.get(link(portal, path))
    assert (shown.status_code, shown.headers["location"]) == (303, path)
    page = await reader.get(path)
    assert "Your label is ready" in words(page)
    assert "Before something is changed, we ask for a code" in words(page)
    assert (await reader.get(f"{path}/label.pdf?size=a4")).status_code == 200
    assert (await reader.get(f"{path}/qr")).status_code == 200


async def test_it_shows_that_one_order_alone(reader: Browser, portal: Portal) -> None:
    path, other = await filed(portal), await filed(portal, "2002")
    await reader.get(link(portal, path))
    assert (await reader.get(other)).status_code == 404
    assert (await reader.get("/orders/2002")).status_code == 404
    assert "E-mail you ordered with" in words(await reader.get("/my-orders"))
    assert "/points" not in (await reader.get(path)).text


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ("/orders/1001", {"line": "x", "refund_to": "points"}),
        ("{path}/cancellation", {}),
        ("{path}/bank-account", {"bank_account": "DE02120300000000202051"}),
        ("{path}/labels", {}),
        ("{path}/pickup", {"window": "x"}),
        ("/trials/T-7K3M-9QXD/decisions", {"x": "keep"}),
        ("/exchanges/E-7K3M-9QXD/payment", {"number": "x"}),
        ("/exchanges/E-7K3M-9QXD/confirmation", {"answer": "yes"}),
        ("/exchanges/E-7K3M-9QXD/cancellation", {}),
        ("/my-orders/open", {"order": "x"}),
    ],
)
async def test_no_form_is_taken_and_none_is_lost(
    reader: Browser, portal: Portal, form: str, fields: Mapping[str, str]
) -> None:
    path = await filed(portal)
    await reader.get(link(portal, path))
    before = await portal.rows("SELECT count(*) AS n FROM history")
    refused = await post(reader, form.format(path=path), fields)
    assert refused.status_code == 403
    assert "confirm that it is yours" in words(refused)
    assert value(refused, "to") == form.format(path=path)
    assert all(name in value(refused, "kept") for name in fields)
    assert await portal.rows("SELECT count(*) AS n FROM history") == before


async def test_with_the_code_what_was_typed_goes_through(reader: Browser, portal: Portal) -> None:
    _order, (shoes,) = await portal.order(number="1001")
    await reader.get(link(portal, "/orders/1001"))
    fields = {"line": str(shoes), f"quantity-{shoes}": "1", "reason": "too small & <b>", "refund_to": "original"}
    refused = await post(reader, "/orders/1001", fields)
    asked = await carry(reader, refused, "/access/confirm")
    assert asked.status_code == 200
    wrong = await carry(reader, asked, "/access/confirm/code", code="000000x")
    assert wrong.status_code == 422
    right = await carry(reader, wrong, "/access/confirm/code", code=await newest_code(portal))
    assert "One click sends it" in words(right)
    form = right.text.partition("<main")[2].partition("</main>")[0]
    again = {name: unescape(text) for name, text in re.findall(r'hidden" name="([^"]*)" value="([^"]*)"', form)}
    again.pop("_csrf_token")
    assert again == fields
    done = await send(reader, "/orders/1001", again)
    assert (done.status_code, done.headers["location"][:11]) == (303, "/returns/R-")
    assert [row.reason for row in await portal.rows("SELECT reason FROM return_line")] == ["too small & <b>"]


async def test_what_a_choice_is_worth_is_shown_to_whoever_sees_the_order(reader: Browser, portal: Portal) -> None:
    _order, (shoes,) = await portal.order(number="1001")
    await reader.get(link(portal, "/orders/1001"))
    answer = await post(reader, "/orders/1001", {"step": "preview", "line": str(shoes)})
    assert answer.status_code == 200


async def test_a_code_is_asked_for_from_any_page(reader: Browser, portal: Portal) -> None:
    path = await filed(portal)
    await reader.get(link(portal, path))
    asked = await post(reader, "/access/confirm", {"to": path})
    done = await carry(reader, asked, "/access/confirm/code", code=await newest_code(portal))
    assert (done.status_code, done.headers["location"]) == (303, path)
    assert "we ask for a code" not in words(await reader.get(path))
    # Pressed once more, from a page that stood open: there is nothing left to prove.
    again = await post(reader, "/access/confirm", {"to": path})
    assert (again.status_code, again.headers["location"]) == (303, path)


async def test_the_way_on_never_leads_away(reader: Browser, portal: Portal) -> None:
    await reader.get(link(portal, await filed(portal)))
    asked = await post(reader, "/access/confirm", {"to": "//evil.example/x"})
    assert value(asked, "to") == "/"


async def test_nobody_s_mailbox_is_filled_by_a_link(reader: Browser, portal: Portal) -> None:
    path = await filed(portal)
    await reader.get(link(portal, path))
    answers = [(await post(reader, "/access/confirm", {"to": path})).status_code for _ in range(7)]
    assert answers == [200] * 5 + [429] * 2


async def test_who_is_in_already_stays_who_they_are(reader: Browser, portal: Portal) -> None:
    path, other = await filed(portal), await filed(portal, "2002")
    await come_in(reader, portal, "1001")
    assert (await reader.get(link(portal, path))).headers["location"] == path
    assert "we ask for a code" not in words(await reader.get(path))
    # For another order they are asked first: a link alone throws nobody out.
    asked = await reader.get(link(portal, other))
    assert "This link shows another one" in words(asked)
    assert (await reader.get(path)).status_code == 200
    left = await post(reader, "/v", {"token": value(asked, "token")})
    assert left.headers["location"] == other
    assert (await reader.get(path)).status_code == 404


async def test_staff_go_through_a_customer_s_link_as_staff(reader: Browser, portal: Portal) -> None:
    path = await filed(portal)
    await sign_in(reader, portal, "sofia@shop.example", "support")
    assert (await reader.get(link(portal, path))).headers["location"] == path
    assert "Sign out" in (await reader.get(path)).text


@pytest.mark.parametrize("token", ["x", "%00", "a" * 2000, "é", "../returns"])
async def test_a_link_that_leads_nowhere_says_what_to_do(reader: Browser, token: str) -> None:
    answer = await reader.get(f"/v/{token}")
    assert answer.status_code in {303, 404}
    for path in ("/", "/v"):
        if path == "/v":
            assert (await post(reader, "/v", {"token": token})).headers["location"] == "/"
    assert "This link is not valid any more" in words(await reader.get("/"))


async def test_links_to_what_is_not_there_lead_nowhere(reader: Browser, portal: Portal) -> None:
    for path in ("/returns/R-0000-0000", "/orders/nothing", "/refunds/x", "/trials/T-1", "/returns/%00"):
        followed = await reader.get(link(portal, path))
        assert SESSION_COOKIE not in followed.cookies
        # It may be of a gift, whose receiver is asked for a code: as whoever comes there, they are asked who they are.
        page = await reader.get(followed.headers["location"])
        assert page.status_code == 404 or page.headers["location"].partition("?")[0] == "/"


async def test_the_language_of_the_customer_is_not_changed_by_a_link(reader: Browser, portal: Portal) -> None:
    path = await filed(portal)
    before = await portal.rows("SELECT locale, locale_chosen_at FROM orders")
    await reader.get(link(portal, path))
    chosen = await post(reader, "/language", {"language": "bg", "back": path})
    assert chosen.status_code == 303
    assert await portal.rows("SELECT locale, locale_chosen_at FROM orders") == before


def test_a_link_outlives_a_change_of_the_key_and_not_its_time(settings: Settings) -> None:
    token = view_link(settings, "/returns/R-1").rpartition("/")[2]
    assert settings.secret_key is not None
    changed = {"secret_key": SecretStr("n" * 32), "former_secret_keys": settings.secret_key}
    assert viewed(settings.model_copy(update=changed), token) == "/returns/R-1"
    assert viewed(settings.model_copy(update={"secret_key": SecretStr("n" * 32)}), token) is None
    with clock.at(clock.now() + VIEW_LASTS + timedelta(seconds=1)):
        assert viewed(settings, token) is None


async def test_the_code_on_a_slip_asks_for_the_e_mail_and_shows_nothing(reader: Browser, portal: Portal) -> None:
    await portal.order(number="#10/42 é")
    for number in ("%2310%2F42%20%C3%A9", "nothing-like-it"):
        page = await reader.get(f"/?order={number}")
        assert page.status_code == 200
        assert "Send me a code" in words(page)
        assert "Trail" not in page.text
    filled = unescape((await reader.get("/?order=%2310%2F42%20%C3%A9")).text)
    assert re.search(r'name="number"[^>]*value="10/42 é"', filled)
    assert (await reader.get("/?order=%00")).status_code == 200


OPEN = {
    "/access",
    "/access/code",
    "/access/confirm",
    "/access/confirm/code",
    "/basket",
    "/basket/items",
    "/checkout",
    "/gift",
    "/gift/code",
    "/in",
    "/in/shop",
    "/language",
    "/my-orders",
    "/privacy",
    "/privacy/confirm",
    "/questions/link/{token:str}",
    "/questions/link/{token:str}/rating",
    "/questions/{question_id:uuid}/rating",
    "/sign-in",
    "/sign-out",
    "/unsubscribe/{token:str}",
    "/mail/{token:str}",
    "/v",
    "/wanted",
    "/wanted/end/{token:str}",
    "/withdraw",
    "/withdraw/confirmation",
}
"""Forms that are taken from whoever came by a link, as from any stranger: none acts on the order that it shows."""


async def test_every_other_form_of_a_customer_is_refused(reader: Browser, portal: Portal) -> None:
    path = await filed(portal)
    seen: set[str] = set()
    for route in reader.app.routes:
        for handler in getattr(route, "route_handlers", ()):
            ours = "POST" in handler.http_methods and not handler.guards
            if not ours or route.path.startswith(("/api/", "/webhooks/")):
                continue
            await reader.get(link(portal, path))
            address = route.path.replace("{rma:str}", path.rpartition("/")[2]).replace("{number:path}", "1001")
            address = re.sub(r"\{\w+:\w+\}", "T-7K3M-9QXD", re.sub(r"\{\w+:uuid\}", str(new_id()), address))
            answer = await post(reader, address)
            if "confirm that it is yours" not in words(answer):
                seen.add(route.path)
    assert seen == OPEN
