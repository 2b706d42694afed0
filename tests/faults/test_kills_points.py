"""Points: whoever is killed between any two steps, they are given once, taken once, and told of once."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
import pytest

from returns_portal import clock
from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.payments.models import Tender
from tests.faults.ground import Ground
from tests.faults.worker import Call
from tests.points.purse import buy, give, hold, policy

pytestmark = pytest.mark.anyio

STEPS = {"before take", "after take", "before commit", "after commit", "before finish", "after finish"}
ASKED = {"before commit", "after commit", "before the answer"}
REDEMPTIONS = "/api/v1/points/redemptions"


def customer(ground_of: str, point: str) -> str:
    return f"{ground_of}-{point}@example.com"


async def entries(ground: Ground, email: str, kind: str) -> int:
    """How often something was posted to a customer's points."""
    [row] = await ground.rows(
        "SELECT count(DISTINCT t.id) AS count FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id"
        " JOIN points_account a ON a.id = e.owner_id WHERE a.email_key = :email AND t.kind = :kind",
        email=email,
        kind=kind,
    )
    return int(row.count)


async def expires(ground: Ground, email: str, when: timedelta) -> None:
    """Let a customer have 100 points that expire then."""
    await give(ground, 100, email=email)
    await ground.rows(
        "UPDATE points_lot SET expires_at = :moment WHERE account_id ="
        " (SELECT id FROM points_account WHERE email_key = :email) RETURNING id",
        moment=clock.now() + when,
        email=email,
    )


async def test_points_that_expire(ground: Ground) -> None:
    async def arrange(point: str) -> str:
        email = customer("expire", point)
        await expires(ground, email, timedelta(days=-1))
        await ground.ask_for("points.expire")
        return email

    async def prove(email: str) -> None:
        assert await ground.points(email) in ({}, {"EUR": 0})
        assert await entries(ground, email, "points_expired") == 1

    assert set(await ground.killed_everywhere(arrange, prove)) == STEPS


async def test_the_notice_that_points_expire(ground: Ground) -> None:
    async def arrange(point: str) -> str:
        email = customer("remind", point)
        await expires(ground, email, timedelta(days=20))
        await ground.ask_for("points.remind")
        return email

    async def prove(email: str) -> None:
        rows = await ground.rows("SELECT template FROM email WHERE recipient = :email", email=email)
        assert sorted(row.template for row in rows) == ["points_expiring", "points_given"]

    assert set(await ground.killed_everywhere(arrange, prove)) == STEPS


async def test_points_for_a_purchase(ground: Ground) -> None:
    async def arrange(point: str) -> str:
        email = customer("earn", point)
        await buy(ground, f"EARN-{point}", (Tender.EXTERNAL, 10_000), email=email)
        return email

    async def prove(email: str) -> None:
        assert await ground.points(email) == {"EUR": 500}
        assert await entries(ground, email, "points_earned") == 1

    await policy(ground, points_rate=50)
    try:
        assert set(await ground.killed_everywhere(arrange, prove)) == STEPS
    finally:
        await policy(ground, points_rate=0)


async def test_a_hold_that_nobody_captured(ground: Ground) -> None:
    async def arrange(point: str) -> str:
        email = customer("hold", point)
        await give(ground, 100, email=email)
        with clock.shifted(timedelta(days=-1)):
            await hold(ground, 60, email=email)
        await ground.ask_for("points.release")
        return email

    async def prove(email: str) -> None:
        assert await ground.points(email) == {"EUR": 100}
        assert await entries(ground, email, "points_released") == 1

    assert set(await ground.killed_everywhere(arrange, prove)) == STEPS


class Purse(NamedTuple):
    """A customer's points, and those that are held."""

    email: str
    held: UUID


async def asking(ground: Ground) -> dict[str, str]:
    """The headers of the shop's checkout."""
    async with ground.begin() as db:
        key = await create_api_key(db, SYSTEM, "checkout", ["points:write"])
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


async def test_points_that_a_checkout_holds(ground: Ground) -> None:
    headers = await asking(ground)

    async def arrange(point: str) -> str:
        email = customer("checkout", point)
        await give(ground, 100, email=email)
        return email

    def call(email: str) -> Call:
        body = {"email": email, "currency": "EUR", "amount": 60}
        return Call("POST", REDEMPTIONS, msgspec.json.encode(body), headers | {"Idempotency-Key": email})

    async def prove(email: str) -> None:
        again = await ground.process(call=call(email))
        answer = msgspec.json.decode(again.body)
        assert (again.status, answer["status"], answer["amount"]) == (201, "held", 60)
        assert await ground.points(email) == {"EUR": 40}
        assert await entries(ground, email, "points_held") == 1

    assert set(await ground.killed_everywhere(arrange, prove, call=call)) == ASKED


async def test_held_points_that_are_spent(ground: Ground) -> None:
    headers = await asking(ground)

    async def arrange(point: str) -> Purse:
        email = customer("spend", point)
        await give(ground, 100, email=email)
        return Purse(email, (await hold(ground, 60, email=email)).id)

    def call(purse: Purse) -> Call:
        return Call("POST", f"{REDEMPTIONS}/{purse.held}/capture", msgspec.json.encode({"amount": 45}), headers)

    async def prove(purse: Purse) -> None:
        again = await ground.process(call=call(purse))
        answer = msgspec.json.decode(again.body)
        assert (again.status, answer["status"], answer["captured"]) == (200, "captured", 45)
        assert await ground.points(purse.email) == {"EUR": 55}
        assert await entries(ground, purse.email, "points_captured") == 1

    assert set(await ground.killed_everywhere(arrange, prove, call=call)) == ASKED
