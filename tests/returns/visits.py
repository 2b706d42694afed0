"""How visitors come in, and how they read a page: by what it says, not by how it is made."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from httpx import Response

from returns_portal.accounts import actions
from returns_portal.accounts.rules import CUSTOMER_SESSION, STAFF_SESSION
from returns_portal.web.signing import SESSION_COOKIE
from tests.portal import Portal
from tests.webclient import Browser, add_staff, send


async def come_in(browser: Browser, portal: Portal, number: str) -> None:
    """As a customer who has proven that the order is theirs."""
    async with portal.begin() as db:
        order_id = (await portal.rows("SELECT id FROM orders WHERE number = :number", number=number))[0].id
        token = await actions.open_session(db, lasting=CUSTOMER_SESSION, order_id=order_id)
    _carry(browser, token)


async def sign_in(browser: Browser, portal: Portal, email: str, *roles: str) -> None:
    """As a new member of staff."""
    async with portal.begin() as db:
        staff_id = await add_staff(db, email, *roles)
        token = await actions.open_session(db, lasting=STAFF_SESSION, staff_id=staff_id)
    _carry(browser, token)


def _carry(browser: Browser, token: str) -> None:
    browser.cookies.set(SESSION_COOKIE, token, domain="127.0.0.1")


def words(answer: Response) -> str:
    """What a page says, without its markup, every gap one space."""
    main = answer.text.split("<main", 1)[-1].split("</main>", 1)[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


def value(answer: Response, field: str) -> str:
    """What a hidden field of a page holds."""
    found = re.search(rf'name="{field}" value="([^"]*)"', answer.text)
    assert found, f"no field {field}"
    return unescape(found[1])


async def post(browser: Browser, path: str, fields: Mapping[str, Any] | None = None) -> Response:
    return await send(browser, path, fields or {}, seen="/")
