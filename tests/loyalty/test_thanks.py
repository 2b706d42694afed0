"""Points for an order of which much was kept: once, not for who is left out, never taken back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.errors import InvalidError
from returns_portal.loyalty import thanking
from returns_portal.loyalty.actions import change
from returns_portal.loyalty.form import read_thanks
from returns_portal.loyalty.rules import Programme
from returns_portal.loyalty.thanking import thank
from returns_portal.notifications.rendering import render_email
from returns_portal.privacy.erasing import erase
from returns_portal.shop.queries import DEFAULT
from tests.loyalty.test_levels import ANA, bought
from tests.points.purse import send_back
from tests.portal import Portal, at_once
from tests.service.things import letters

pytestmark = pytest.mark.anyio


async def thanks(portal: Portal, **fields: Any) -> None:  # noqa: ANN401 - the fields of a programme
    """500 points from 150.00 EUR on, since 20 days ago, nobody left out."""
    given = {"thanks_points": 500, "thanks_from": {"EUR": 15_000}, "thanks_since": clock.now() - timedelta(days=20)}
    async with portal.begin() as db:
        await change(db, SYSTEM, **{**given, "wait_days": 30, "control_percent": 0, **fields})


async def test_once_for_an_order_with_an_e_mail_and_kept_whatever_comes_back(portal: Portal) -> None:
    line = await bought(portal, "3201", days_ago=31, locale="de")
    await bought(portal, "3202", days_ago=60)
    await bought(portal, "3203", days_ago=5)
    await thank(portal.begin)
    assert await portal.points(ANA) == {}
    await thanks(portal)
    await at_once(thank(portal.begin), thank(portal.begin))
    await thank(portal.begin)
    assert await portal.points(ANA) == {"EUR": 500}
    assert (await portal.mails()).count("loyalty_thanks") == 1
    [row] = await portal.rows("SELECT reason, requested_by FROM points_adjustment")
    assert "3201" in row.reason
    assert row.requested_by == "system"
    await send_back(portal, "3201", line, 1)
    await thank(portal.begin)
    assert await portal.points(ANA) == {"EUR": 500}


async def test_all_that_is_due_is_given_at_once_however_much_it_is(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thanking, "_BATCH", 2)
    for number in range(3231, 3236):
        await bought(portal, f"{number}", days_ago=31, locale="en")
    await thanks(portal)
    assert await thank(portal.begin) == 5
    assert await portal.points(ANA) == {"EUR": 2_500}
    assert await thank(portal.begin) == 0
    # Points are the coupon, so that their e-mail tells what to do with them.
    [mail, *_others] = [one for one in await letters(portal) if one.template == "loyalty_thanks"]
    sent = render_email(mail.template, "en", mail.values, DEFAULT, portal.settings)
    assert "you make a code of them" in sent.text
    assert "you make a code of them" in sent.html


@pytest.mark.parametrize("meanwhile", ["forgotten", "turned off"])
async def test_what_changes_while_it_is_looked_for_brings_none(portal: Portal, meanwhile: str) -> None:
    await bought(portal, "3206", days_ago=31)
    await thanks(portal)
    begun = 0

    @asynccontextmanager
    async def begin() -> AsyncIterator[AsyncConnection]:
        nonlocal begun
        begun += 1
        if begun == 2:
            async with portal.begin() as db:
                await (erase(db, SYSTEM, ANA) if meanwhile == "forgotten" else change(db, SYSTEM, thanks_points=0))
        async with portal.begin() as db:
            yield db

    await thank(begin)
    assert begun == 2
    assert await portal.rows("SELECT id FROM points_account") == []
    assert await portal.rows("SELECT email_key FROM loyalty_member") == []


async def test_what_came_back_in_time_brings_none(portal: Portal) -> None:
    line = await bought(portal, "3211", days_ago=10)
    await send_back(portal, "3211", line, 1)
    await thanks(portal)
    with clock.at(clock.now() + timedelta(days=25)):
        await thank(portal.begin)
        assert await portal.points(ANA) == {}


async def test_who_is_left_out_gets_none_and_is_counted(portal: Portal) -> None:
    await bought(portal, "3221", days_ago=31)
    await portal.rows(f"INSERT INTO loyalty_member VALUES ('{ANA}', true, now()) RETURNING control")  # noqa: S608 - a constant
    await thanks(portal)
    await thank(portal.begin)
    assert await portal.points(ANA) == {}
    assert [row.control for row in await portal.rows("SELECT control FROM loyalty_thanks")] == [True]
    assert "loyalty_thanks" not in await portal.mails()


def test_points_need_something_to_be_kept_and_begin_when_they_are_turned_on() -> None:
    now = clock.now()
    with pytest.raises(InvalidError) as refusal:
        read_thanks({"thanks_points": "500"}, Programme(), now)
    assert refusal.value.field == "thanks_from"
    sent = {"thanks_points": "500", "thanks_from": "300 EUR"}
    assert read_thanks(sent, Programme(), now)["thanks_since"] == now
    before = now - timedelta(days=9)
    assert read_thanks(sent, Programme(thanks_since=before), now)["thanks_since"] == before
    assert read_thanks({"thanks_points": "0"}, Programme(thanks_since=before), now)["thanks_since"] is None
