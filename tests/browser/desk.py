"""The desk of those who answer: questions of customers of whom much is known, and a colleague who has one open."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.db import insert_rows
from returns_portal.points.adjusting import open_account, request
from returns_portal.service.answering import say_topic
from returns_portal.service.asking import Asked, ask
from returns_portal.service.desk_models import QuestionPresence
from returns_portal.service.models import Topic
from returns_portal.service.snippets import keep
from returns_portal.shop.queries import current
from tests.portal import FINANCE, Portal
from tests.webclient import add_staff

EMAIL = "katarina.dimitrova-stoyanova@beispielhafte-adresse.example"
NUMBERS = tuple(str(number) for number in range(3901, 3908))
QUESTIONS = {
    "desk": "Der Karton kam ganz durchnässt an, und die Stiefel haben Flecken. Was nun?",
    "desk by keys": "Der linke Schuh fehlt in der Schachtel.",
    "desk together": "Wann kommt mein Paket?",
}


async def desk(portal: Portal, enter: Callable[[str, str], Awaitable[Any]]) -> list[tuple[str, UUID, str]]:
    """The name of each case, its question, and the session of its customer."""
    for number in NUMBERS:
        await portal.order(number=number, email=EMAIL, shipped_at=clock.now() - timedelta(days=5))
    [order] = await portal.rows("SELECT id FROM orders WHERE number = :n", n=NUMBERS[0])
    async with portal.begin() as db:
        await request(db, FINANCE, await open_account(db, FINANCE, EMAIL), "EUR", 1500, "Thank you")
        maria = await add_staff(db, "maria@shop.example", "support")
        words = {"en": "Dear {customer},\n\nyour order {order} is on its way.\n\n{staff}, {shop}"}
        await keep(db, SYSTEM, "On its way", words | {"de": "Guten Tag {customer},\n\nIhre Bestellung {order} ist da."})
    cases = []
    for name, body in QUESTIONS.items():
        entered = await enter(f"order, {name}", NUMBERS[0])
        async with portal.begin() as db:
            asked = Asked(body=body, email=EMAIL, locale="de", name="Katarina Dimitrova", order_id=order.id)
            question_id = await ask(db, SYSTEM, await current(db), asked)
            await say_topic(db, SYSTEM, question_id, Topic.DAMAGED)
        cases.append((name, question_id, entered.token))
    now = clock.now()
    # Her page says so from time to time; here it has said so for the whole of the test.
    there = {"question_id": cases[0][1], "staff_id": maria, "since": now, "seen_at": now + timedelta(days=1)}
    async with portal.begin() as db:
        await insert_rows(db, (QuestionPresence, [there]))
    return cases
