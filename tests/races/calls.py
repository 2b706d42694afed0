"""What the processes do: each an action of the portal as its faces and workers call it."""

import os
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final
from uuid import UUID

import httpx
import msgspec

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.jobs import drain
from returns_portal.payments.stripe import StripeGateway
from returns_portal.points import redemptions
from returns_portal.points.redemptions import Hold
from returns_portal.refunds import actions, approvals, disputed, settling
from returns_portal.refunds.goodwill import Gesture, give
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted
from tests.faults.worker import application, queue_of
from tests.portal import API, FINANCE
from tests.races.herd import Here

SUPPORT: Final = Actor(kind="staff", id="ana", grants=frozenset({"support"}))
GENEROUS: Final = msgspec.structs.replace(DEFAULT, goodwill_limit=10**9)
"""A shop in which one person may give whatever is left."""


async def approve(here: Here, gesture_id: UUID) -> str:
    async with here.context.begin() as db:
        return str((await approvals.approve(db, FINANCE, here.settings, gesture_id)).decision)


async def hold(here: Here, email: str, amount: int) -> str:
    async with here.context.begin() as db:
        return (await redemptions.hold(db, API, Hold(email, "EUR", amount))).status


async def check_in(here: Here, rma: str, line: UUID, units: int) -> str:
    counted = [Counted(line, units, Condition.RESELLABLE)]
    async with here.context.begin() as db:
        await actions.receive(db, API, here.settings, rma, counted)
    return "counted"


async def gift(here: Here, number: str, amount: int) -> str:
    async with here.context.begin() as db:
        wish = Gesture(order_number=number, reason="The parcel came late.", amount=amount)
        await give(db, SUPPORT, here.settings, GENEROUS, wish)
    return f"gave {amount}"


async def submit(here: Here, refund_id: UUID, disputes: int = 0) -> str:
    """Send a refund, once so many disputes are known."""
    while disputes:
        async with here.context.begin() as db:
            if len(await run(db, "SELECT id FROM dispute")) >= disputes:
                break
    await settling.submit(here.context, refund_id)
    return "submitted"


async def read_dispute(here: Here, gateway_id: str) -> str:
    await disputed.read(here.context, gateway_id)
    return "read"


async def work(here: Here, stalls: str = "") -> str:
    """A worker's jobs, as far as they are due; its process stands still `before` or `after` a refund is sent."""
    if stalls:
        gateway: Any = here.context.service(StripeGateway)
        gateway.refund = partial(_stalling, gateway.refund, stalls)
    await drain(queue_of(here.database_url, here.context), concurrency=3)
    return "worked"


async def _stalling(send: Callable[..., Awaitable[Any]], when: str, **request: object) -> object:
    if when == "before":
        os.kill(os.getpid(), signal.SIGSTOP)
    answer: object = await send(**request)
    if when == "after":
        os.kill(os.getpid(), signal.SIGSTOP)
    return answer


async def deliver(here: Here, body: bytes, signature: str) -> str:
    """One delivery, as the gateway's to this process of the web."""
    app = application()
    site = app.state.site
    site.settings, site.begin = here.settings, here.context.begin
    headers = {"stripe-signature": signature, "content-type": "application/json"}
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # httpx has looser types for ASGI
    async with httpx.AsyncClient(transport=transport, base_url="https://127.0.0.1") as client:
        return str((await client.post("/webhooks/stripe", content=body, headers=headers)).status_code)
