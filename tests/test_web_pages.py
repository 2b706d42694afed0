"""Pages: templates, formats, redirects, the API's description, readiness."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from html import unescape

import minijinja
import pytest
from sqlalchemy import text

from returns_portal import clock, i18n
from returns_portal.db import Begin
from returns_portal.settings import Settings
from returns_portal.web import local_path
from returns_portal.web.drawings import drawing_for
from returns_portal.web.formats import format_date, format_datetime, money, number, zone
from returns_portal.web.schema import kind_of
from returns_portal.web.signing import derive, seal, unseal
from returns_portal.web.templates import Templates
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(settings: Settings, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(settings, database_url) as client:
        yield client


async def test_every_page_has_the_shop_its_contacts_and_the_withdrawal(browser: Browser) -> None:
    for path in ("/", "/sign-in", "/nowhere", "/schema"):
        page = (await browser.get(path)).text
        assert "Nord &amp; Sund" in page
        assert 'href="tel:+35970012345"' in page
        assert 'href="mailto:help@nordsund.example"' in page
        assert "Withdraw from contract here" in page
        assert "Sandbox – no money moves" in page
        assert 'role="status"' in page


async def test_readiness_tells_the_settings_that_keep_what_was_committed(browser: Browser, begin: Begin) -> None:
    answer = await browser.get("/readyz")
    async with begin() as db:
        fsync = (await db.execute(text("SHOW fsync"))).scalar_one()
    assert answer.status_code == 200
    found = answer.json()
    assert (found["status"], found["database"]["fsync"]) == ("ok", fsync)
    assert set(found["database"]) == {"fsync", "full_page_writes", "synchronous_commit"}


async def test_a_database_of_another_version_is_not_ready(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    answer = await browser.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "migrations are missing")
    assert (await browser.get("/livez")).json() == {"status": "ok"}


async def test_without_a_database_the_process_lives_and_says_so(settings: Settings) -> None:
    nowhere = "postgresql://postgres@127.0.0.1:9/none"
    async with browsing(settings, nowhere) as browser:
        assert (await browser.get("/livez")).status_code == 200
        assert (await browser.get("/readyz")).status_code == 503
        answer = await browser.get("/")
        assert answer.status_code == 503
        assert "try again in a moment" in answer.text
        assert "127.0.0.1:9" not in answer.text


async def test_the_api_is_described_without_foreign_scripts(browser: Browser) -> None:
    document = (await browser.get("/schema/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    for operation in (operation for item in document["paths"].values() for operation in item.values()):
        assert "application/problem+json" in operation["responses"]["default"]["content"]
        assert "400" not in operation["responses"]
    assert {"type", "title", "status", "code"} <= set(document["components"]["schemas"]["Problem"]["required"])
    page = (await browser.get("/schema")).text
    assert "<script" not in page
    shown = unescape(page)
    for path, operations in document["paths"].items():
        assert path in shown
        for operation in operations.values():
            assert operation["summary"] in shown


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ({"$ref": "#/components/schemas/Line"}, "Line"),
        ({"type": "array", "items": {"$ref": "#/x/Line"}}, "list of Line"),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"type": ["integer", "null"]}, "integer or null"),
        ({"enum": ["original", "points"]}, '"original" | "points"'),
        ({"type": "string", "format": "uuid"}, "string (uuid)"),
        ({}, "anything"),
    ],
)
def test_types_are_told_in_a_few_words(shape: dict[str, object], words: str) -> None:
    assert kind_of(shape) == words


@pytest.mark.parametrize("path", ["/station", "/orders/10%2F42?page=2", "/"])
def test_paths_of_this_site_are_followed(path: str) -> None:
    assert local_path(path, otherwise="/else") == path


@pytest.mark.parametrize(
    "target",
    [
        "",
        "station",
        "//evil.example",
        "///evil.example",
        "https://evil.example",
        "http:evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "//[",
    ],
)
def test_other_targets_are_not(target: str) -> None:
    assert local_path(target, otherwise="/else") == "/else"


def test_amounts_are_written_with_every_minor_unit() -> None:
    assert money(11691, "EUR") == "€116.91"
    assert money(5000, "JPY") == "¥5,000"
    assert money(-1299, "EUR") == "-€12.99"
    assert number(12860) == "12,860"


def test_days_are_days_of_the_shops_zone() -> None:
    token = zone.set("Europe/Sofia")
    moment = datetime(2026, 11, 16, 23, 12, tzinfo=UTC)
    assert format_datetime(moment) == "17 November 2026, 01:12"
    assert format_date(moment) == "17 November 2026"
    assert format_date(date(2026, 11, 17), "day") == "Tuesday 17 November"
    zone.reset(token)


def test_templates_escape_and_refuse_unknown_names() -> None:
    templates = Templates()
    templates.environment.add_template("a.html", "{{ name }}")
    templates.environment.add_template("a.txt", "{{ name }}")
    assert templates.render("a.html", name="<b>") == "&lt;b&gt;"
    assert templates.render("a.txt", name="<b>") == "<b>"
    with pytest.raises(minijinja.TemplateError):
        templates.render("a.html")


@pytest.mark.parametrize(
    ("title", "drawing"),
    [
        ("Trail Runner GTX", "shoe"),
        ("Wool Socks (3-pack)", "socks"),
        ("Oxford Shirt, slim", "shirt"),
        ("Selvedge Jeans", "trousers"),
        ("Rain Jacket", "jacket"),
        ("Leather Belt", "accessory"),
        ("Черевики шкіряні", "shoe"),
        ("Чорапи", "socks"),
    ],
)
def test_goods_are_drawn_by_their_title(title: str, drawing: str) -> None:
    assert drawing_for(title) == drawing


def test_a_sealed_value_comes_back_until_its_time_is_over() -> None:
    key = derive(b"secret", "test")
    sealed = seal(key, [b"challenge", 1], lasting=timedelta(minutes=10))
    assert unseal(key, sealed) == [b"challenge", 1]
    assert unseal(derive(b"secret", "other"), sealed) is None
    assert unseal(key, sealed[:-2] + "AA") is None
    # Spelt in another way it is not it: what is spent by its text could be used again.
    for other in (f"{sealed}!", f"{sealed}=", f"{sealed[:7]}.{sealed[7:]}", f" {sealed}", f"{sealed}é"):
        assert unseal(key, other) is None, other
    assert unseal(key, "") is None
    assert unseal(key, "é") is None
    with clock.shifted(timedelta(minutes=11)):
        assert unseal(key, sealed) is None


def test_languages_without_a_catalog_are_english() -> None:
    assert i18n.supported("fr") == "en"
    assert i18n.preferred("fr, en;q=0.5") == "en"
    with i18n.speaking("fr-CH"):
        assert i18n.current() == "en"
        assert i18n.translate("{n} of {total}", n=1, total=2) == "1 of 2"
        assert i18n.ngettext("{n} item", "{n} items", 2) == "2 items"
    assert i18n.mark("Hello") == "Hello"
