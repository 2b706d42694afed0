"""The demo's outbox, over HTTP."""

from html import unescape
from pathlib import Path
from uuid import UUID

import pytest
from litestar.testing import AsyncTestClient
from pydantic import SecretStr
from sqlalchemy import select
from sqlmodel import col

from returns_portal.app import create_app
from returns_portal.db import Begin
from returns_portal.ids import new_id
from returns_portal.notifications.actions import Letter, enqueue_many
from returns_portal.notifications.delivery import deliver_due
from returns_portal.notifications.mailer import Mailer
from returns_portal.notifications.models import Email
from returns_portal.notifications.queries import PAGE
from returns_portal.settings import Settings
from returns_portal.web.envelope import MAIL_POLICY
from tests.notifications.samples import RMA, SAMPLES, URL

pytestmark = pytest.mark.anyio


async def letters(begin: Begin, settings: Settings, count: int = 1) -> list[UUID]:
    async with begin() as db:
        some = Letter("return_filed", "olena@example.org", "en", SAMPLES["return_filed"])
        await enqueue_many(db, [some] * count)
    assert await deliver_due(begin, Mailer(settings)) == count
    async with begin() as db:
        return [*(await db.execute(select(col(Email.id)).order_by(col(Email.id).desc()))).scalars()]


async def test_the_list_shows_the_newest_and_leads_to_the_rest(
    begin: Begin, settings: Settings, database_url: str
) -> None:
    ids = await letters(begin, settings, PAGE + 3)
    async with AsyncTestClient(create_app(settings, database_url=database_url), base_url="http://127.0.0.1") as client:
        first = await client.get("/outbox")
        assert first.status_code == 200
        assert f"/outbox/{ids[0]}" in first.text
        assert f"/outbox/{ids[PAGE]}" not in first.text
        second = await client.get("/outbox", params={"before": str(ids[PAGE - 1])})
        assert f"/outbox/{ids[PAGE]}" in second.text
        assert f"/outbox/{ids[-1]}" in second.text
        assert f"/outbox/{ids[0]}" not in second.text
        assert "Next page" in first.text
        assert "Next page" not in second.text


async def test_an_email_is_shown_as_text_with_links_and_framed_as_html(
    begin: Begin, settings: Settings, database_url: str
) -> None:
    (email_id,) = await letters(begin, settings)
    async with AsyncTestClient(create_app(settings, database_url=database_url), base_url="http://127.0.0.1") as client:
        shown = await client.get(f"/outbox/{email_id}")
        assert shown.status_code == 200
        assert f'<a href="{URL}">' in unescape(shown.text)
        assert "Wool Beanie &lt;b&gt;&amp;" in shown.text
        assert f'src="/outbox/{email_id}/html" sandbox' in unescape(shown.text)
        (policy,) = shown.headers.get_list("content-security-policy")
        assert "frame-src 'self'" in policy
        assert "unsafe-inline" not in policy
        html = await client.get(f"/outbox/{email_id}/html")
        assert html.headers.get_list("content-security-policy") == [MAIL_POLICY]
        assert RMA in html.text
        assert (await client.get(f"/outbox/{new_id()}")).status_code == 404


async def test_outside_of_the_demo_there_is_no_outbox(
    begin: Begin, settings: Settings, database_url: str, tmp_path: Path
) -> None:
    (email_id,) = await letters(begin, settings)
    real = Settings(
        data_dir=tmp_path,
        secret_key=settings.secret_key,
        demo=False,
        smtp_url=SecretStr("smtps://mail.example"),
        mail_from="help@shop.example",
    )
    async with AsyncTestClient(create_app(real, database_url=database_url), base_url="http://127.0.0.1") as client:
        for path in ("/outbox", f"/outbox/{email_id}", f"/outbox/{email_id}/html"):
            answer = await client.get(path)
            assert answer.status_code == 404
            assert "olena" not in answer.text
