"""E-mails: whoever is killed between any two steps, each goes out, and what goes out twice has the same Message-ID."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP
from pydantic import SecretStr

from returns_portal.db import run
from returns_portal.jobs import JobContext
from returns_portal.notifications.actions import Letter, enqueue_many
from returns_portal.notifications.delivery import LEASE
from returns_portal.notifications.mailer import Mailer
from returns_portal.payments.stripe import StripeGateway
from tests.faults.ground import Ground
from tests.notifications.samples import SAMPLES
from tests.notifications.test_delivery import Postbox

pytestmark = pytest.mark.anyio

NEVER_TWICE = 2
"""How often a letter goes out at most: once by whoever was killed, and once by whoever went on."""


async def test_every_letter_goes_out(ground: Ground) -> None:
    postbox = Postbox()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(postbox, enable_SMTPUTF8=True, hostname="mail.test"), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    ground.settings = ground.settings.model_copy(
        update={"smtp_url": SecretStr(f"smtp://127.0.0.1:{port}"), "mail_from": "returns@shop.example"}
    )
    ground.context = JobContext(
        ground.begin, ground.settings, ground.context.service(StripeGateway), Mailer(ground.settings)
    )

    async def arrange(point: str) -> list[UUID]:
        async with ground.begin() as db:
            await run(db, "UPDATE email SET status = 'sent', sent_at = now() WHERE status = 'queued'")
            letters = [
                Letter("return_filed", f"{name}-{point}@example.org", "en", SAMPLES["return_filed"]) for name in "ab"
            ]
            await enqueue_many(db, letters)
            rows = await run(db, "SELECT id FROM email WHERE status = 'queued'")
        await ground.ask_for("notifications.deliver")
        return [row.id for row in rows]

    async def prove(letters: list[UUID]) -> None:
        assert len(letters) == 2
        went = Counter(str(message["Message-ID"]) for message in postbox.messages)
        for letter in letters:
            copies = [message for message in postbox.messages if str(letter) in str(message["Message-ID"])]
            assert 1 <= went[f"<{letter}@shop.example>"] == len(copies) <= NEVER_TWICE
            assert len({(copy["To"], copy["Subject"]) for copy in copies}) == 1
        rows = await ground.rows("SELECT DISTINCT status FROM email WHERE id = ANY(:ids)", ids=letters)
        assert [row.status for row in rows] == ["sent"]

    killed = await ground.killed_everywhere(arrange, prove, ahead=LEASE)
    assert {killed[f"{side} {step}"] for side in ("before", "after") for step in ("CONNECT", "QUIT")} == {1}
    assert {killed[f"{side} {step}"] for side in ("before", "after") for step in ("MAIL", "RCPT", "DATA")} == {2}
    server.close()
    await server.wait_closed()
