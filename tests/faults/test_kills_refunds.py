"""Refunds: whoever is killed between any two steps, the money goes back once, and the books say so."""

from typing import Any, NamedTuple

import pytest

from returns_portal import clock
from returns_portal.orders.intake import PaymentInput
from returns_portal.payments import inbox
from returns_portal.payments.models import Tender
from returns_portal.refunds import failed
from returns_portal.refunds.filing import FiledReturn
from returns_portal.returns.models import RefundTo
from tests.faults.ground import Ground
from tests.payments.webhooks import dashboard_refund
from tests.portal import FINANCE
from tests.refunds.samples import LIKE_NEW

pytestmark = pytest.mark.anyio

CARD = PaymentInput(tender=Tender.STRIPE, amount=20_000)
POINTS = PaymentInput(tender=Tender.POINTS, amount=12_290)


class Story(NamedTuple):
    """A return on its way to its refund."""

    number: str
    email: str
    filed: FiledReturn


async def returned(
    ground: Ground,
    number: str,
    *,
    units: int = 1,
    to: RefundTo = RefundTo.ORIGINAL,
    paid_first: bool = True,
    **order: Any,  # noqa: ANN401 - the fields of an order
) -> Story:
    """A return that has arrived, so that its refunds stand in the queue; the payment, too, if it was not made first."""
    email = f"customer-{number}@example.com".lower()
    _, [line] = await ground.order(number=number, email=email, **order)
    if paid_first:
        await ground.here()
    filed = await ground.file(number, (line, units), to=to)
    await ground.receive(filed.rma, (line, units, LIKE_NEW))
    return Story(number, email, filed)


async def at_gateway(ground: Ground, number: str) -> list[tuple[str, int]]:
    """What the sandbox holds of an order's refunds: status and amount, the oldest first."""
    found = ground.refunds_at_gateway(await ground.reference(number))
    assert len({refund["metadata"].get("refund_id", refund["id"]) for refund in found}) == len(found)
    return [(refund["status"], refund["amount"]) for refund in found]


async def mails_of(ground: Ground, story: Story) -> list[str]:
    rows = await ground.rows(
        "SELECT template FROM email WHERE subject_id = :id ORDER BY created_at, id", id=story.filed.id
    )
    return [row.template for row in rows]


async def booked(ground: Ground, number: str) -> dict[str, int]:
    """What stands on each account because of an order's refunds and disputes."""
    rows = await ground.rows(
        "SELECT e.account, sum(e.amount)::bigint AS amount FROM ledger_entry e"
        " JOIN ledger_transaction t ON t.id = e.transaction_id"
        " WHERE t.cause_id IN (SELECT f.id FROM refund f JOIN orders o ON o.id = f.order_id WHERE o.number = :n"
        " UNION ALL SELECT d.id FROM dispute d JOIN payment p ON p.id = d.payment_id"
        " JOIN orders o ON o.id = p.order_id WHERE o.number = :n)"
        " GROUP BY e.account HAVING sum(e.amount) <> 0",
        n=number,
    )
    return {row.account: row.amount for row in rows}


@pytest.mark.parametrize("days", [0, 1])
async def test_a_card_refund(ground: Ground, days: int) -> None:
    """Whoever goes on may do so a day later, when the gateway has forgotten the keys."""

    async def a_day_later() -> None:
        ground.sandbox.control("keys/forget", older_than_hours=0)

    async def prove(story: Story) -> None:
        assert await at_gateway(ground, story.number) == [("succeeded", 15_900)]
        assert await ground.statuses(story.filed) == ["succeeded"]
        assert await mails_of(ground, story) == ["return_filed", "checked_in", "refunded"]
        assert await booked(ground, story.number) == {"sales_returns": 15_900, "gateway_clearing": -15_900}

    killed = await ground.killed_everywhere(
        lambda point: returned(ground, f"CARD-{days}-{point}"), prove, meanwhile=a_day_later if days else None
    )
    assert killed == {
        "before take": 2,
        "after take": 2,
        "before commit": 2,
        "after commit": 2,
        "before POST /v1/refunds": 1,
        "after POST /v1/refunds": 1,
        "before finish": 1,
        "after finish": 1,
    }


async def test_a_refund_whose_answers_are_lost(ground: Ground) -> None:
    async def arrange(point: str) -> Story:
        story = await returned(ground, f"LOST-{point}")
        ground.sandbox.control("faults", kind="drop", method="POST", path="/v1/refunds", times=3)
        return story

    async def prove(story: Story) -> None:
        ground.sandbox.http.delete("/_sandbox/faults")
        assert await at_gateway(ground, story.number) == [("succeeded", 15_900)]
        assert await ground.statuses(story.filed) == ["succeeded"]

    killed = await ground.killed_everywhere(arrange, prove)
    assert killed["before POST /v1/refunds"] == 3
    assert killed["before retry"] == killed["after retry"] == 1


async def test_a_refund_as_points(ground: Ground) -> None:
    async def prove(story: Story) -> None:
        assert await ground.points(story.email) == {"EUR": 15_900 + 1_590}
        assert await ground.statuses(story.filed) == ["succeeded"]
        assert await at_gateway(ground, story.number) == []
        assert await mails_of(ground, story) == ["return_filed", "checked_in", "refunded"]

    await ground.killed_everywhere(lambda point: returned(ground, f"POINTS-{point}", to=RefundTo.POINTS), prove)


async def test_a_refund_to_card_and_points(ground: Ground) -> None:
    async def arrange(point: str) -> Story:
        return await returned(ground, f"SPLIT-{point}", units=2, payments=[CARD, POINTS])

    async def prove(story: Story) -> None:
        assert await at_gateway(ground, story.number) == [("succeeded", 20_000)]
        assert await ground.points(story.email) == {"EUR": 12_290}
        assert await ground.statuses(story.filed) == ["succeeded", "succeeded"]
        assert (await mails_of(ground, story)).count("refunded") == 2

    await ground.killed_everywhere(arrange, prove)


async def test_a_payment_that_is_made_while_its_refund_waits(ground: Ground) -> None:
    async def arrange(point: str) -> Story:
        payment = PaymentInput(tender=Tender.STRIPE, amount=32_290, refunded_before=490)
        return await returned(ground, f"WAITS-{point}", paid_first=False, payments=[payment])

    async def prove(story: Story) -> None:
        [row] = await ground.rows(
            "SELECT p.id FROM payment p JOIN orders o ON o.id = p.order_id WHERE o.number = :n", n=story.number
        )
        [made] = ground.payments_at_gateway(row.id)
        assert (made["id"], made["status"]) == (await ground.reference(story.number), "succeeded")
        found = ground.refunds_at_gateway(made["id"])
        assert [(refund["status"], refund["amount"]) for refund in found] == [("succeeded", 490), ("succeeded", 15_900)]
        assert await ground.statuses(story.filed) == ["succeeded"]

    killed = await ground.killed_everywhere(arrange, prove)
    assert killed["after POST /v1/payment_intents"] == 1
    assert killed["after POST /v1/refunds"] == 2


async def test_a_refund_that_the_gateway_finishes_later(ground: Ground) -> None:
    async def arrange(point: str) -> Story:
        story = await returned(ground, f"LATER-{point}")
        ground.sandbox.control("refund-outcomes", status="pending")
        await ground.here()
        assert await ground.statuses(story.filed) == ["pending"]
        [refund] = await ground.refunds(story.filed)
        ground.sandbox.control(f"refunds/{refund.gateway_id}/settle", status="succeeded")
        await ground.ask_for("refunds.poll")
        return story

    async def prove(story: Story) -> None:
        assert await at_gateway(ground, story.number) == [("succeeded", 15_900)]
        assert await ground.statuses(story.filed) == ["succeeded"]
        assert (await mails_of(ground, story)).count("refunded") == 1

    await ground.killed_everywhere(arrange, prove)


async def came_back(ground: Ground, number: str) -> Story:
    """A refund that succeeded until the bank sent it back, which only the gateway knows yet."""
    story = await returned(ground, number)
    await ground.here()
    [refund] = await ground.refunds(story.filed)
    assert refund.gateway_id is not None
    ground.sandbox.control(f"refunds/{refund.gateway_id}/settle", status="failed")
    await ground.ask_for("refunds.read_refund", gateway_id=refund.gateway_id)
    return story


async def test_a_refund_that_comes_back(ground: Ground) -> None:
    async def prove(story: Story) -> None:
        assert await ground.statuses(story.filed) == ["failed"]
        assert await booked(ground, story.number) == {"sales_returns": 15_900, "refunds_payable": -15_900}
        assert (await mails_of(ground, story)).count("refund_failed") == 1

    await ground.killed_everywhere(lambda point: came_back(ground, f"BACK-{point}"), prove)


async def test_another_try(ground: Ground) -> None:
    async def arrange(point: str) -> Story:
        story = await came_back(ground, f"AGAIN-{point}")
        await ground.here()
        [refund] = await ground.refunds(story.filed)
        async with ground.begin() as db:
            await failed.try_again(db, FINANCE, refund.id)
        return story

    async def prove(story: Story) -> None:
        assert await at_gateway(ground, story.number) == [("failed", 15_900), ("succeeded", 15_900)]
        assert await ground.statuses(story.filed) == ["succeeded"]
        assert await booked(ground, story.number) == {"sales_returns": 15_900, "gateway_clearing": -15_900}

    await ground.killed_everywhere(arrange, prove)


async def made_elsewhere(ground: Ground, number: str) -> str:
    """A refund that somebody made in the gateway's dashboard, of which alone the gateway keeps events."""
    ground.sandbox.control("events", keep=False)
    await ground.order(number=number)
    await ground.here()
    async with ground.begin() as db:
        # The stories before this one have been read.
        for name in ("refunds", "events"):
            await inbox.set_read_until(db, name, clock.now() + inbox.OVERLAP)
    ground.sandbox.control("events", keep=True)
    dashboard_refund(ground.sandbox, await ground.reference(number), 700)
    return number


@pytest.mark.parametrize("job", ["refunds.sweep", "payments.poll_events"])
async def test_a_refund_that_was_made_elsewhere(ground: Ground, job: str) -> None:
    async def arrange(point: str) -> str:
        number = await made_elsewhere(ground, f"{job}-{point}")
        await ground.ask_for(job)
        return number

    async def prove(number: str) -> None:
        assert await at_gateway(ground, number) == [("succeeded", 700)]
        rows = await ground.rows(
            "SELECT f.kind, f.status FROM refund f JOIN orders o ON o.id = f.order_id WHERE o.number = :n", n=number
        )
        assert [(row.kind, row.status) for row in rows] == [("outside", "succeeded")]
        assert await booked(ground, number) == {"sales_returns": 700, "gateway_clearing": -700}

    killed = await ground.killed_everywhere(arrange, prove)
    ground.sandbox.control("events", keep=False)
    assert killed["after GET /v1/refunds"] >= 1


async def test_a_dispute_that_is_lost(ground: Ground) -> None:
    async def arrange(point: str) -> Story:
        story = await returned(ground, f"DISPUTE-{point}")
        await ground.here()
        payment = await ground.reference(story.number)
        dispute = ground.sandbox.control("disputes", payment_intent=payment, amount=None, inquiry=False)
        ground.sandbox.control(f"disputes/{dispute['id']}/settle", status="lost")
        await ground.ask_for("refunds.read_dispute", gateway_id=dispute["id"])
        return story

    async def prove(story: Story) -> None:
        lost = 32_290 - 15_900
        assert await booked(ground, story.number) == {
            "sales_returns": 15_900,
            "dispute_losses": lost,
            "gateway_clearing": -15_900 - lost,
        }

    await ground.killed_everywhere(arrange, prove)


async def test_credit_notes(ground: Ground) -> None:
    async def arrange(point: str) -> Story:
        story = await returned(ground, f"NOTE-{point}")
        await ground.here()
        await ground.ask_for("finance.number_credit_notes")
        return story

    async def prove(story: Story) -> None:
        [refund] = await ground.refunds(story.filed)
        notes = await ground.rows("SELECT kind FROM credit_note WHERE refund_id = :id", id=refund.id)
        assert [note.kind for note in notes] == ["credit_note"]
        [series] = await ground.rows("SELECT count(*) AS count, max(number) AS last FROM credit_note")
        assert series.count == series.last

    await ground.killed_everywhere(arrange, prove)
