"""What tests of questions begin with: a shop that is there on weekdays, somebody who asks, people who answer."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from returns_portal.actor import SYSTEM, Actor
from returns_portal.service import answering, asking, pace
from returns_portal.service.asking import Asked
from returns_portal.service.queries import UNSAID, QuestionView, messages_of, question_for
from returns_portal.shop import queries
from returns_portal.shop.actions import update_shop
from returns_portal.shop.hours import Channel, Hours
from tests.portal import Portal
from tests.webclient import add_staff

DAY = ((540, 1080),)
"""From nine to six."""
HOURS = Hours(written=Channel(week=(DAY, DAY, DAY, DAY, DAY, (), ())), goal_minutes=240)
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
"""Ten o'clock in Sofia."""
STRANGER = Actor(kind="customer")


async def open_shop(portal: Portal) -> None:
    async with portal.begin() as db:
        await update_shop(db, SYSTEM, hours=HOURS)
    queries.forget()
    pace.forget()


async def hire(portal: Portal, email: str = "olga@example.com", *roles: str) -> Actor:
    async with portal.begin() as db:
        staff_id = await add_staff(db, email, *(roles or ("support",)))
    return Actor(kind="staff", id=str(staff_id), grants=frozenset(roles or ("support",)), name="Mira")


async def asks(
    portal: Portal,
    body: str = "Is it waterproof?",
    email: str = "ana@example.com",
    *,
    by: Actor = STRANGER,
    **more: Any,  # noqa: ANN401 - fields
) -> UUID:
    async with portal.begin() as db:
        asked = Asked(body=body, email=email, locale="en", **more)
        return await asking.ask(db, by, await queries.current(db), asked)


async def view(portal: Portal, question_id: UUID) -> QuestionView:
    async with portal.begin() as db:
        return await question_for(db, SYSTEM, question_id)


async def said_until_now(portal: Portal, question_id: UUID) -> int:
    """How many messages there are but for notes, as a page that is opened now has them."""
    async with portal.begin() as db:
        found = await messages_of(db, SYSTEM, question_id)
    return sum(one.kind not in UNSAID for one in found)


async def answers(portal: Portal, who: Actor, question_id: UUID, body: str = "It is.", seen: int = 0) -> None:
    seen = seen or await said_until_now(portal, question_id)
    async with portal.begin() as db:
        await answering.reply(db, who, question_id, body, seen=seen)


async def writes(portal: Portal, question_id: UUID, body: str = "And warm?") -> None:
    async with portal.begin() as db:
        await asking.write(db, Actor(kind="customer", question_id=question_id), question_id, body)


async def story(portal: Portal, question_id: UUID) -> list[str]:
    rows = await portal.rows(
        "SELECT action FROM history WHERE subject_id = :id AND subject = 'question' ORDER BY at, id", id=question_id
    )
    return [row.action for row in rows]


async def letters(portal: Portal) -> list[Any]:
    return list(await portal.rows("SELECT template, recipient, values, locale FROM email ORDER BY created_at, id"))
