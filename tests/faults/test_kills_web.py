"""What people and other systems ask of the web, which is killed between any two steps, and is asked again."""

from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pytest
from pydantic import SecretStr

from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.claims.actions import file_claim
from returns_portal.claims.deciding import Verdict, decide
from returns_portal.claims.models import Kind, Remedy
from returns_portal.claims.rules import ClaimWish
from returns_portal.labels.queries import label_content
from returns_portal.labels.render import render_label
from returns_portal.shop.queries import DEFAULT
from tests.faults.ground import Ground
from tests.faults.worker import Call
from tests.payments.webhooks import dashboard_refund, kept
from tests.portal import API

pytestmark = pytest.mark.anyio

SECRET = "whsec_of_this_test"


class Wish(NamedTuple):
    """An order of which a unit is to go back."""

    number: str
    line: UUID


async def label_of(ground: Ground, number: str) -> tuple[str, bytes]:
    """The number of the order's one return, and its label for the label printer."""
    [row] = await ground.rows(
        "SELECT r.rma FROM returns r JOIN orders o ON o.id = r.order_id JOIN label l ON l.return_id = r.id"
        " WHERE o.number = :n",
        n=number,
    )
    async with ground.begin() as db:
        content = await label_content(db, API, row.rma, shop=DEFAULT, sandbox=True)
    return row.rma, render_label(content, "4x6")


async def test_a_label(ground: Ground) -> None:
    async with ground.begin() as db:
        key = await create_api_key(db, SYSTEM, "faults", ["returns:write"])

    async def arrange(point: str) -> Wish:
        number = f"LABEL-{point}"
        _, [line] = await ground.order(number=number, email=f"label-{point}@example.com")
        await ground.here()
        return Wish(number, line)

    def call(wish: Wish) -> Call:
        body: dict[str, Any] = {"order_number": wish.number, "lines": [{"line_id": str(wish.line), "quantity": 1}]}
        headers = {
            "Authorization": f"Bearer {key}",
            "Idempotency-Key": wish.number,
            "Content-Type": "application/json",
        }
        return Call("POST", "/api/v1/returns", msgspec.json.encode(body), headers)

    async def prove(wish: Wish) -> None:
        rma, label = await label_of(ground, wish.number)
        again = await ground.process(call=call(wish))
        assert (again.status, msgspec.json.decode(again.body)["rma"]) == (201, rma)
        assert await label_of(ground, wish.number) == (rma, label)
        rows = await ground.rows(
            "SELECT template FROM email WHERE recipient = :email", email=f"{wish.number.lower()}@example.com"
        )
        assert [row.template for row in rows] == ["return_filed"]

    killed = await ground.killed_everywhere(arrange, prove, call=call)
    assert set(killed) == {"before commit", "after commit", "before the answer"}


async def test_what_is_sent_anew(ground: Ground) -> None:
    """Killed between any two steps, it has left once or not at all, and its claim says the same."""
    async with ground.begin() as db:
        key = await create_api_key(db, SYSTEM, "faults", ["exchanges:write"])

    async def arrange(point: str) -> str:
        number = f"ANEW-{point}"
        _, [line] = await ground.order(number=number, email=f"anew-{point}@example.com")
        await ground.here()
        async with ground.begin() as db:
            wish = ClaimWish(units={line: 1}, kind=Kind.FAULTY, remedy=Remedy.REPLACEMENT)
            claim_id = await file_claim(db, API, DEFAULT, number, wish)
            await decide(db, API, ground.settings, DEFAULT, claim_id, Verdict(decision="replacement"))
        [row] = await ground.rows("SELECT number FROM replacement WHERE claim_id = :id", id=claim_id)
        return str(row.number)

    def call(number: str) -> Call:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        body = msgspec.json.encode({"carrier": "Econt", "tracking": "105"})
        return Call("POST", f"/api/v1/replacements/{number}/shipment", body, headers)

    async def prove(number: str) -> None:
        again = await ground.process(call=call(number))
        assert (again.status, msgspec.json.decode(again.body)["status"]) == (200, "sent")
        [row] = await ground.rows(
            "SELECT c.id, c.closed_at = n.sent_at AS over FROM item_claim c JOIN replacement n ON n.claim_id = c.id"
            " WHERE n.number = :n",
            n=number,
        )
        assert row.over
        mails = await ground.rows("SELECT template FROM email WHERE subject_id = :id ORDER BY id", id=row.id)
        assert [mail.template for mail in mails] == ["claim_received", "claim_decided", "replacement_sent"]

    killed = await ground.killed_everywhere(arrange, prove, call=call)
    assert set(killed) == {"before commit", "after commit", "before the answer"}


async def test_an_event(ground: Ground) -> None:
    ground.settings = ground.settings.model_copy(update={"stripe_webhook_secret": SecretStr(SECRET)})
    with kept(ground.sandbox) as events:

        async def arrange(point: str) -> str:
            number = f"EVENT-{point}"
            await ground.order(number=number, email=f"event-{point}@example.com")
            await ground.here()
            return str(dashboard_refund(ground.sandbox, await ground.reference(number), 700)["id"])

        def call(refund: str) -> Call:
            event = next(event for event in events.of(refund) if event["type"] == "refund.created")
            body, signature = events.signed(event["id"], secret=SECRET)
            return Call("POST", "/webhooks/stripe", body, {"Stripe-Signature": signature})

        async def prove(refund: str) -> None:
            rows = await ground.rows("SELECT handled_at FROM gateway_event WHERE object_id = :id", id=refund)
            assert [row.handled_at is not None for row in rows] == [True]
            rows = await ground.rows("SELECT kind, status, amount FROM refund WHERE gateway_id = :id", id=refund)
            assert [tuple(row) for row in rows] == [("outside", "succeeded", 700)]

        killed = await ground.killed_everywhere(arrange, prove, call=call)
        assert set(killed) == {"before commit", "after commit", "before the answer"}

        # What follows from an event is a job.
        async def delivered(point: str) -> str:
            refund = await arrange(f"JOB-{point}")
            assert (await ground.process(call=call(refund))).status == 200
            return refund

        killed = await ground.killed_everywhere(delivered, prove)
        assert killed["after GET /v1/refunds"] == 1
