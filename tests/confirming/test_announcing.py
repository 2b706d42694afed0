"""A courier is announced by hand: once, in time, in words, and by SMS where that is wanted."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from pydantic import SecretStr

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.confirming.announcing import KEPT, Wish, announce, forget_couriers, order_named
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.jobs import JobContext
from returns_portal.labels.outbound import sent_out
from returns_portal.notifications.choices import refuse
from returns_portal.notifications.mailer import Mailer
from returns_portal.notifications.models import Optional
from returns_portal.notifications.rendering import render_email
from returns_portal.settings import Settings
from returns_portal.shop.queries import DEFAULT
from tests.carriers.worlds import serving
from tests.confirming.things import MONDAY, SUPPORT, between, choose, letters, new_order, said, tell
from tests.portal import API, Portal, at_once

pytestmark = pytest.mark.anyio


async def texts(portal: Portal) -> list[Any]:
    return [tuple(row) for row in await portal.rows("SELECT recipient, text, status FROM sms ORDER BY id")]


async def test_an_announcement_is_told_once_and_a_correction_anew(portal: Portal) -> None:
    order_id = await new_order(portal, locale="en")
    with clock.at(MONDAY):
        assert await tell(portal, order_id, between(14, 16))
        assert not await tell(portal, order_id, between(14, 16))
        assert await tell(portal, order_id, between(15, 17))
        assert await tell(portal, order_id, between(15, 17), courier="Ivan")
    assert await said(portal) == [
        "Your courier Oleksandr will be with you in about 2 hours, between 14:00 and 16:00.",
        "Your courier Oleksandr will be with you in about 3 hours, between 15:00 and 17:00.",
        "Your courier Ivan will be with you in about 3 hours, between 15:00 and 17:00.",
    ]
    first, second, _third = await letters(portal, "courier_announced")
    assert (first.values["corrects"], second.values["corrects"]) == (False, True)
    mail = render_email("courier_announced", "en", second.values, DEFAULT, portal.settings)
    assert mail.subject.startswith("New time: Your courier Oleksandr")
    assert "What we wrote before does not hold any more." in mail.text
    told = await portal.rows("SELECT data ->> 'by' FROM history WHERE action = 'courier_announced'")
    assert [row[0] for row in told] == ["staff"] * 3


async def test_times_are_those_of_the_country_of_delivery(portal: Portal) -> None:
    address = {"name": "Ana", "line1": "Elm St 1", "line2": "", "city": "Berlin", "region": "", "postal_code": "10115"}
    order_id = await new_order(portal, locale="en")
    await portal.rows(
        "UPDATE orders SET address = CAST(:a AS jsonb) WHERE id = :id RETURNING id",
        a=json.dumps(address | {"country": "DE"}),
        id=order_id,
    )
    with clock.at(MONDAY):
        await tell(portal, order_id, between(14, 16))
    assert "between 13:00 and 15:00" in (await said(portal))[0]


async def test_what_is_too_late_or_over_tells_nobody(portal: Portal) -> None:
    order_id = await new_order(portal)
    with clock.at(MONDAY):
        with pytest.raises(InvalidError) as late:
            await tell(portal, order_id, between(9, 12))
        assert late.value.code == "too_late"
        for change, code in (
            ("UPDATE orders SET delivered_at = now() RETURNING id", "already_delivered"),
            ("UPDATE orders SET cancelled_at = now() RETURNING id", "order_cancelled"),
        ):
            await portal.rows(change)
            with pytest.raises(ConflictError) as over:
                await tell(portal, order_id, between(14, 16))
            assert over.value.code == code
        with pytest.raises(NotFoundError):
            await tell(portal, UUID(int=1), between(14, 16))
    assert await said(portal) == []


async def test_only_those_who_serve_customers_announce(portal: Portal) -> None:
    order_id = await new_order(portal)
    finance = Actor(kind="staff", id=str(UUID(int=8)), grants=frozenset({"finance"}))
    async with portal.begin() as db:
        with pytest.raises(ForbiddenError):
            await announce(db, finance, portal.settings, Wish(order_id=order_id, window=between(14, 16)))


@pytest.mark.parametrize(
    ("choices", "agreed", "phone", "count"),
    [
        ({"sms_service_messages": True}, False, "+359 88 123 4567", 1),
        ({}, True, "00359 88 123 4567", 1),
        ({}, False, "+359 88 123 4567", 0),
        ({"sms_service_messages": True}, False, "088 123 4567", 0),
        ({"sms_service_messages": True}, False, "", 0),
    ],
)
async def test_an_sms_goes_where_it_is_wanted_and_the_number_is_international(
    portal: Portal, choices: dict[str, bool], agreed: bool, phone: str, count: int
) -> None:
    await choose(portal, **choices)
    order_id = await new_order(portal, locale="en", phone=phone)
    with clock.at(MONDAY):
        for _twice in range(2):
            await tell(portal, order_id, between(14, 16), sms_agreed=agreed)
    await portal.work()
    text = "Nord & Sund: Your courier Oleksandr will be with you in about 2 hours, between 14:00 and 16:00."
    assert await texts(portal) == [("+359881234567", text, "sent")] * count


async def test_who_wants_no_news_of_parcels_gets_none(portal: Portal) -> None:
    await choose(portal, sms_service_messages=True)
    order_id = await new_order(portal, phone="+359 88 123 4567")
    async with portal.begin() as db:
        await refuse(db, "kunde@example.com", {Optional.PARCEL})
    with clock.at(MONDAY):
        await tell(portal, order_id, between(14, 16))
    assert (await said(portal), await texts(portal)) == ([], [])


class Gateway:
    """Answers as Twilio's Messages resource does."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.status = 201
        self.app = web.Application()
        self.app.add_routes([web.post("/2010-04-01/Accounts/AC1/Messages.json", self._post)])

    async def _post(self, request: web.Request) -> web.Response:
        self.bodies.append(str((await request.post())["Body"]))
        return web.json_response({"sid": "SM1"}, status=self.status)


@pytest.mark.parametrize(("status", "left"), [(201, "sent"), (400, "failed"), (500, "unknown"), (503, "queued")])
async def test_what_the_gateway_said_is_kept_and_nothing_is_sent_twice(portal: Portal, status: int, left: str) -> None:
    await choose(portal, sms_service_messages=True)
    order_id = await new_order(portal, phone="+359 88 123 4567")
    server = Gateway()
    server.status = status
    async with serving(server.app) as base:
        url = base.replace("http://", "twilio+http://AC1:secret@") + "/+35970012345"
        settings = portal.settings.model_copy(update={"sms_url": SecretStr(url)})
        services = [one for one in portal.context._services if not isinstance(one, Settings | Mailer)]
        portal.context = JobContext(portal.begin, settings, Mailer(settings), *services)
        with clock.at(MONDAY):
            await tell(portal, order_id, between(14, 16))
        await portal.work()
        await portal.work()
    assert len(server.bodies) == 1
    [(_to, _text, found)] = await texts(portal)
    assert found == left


async def test_a_parcel_is_known_by_its_tracking_number(portal: Portal) -> None:
    order_id = await new_order(portal, number="A/1")
    async with portal.begin() as db:
        await sent_out(db, API, "A/1", "easypost", "9400100000")
        assert (await order_named(db, SUPPORT, " #A/1")).id == order_id
        found = await order_named(db, SUPPORT, "9400100000")
        assert (found.number, found.tracking) == ("A/1", "9400100000")
        for nothing in ("", "9400"):
            with pytest.raises(NotFoundError):
                await order_named(db, SUPPORT, nothing)


async def test_names_of_couriers_are_forgotten(portal: Portal) -> None:
    order_id = await new_order(portal)
    with clock.at(MONDAY):
        await tell(portal, order_id, between(14, 16))
    for later, name in ((KEPT - timedelta(days=1), "Oleksandr"), (KEPT + timedelta(days=1), "")):
        with clock.at(MONDAY + later):
            async with portal.begin() as db:
                await forget_couriers(db)
        assert [row.courier for row in await portal.rows("SELECT courier FROM courier_announcement")] == [name]


async def test_told_twice_at_once_it_is_told_once(portal: Portal) -> None:
    order_id = await new_order(portal)
    with clock.at(MONDAY):
        results = await at_once(*(tell(portal, order_id, between(14, 16)) for _each in range(4)))
    assert sorted(results) == [False, False, False, True]
    assert len(await said(portal)) == 1
