"""The tables of questions come and go on a database that has something in it."""

from email.message import EmailMessage

import psycopg
import pytest
from alembic import command

from returns_portal import migrate
from returns_portal.service.mail import read
from returns_portal.service.mailbox import Raw
from returns_portal.service.receiving import take
from returns_portal.web.links import reply_address
from tests.portal import Portal
from tests.service.things import answers, asks, hire, open_shop

pytestmark = pytest.mark.anyio

HOURS, QUESTIONS, MAILBOX = "0050", "0051", "0052"


async def test_what_is_known_stays_as_far_as_it_can_be_held(portal: Portal, database_url: str) -> None:
    await open_shop(portal)
    question_id = await asks(portal)
    await answers(portal, await hire(portal), question_id)
    settings = portal.settings.model_copy(update={"imap_address": "help@shop.example"})
    message = EmailMessage()
    message["From"], message["To"] = "ana@example.com", reply_address(settings, question_id)
    message["Auto-Submitted"] = "auto-replied"
    message.set_content("I am away")
    async with portal.begin() as db:
        await take(db, settings, Raw(1, 1, b""), read(message.as_bytes()), [])
    config = migrate._config(database_url)
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as driver:
        command.downgrade(config, QUESTIONS)
        kinds = driver.execute("SELECT kind FROM question_message ORDER BY id").fetchall()
        assert kinds == [("customer",), ("staff",)]
        command.upgrade(config, MAILBOX)
        assert driver.execute("SELECT DISTINCT quoted FROM question_message").fetchall() == [("",)]
        command.downgrade(config, HOURS)
        assert driver.execute("SELECT hours -> 'goal_minutes' FROM shop").fetchall() == [(240,)]
        command.upgrade(config, "head")
        assert driver.execute("SELECT count(*) FROM question").fetchall() == [(0,)]
