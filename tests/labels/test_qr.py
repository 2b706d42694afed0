"""Handing in without a printer: the code on its page, as a picture, and in the e-mail that goes out at filing."""

import email.policy
import re
from collections.abc import AsyncIterator
from email.message import EmailMessage
from functools import partial
from io import BytesIO
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from PIL import Image, ImageOps

from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.documents.pictures import qr_png, qr_svg_file
from returns_portal.labels.actions import another
from returns_portal.notifications.mailer import Mailer, Outgoing
from returns_portal.notifications.rendering import render_email
from returns_portal.shop.queries import DEFAULT
from returns_portal.web.links import viewed
from tests.labels.carried import Carried
from tests.labels.test_runs import a_carriers_label
from tests.portal import Portal
from tests.returns.visits import come_in, sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def filed(portal: Portal, number: str = "1001") -> str:
    order, lines = await portal.order(number=number)
    return (await portal.file(order.number, (lines[0], 1))).rma


def read(png: bytes) -> str:
    """What a scanner reads in a picture that lies on black, as on a dark screen."""
    picture = ImageOps.expand(Image.open(BytesIO(png)).convert("L"), 40, 0)
    [found] = zxingcpp.read_barcodes(picture)
    return str(found.text)


@pytest.mark.parametrize("code", ["R-7K3M-9QXD", "20450123456789", "https://carrier.example/drop?token=" + "x" * 60])
def test_a_picture_holds_its_code_in_whole_pixels(code: str) -> None:
    assert read(qr_png(code)) == code
    assert qr_png(code) == qr_png(code)
    svg = ET.fromstring(qr_svg_file(code, title="<&>"))  # noqa: S314 - our own
    assert [child.tag.rpartition("}")[2] for child in svg] == ["title", "rect", "path"]
    assert svg[0].text == "<&>"
    side = int(svg.attrib["viewBox"].split()[2])
    assert Image.open(BytesIO(qr_png(code))).width % side == 0


async def test_the_customer_has_the_code_large_and_as_pictures(portal: Portal, browser: Browser) -> None:
    rma = await filed(portal)
    await come_in(browser, portal, "1001")
    assert f"/returns/{rma}/qr" in (await browser.get(f"/returns/{rma}")).text
    page = await browser.get(f"/returns/{rma}/qr")
    assert page.status_code == 200
    assert rma in words(page)
    assert "nothing has to be printed" in words(page)
    assert f'download="{rma}.png"' in page.text
    png = await browser.get(f"/returns/{rma}/qr.png")
    assert (png.status_code, png.headers["content-type"]) == (200, "image/png")
    assert png.headers["cache-control"] == "private, no-cache"
    assert read(png.content) == rma
    svg = await browser.get(f"/returns/{rma}/qr.svg")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert svg.headers["cache-control"] == "private, no-cache"
    assert svg.text == qr_svg_file(rma, title=f"QR code of return {rma}")
    # Each parcel has its own.
    async with portal.begin() as db:
        await another(db, SYSTEM, rma)
    assert read((await browser.get(f"/returns/{rma}/qr.png?parcel=2")).content) == f"{rma}-2"
    assert "parcel 2" in words(await browser.get(f"/returns/{rma}/qr?parcel=2"))
    assert (await browser.get(f"/returns/{rma}/qr.png?parcel=3")).status_code == 404


async def test_another_customers_code_does_not_exist(portal: Portal, browser: Browser) -> None:
    rma, _own = await filed(portal), await filed(portal, "1002")
    for path in ("qr.png", "qr.svg"):
        assert (await browser.get(f"/returns/{rma}/{path}")).status_code == 404
    stranger = await browser.get(f"/returns/{rma}/qr")
    assert (stranger.status_code, stranger.headers["location"]) == (303, f"/?next=%2Freturns%2F{rma}%2Fqr")
    await come_in(browser, portal, "1002")
    for path in ("qr", "qr.png", "qr.svg"):
        assert (await browser.get(f"/returns/{rma}/{path}")).status_code == 404
    await sign_in(browser, portal, "sami@shop.example", "support")
    assert (await browser.get(f"/returns/{rma}/qr.png")).status_code == 200


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE returns SET status = 'cancelled', cancelled_at = now() RETURNING 1", "This return was cancelled"),
        ("UPDATE label SET status = 'voided' RETURNING 1", "This label is not valid any more"),
        ("UPDATE label SET status = 'requested' RETURNING 1", "Your label is being made"),
    ],
)
async def test_without_a_label_that_holds_there_is_no_code(
    portal: Portal, browser: Browser, change: str, said: str
) -> None:
    rma = await filed(portal)
    await portal.rows(change)
    await come_in(browser, portal, "1001")
    assert (await browser.get(f"/returns/{rma}/qr.png")).status_code == 409
    page = await browser.get(f"/returns/{rma}/qr")
    assert page.headers["location"] == f"/returns/{rma}"
    assert said in words(await browser.get(f"/returns/{rma}"))


async def test_a_carriers_own_code_is_shown_and_one_that_wants_paper_says_so(
    carried: Carried, database_url: str
) -> None:
    carried.easypost.server.label = a_carriers_label("9405")
    await carried.rule("easypost")
    filed, label = await carried.bought()
    async with browsing(carried.portal.settings, database_url) as browser:
        await come_in(browser, carried.portal, "1001")
        assert f"/returns/{filed.rma}/qr" not in (await browser.get(f"/returns/{filed.rma}")).text
        assert (await browser.get(f"/returns/{filed.rma}/qr.png")).status_code == 409
        assert (await browser.get(f"/returns/{filed.rma}/qr")).status_code == 303
        assert "with a printed label only" in words(await browser.get(f"/returns/{filed.rma}"))
        await carried.portal.rows("UPDATE label SET qr = 'DROP 77' WHERE id = :id RETURNING 1", id=label.id)
        assert read((await browser.get(f"/returns/{filed.rma}/qr.png")).content) == "DROP 77"
        page = await browser.get(f"/returns/{filed.rma}/qr")
        assert "EasyPost, number DROP 77" in words(page)
        assert f"/returns/{filed.rma}/qr" in (await browser.get(f"/returns/{filed.rma}")).text


async def test_the_api_links_to_the_pictures(portal: Portal, browser: Browser) -> None:
    rma = await filed(portal)
    async with portal.begin() as db:
        reader = await create_api_key(db, SYSTEM, "reader", ["returns:read"])
        other = await create_api_key(db, SYSTEM, "other", ["orders:read"])
    key = {"Authorization": f"Bearer {reader}"}
    shown = (await browser.get(f"/api/v1/returns/{rma}", headers=key)).json()
    assert shown["label"]["qr_url"] == f"/api/v1/returns/{rma}/qr.png"
    assert read((await browser.get(shown["label"]["qr_url"], headers=key)).content) == rma
    assert rma in (await browser.get(f"/api/v1/returns/{rma}/qr.svg", headers=key)).text
    for path in ("qr.png", "qr.svg"):
        answer = await browser.get(f"/api/v1/returns/{rma}/{path}", headers={"Authorization": f"Bearer {other}"})
        assert answer.status_code == 403


async def mail(portal: Portal, template: str) -> EmailMessage:
    """The newest e-mail of a template as a mail program gets it."""
    [row] = await portal.rows(
        "SELECT values, locale FROM email WHERE template = :t ORDER BY id DESC LIMIT 1", t=template
    )
    render = partial(render_email, template, row.locale, row._mapping["values"], DEFAULT, portal.settings)
    sent = Mailer(portal.settings).compose(Outgoing(UUID(int=1), "olena@example.org", render, DEFAULT))
    received = email.message_from_bytes(sent.as_bytes(), policy=email.policy.default)
    assert isinstance(received, EmailMessage)
    return received


def picture_of(message: EmailMessage) -> bytes:
    """The picture that the HTML shows, by its Content-ID; with words for those who do not see it."""
    html = message.get_body(("html",))
    assert html is not None
    text = html.get_content()
    assert 'src="cid:code@label"' in text
    assert 'alt="QR код на връщане R-' in text
    [picture] = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<code@label>"
    assert picture.get_content_disposition() == "inline"
    content = picture.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


async def test_the_email_at_filing_brings_the_code(portal: Portal, browser: Browser) -> None:
    rma = await filed(portal)
    message = await mail(portal, "return_filed")
    assert message.get_content_type() == "multipart/alternative"
    assert read(picture_of(message)) == rma
    plain = message.get_body(("plain",))
    assert plain is not None
    links = re.findall(r"/v/(\S+)", plain.get_content())
    assert f"/returns/{rma}/qr" in [viewed(portal.settings, token) for token in links]
    # In the demo's outbox it is seen, too.
    await portal.work()
    [row] = await portal.rows("SELECT id FROM email WHERE template = 'return_filed'")
    shown = await browser.get(f"/outbox/{row.id}/html")
    assert "cid:" not in shown.text
    assert "data:image/png;base64," in shown.text
    assert "img-src data:" in shown.headers["content-security-policy"]


async def test_asked_of_a_carrier_the_code_comes_with_the_label(carried: Carried) -> None:
    await carried.rule("nova_poshta")
    await carried.filed()
    message = await mail(carried.portal, "return_filed")
    assert "cid:" not in message.as_string()
    # No carrier takes it, so that the prepaid label goes on it, whose code is ours.
    await carried.portal.work()
    [row] = await carried.portal.rows("SELECT code, qr, carrier FROM label")
    ready = await mail(carried.portal, "label_ready")
    assert read(picture_of(ready)) == (row.qr or row.code)


async def test_an_email_of_before_there_was_a_code_in_it_is_still_sent(portal: Portal) -> None:
    await filed(portal)
    await portal.rows("UPDATE email SET values = values - 'qr' RETURNING 1")
    message = await mail(portal, "return_filed")
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
