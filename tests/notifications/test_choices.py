"""Readers switch off what need not be written to them; what must be written is written."""

import re
from collections.abc import AsyncIterator
from typing import get_args

import pytest
from pydantic import SecretStr

from returns_portal.db import Begin
from returns_portal.ids import new_id
from returns_portal.notifications.actions import Letter, Template, enqueue_many
from returns_portal.notifications.choices import choose, kind_of, refuse, refused_by
from returns_portal.notifications.mailer import Mailer, Outgoing
from returns_portal.notifications.models import Optional
from returns_portal.notifications.rendering import render_email
from returns_portal.settings import Settings
from returns_portal.shop.queries import DEFAULT
from returns_portal.web.links import unsubscribe_link, unsubscribing
from tests.notifications.samples import SAMPLES
from tests.portal import Portal, at_once
from tests.returns.visits import post, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

OLENA = "olena@example.org"


@pytest.fixture
async def reader(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


def letter(template: Template, recipient: str = OLENA, **more: object) -> Letter:
    return Letter(template, recipient, "en", SAMPLES[template], **more)  # type: ignore[arg-type]  # its own fields


def path(portal: Portal, kind: Optional = Optional.PARCEL) -> str:
    """The link of an e-mail, as its reader's browser asks for it."""
    return unsubscribe_link(portal.settings, OLENA, kind).removeprefix(portal.settings.public_url)


async def off(portal: Portal) -> set[Optional]:
    async with portal.begin() as db:
        return await refused_by(db, OLENA)


ALWAYS = sorted(
    {*get_args(Template)}
    - {"courier_announced", "parcel_delivered", "parcel_on_its_way", "parcel_stuck", "trial_shipped", "points_expiring"}
    - {"back_in_stock", "loyalty_thanks", "points_given", "request_answered", "request_kept"}
)


def test_what_the_law_and_the_money_ask_for_is_of_no_kind() -> None:
    assert [template for template in get_args(Template) if kind_of(template) is None] == ALWAYS
    assert {"withdrawal_received", "refunded", "refund_failed", "access_code", "label_ready", "trial_reminder"} <= {
        *ALWAYS
    }


async def test_what_is_switched_off_is_not_written_and_the_rest_is(portal: Portal) -> None:
    async with portal.begin() as db:
        await refuse(db, "Olena@Example.org ", {Optional.PARCEL})
        await enqueue_many(
            db,
            [
                letter("parcel_on_its_way"),
                letter("refunded", " OLENA@example.org"),
                letter("points_expiring"),
                letter("parcel_on_its_way", "other@example.org"),
            ],
        )
    written = [
        (row.template, row.recipient) for row in await portal.rows("SELECT template, recipient FROM email ORDER BY id")
    ]
    assert written == [
        ("refunded", OLENA.upper().replace("EXAMPLE.ORG", "example.org")),
        ("points_expiring", OLENA),
        ("parcel_on_its_way", "other@example.org"),
    ]


async def test_a_change_is_told_once(portal: Portal, begin: Begin) -> None:
    parcel = new_id()
    for change in ("label 1", "label 1", "label 2", None, None):
        async with begin() as db:
            await enqueue_many(db, [letter("parcel_delivered", subject_id=parcel, change=change)])
    async with begin() as db:
        await enqueue_many(db, [letter("parcel_on_its_way", subject_id=parcel, change="label 1")])
    rows = await portal.rows("SELECT template, change FROM email ORDER BY id")
    assert [(row.template, row.change) for row in rows] == [
        ("parcel_delivered", "label 1"),
        ("parcel_delivered", "label 2"),
        ("parcel_delivered", None),
        ("parcel_delivered", None),
        ("parcel_on_its_way", "label 1"),
    ]


async def test_two_at_once_tell_a_change_once(portal: Portal) -> None:
    parcel = new_id()

    async def tell() -> None:
        async with portal.begin() as db:
            await enqueue_many(db, [letter("parcel_delivered", subject_id=parcel, change="label 1")])

    await at_once(*(tell() for _ in range(4)))
    assert len(await portal.rows("SELECT FROM email")) == 1


def composed(settings: Settings, template: Template) -> str:
    live = settings.model_copy(update={"smtp_url": SecretStr("smtp://127.0.0.1:1"), "mail_from": "a@shop.example"})
    rendered = render_email(template, "en", SAMPLES[template], DEFAULT, live, recipient=OLENA)
    return Mailer(live).compose(Outgoing(new_id(), OLENA, lambda: rendered, DEFAULT)).as_bytes().decode()


def test_one_click_stands_in_the_header_of_what_can_be_switched_off(settings: Settings) -> None:
    text = composed(settings, "parcel_delivered")
    head = text.split("\r\n\r\n", 1)[0]
    found = re.search(r"^List-Unsubscribe:\s+<http://127\.0\.0\.1:8000/unsubscribe/([\w-]+)>\r$", head, re.MULTILINE)
    assert found, head
    assert unsubscribing(settings, found[1]) == (OLENA, Optional.PARCEL)
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in head
    assert OLENA not in found[1]


@pytest.mark.parametrize("template", ["refunded", "withdrawal_received", "access_code"])
def test_what_has_to_go_offers_no_way_out(settings: Settings, template: Template) -> None:
    text = composed(settings, template)
    assert "unsubscribe" not in text.lower()
    assert "Choose which e-mails" not in text


async def test_one_click_of_a_mail_program_needs_no_page_and_no_cookie(reader: Browser, portal: Portal) -> None:
    for _ in range(2):
        answer = await reader.post(path(portal), data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    assert await off(portal) == {Optional.PARCEL}


async def test_following_the_link_changes_nothing_and_the_page_does(reader: Browser, portal: Portal) -> None:
    led = await reader.get(path(portal))
    assert led.status_code == 303
    page = await reader.get(led.headers["location"])
    assert "For o…@example.org." in words(page)
    assert OLENA not in page.text
    assert page.text.count(" checked") == 3
    assert await off(portal) == set()
    kept = await post(reader, led.headers["location"], {"kind": ["points", "stock"]})
    assert (kept.status_code, kept.headers["location"]) == (303, led.headers["location"])
    assert await off(portal) == {Optional.PARCEL}
    assert "You can change it here at any time" in words(await reader.get(led.headers["location"]))
    await post(reader, led.headers["location"], {})
    assert await off(portal) == {Optional.PARCEL, Optional.POINTS, Optional.STOCK}
    await post(reader, led.headers["location"], {"kind": "parcel", "nonsense": "x"})
    assert await off(portal) == {Optional.POINTS, Optional.STOCK}


async def test_the_page_s_form_is_taken_from_the_page_alone(reader: Browser, portal: Portal) -> None:
    answer = await reader.post(path(portal).replace("/unsubscribe/", "/mail/"), data={})
    assert answer.status_code == 403
    assert await off(portal) == set()


@pytest.mark.parametrize("token", ["x", "a" * 5000, "%00", "é"])
async def test_a_link_that_is_none_of_ours_changes_nothing(reader: Browser, token: str) -> None:
    assert (await reader.post(f"/unsubscribe/{token}", data={})).status_code == 404
    page = await reader.get(f"/mail/{token}")
    assert page.status_code == 404


def test_a_link_outlives_a_change_of_the_key(settings: Settings) -> None:
    token = unsubscribe_link(settings, OLENA, "parcel").rpartition("/")[2]
    changed = {"secret_key": SecretStr("n" * 32), "former_secret_keys": settings.secret_key}
    assert unsubscribing(settings.model_copy(update=changed), token) == (OLENA, "parcel")
    assert unsubscribing(settings.model_copy(update={"secret_key": SecretStr("n" * 32)}), token) is None


async def test_all_is_switched_on_again(portal: Portal) -> None:
    async with portal.begin() as db:
        await choose(db, OLENA, set(Optional))
        await choose(db, OLENA, set())
    assert await off(portal) == set()
