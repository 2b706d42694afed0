"""The report by the JSON API's key."""

import csv
import io
from collections.abc import AsyncIterator

import pytest

from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin
from returns_portal.settings import Settings
from tests.finance.seed import stories
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

PATH = "/api/v1/reports/refunds.csv"


@pytest.fixture
async def program(settings: Settings, database_url: str, begin: Begin) -> AsyncIterator[Browser]:
    """A program with a key for reports."""
    async with begin() as db:
        key = await create_api_key(db, SYSTEM, "books", ["reports:read"])
    async with browsing(settings, database_url) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client


async def test_a_period_is_exported(program: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 20)
    answer = await program.get(PATH, params={"from": "2026-11-01", "to": "2026-11-01"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="refunds-2026-11-01-2026-11-01.csv"' in answer.headers["content-disposition"]
    assert len(list(csv.DictReader(io.StringIO(answer.text, newline="")))) == 20
    filed = await program.get(PATH, params={"from": "2026-10-22", "to": "2026-10-22", "basis": "requested"})
    assert len(list(csv.DictReader(io.StringIO(filed.text, newline="")))) == 20
    assert (await program.get(PATH, params={"bom": "true"})).content.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-13-01"}, "from"),
        ({"to": "tomorrow"}, "to"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "from"),
        ({"basis": "mood"}, "basis"),
    ],
)
async def test_what_is_no_period_names_its_field(program: Browser, query: dict[str, str], field: str) -> None:
    answer = await program.get(PATH, params=query)
    assert answer.status_code == 422
    assert answer.json()["field"] == field


async def test_a_key_without_the_scope_is_refused(settings: Settings, database_url: str, begin: Begin) -> None:
    async with begin() as db:
        key = await create_api_key(db, SYSTEM, "orders", ["orders:read"])
    async with browsing(settings, database_url) as client:
        assert (await client.get(PATH)).status_code == 401
        assert (await client.get(PATH, headers={"Authorization": f"Bearer {key}"})).status_code == 403
