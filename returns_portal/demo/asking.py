"""What was asked in the demo shop's year: questions that support answered, and what people looked for in vain."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin, run
from returns_portal.demand import answering as demand
from returns_portal.demand import telling
from returns_portal.demand.asking import Asked as LookedFor
from returns_portal.demand.asking import ask as look_for
from returns_portal.demand.following import follow
from returns_portal.demand.models import Source, State
from returns_portal.demand.pages.missing import consent
from returns_portal.demand.places import PlaceInput, add_place, change_place
from returns_portal.demand.rules import WISH_LASTS
from returns_portal.demo.dates import loading_day
from returns_portal.demo.mails import all_told
from returns_portal.demo.plan import Question, Sought, planned
from returns_portal.demo.sales import OLDEST
from returns_portal.demo.staffing import staff_of
from returns_portal.demo.words import ASKED
from returns_portal.i18n import speaking
from returns_portal.ids import new_id
from returns_portal.service.answering import close, reply, say_topic
from returns_portal.service.asking import Asked, actor_of, begin_thread
from returns_portal.service.rating import rate
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo, current

ELSEWHERE: Final = (
    ("chelsea-boot", "Schuhhaus Lindgren", "https://lindgren-schuhe.example/chelsea", 195_00),
    ("trail-runner-gtx", "Polaris Outdoor", "https://polaris-outdoor.example/trail-runner", 134_90),
    ("linen-dress", "Atelier Lauku", "https://lauku.example/linen-dress", 125_00),
)
"""Other shops with what it has of ours; none of them exists."""

_ASKED: Final = "SELECT 1 FROM question WHERE email = :email AND opened_at = :at"
_LIVED: Final = "SELECT 1 FROM history WHERE subject = 'shop' AND action = 'demo_lived' LIMIT 1"
_DONE: Final = "SELECT 1 FROM history WHERE subject = 'shop' AND action = 'demo_asked' LIMIT 1"
_NAMED: Final = "SELECT id FROM referral WHERE request_id = :id ORDER BY id"
_ORDER: Final = "SELECT id FROM orders WHERE number = :number"


async def answer_all(db: AsyncConnection, support: Actor, questions: Sequence[Question], day: datetime) -> None:
    """Have these questions asked, answered and closed, each in its time; those that are there stay as they are."""
    for question in questions:
        at = day - question.ago
        if not await run(db, _ASKED, email=question.buyer.email, at=at):
            await _ask(db, support, question, at, day)


async def _ask(db: AsyncConnection, support: Actor, question: Question, at: datetime, day: datetime) -> None:
    buyer = question.buyer
    locale = buyer.country.locale
    orders = await run(db, _ORDER, number=question.order) if question.order else []
    by = Actor(kind="customer", order_id=orders[0].id if orders else None)
    body, answer = ASKED[question.topic][locale]
    asked = Asked(
        body=body, email=buyer.email, name=buyer.name, locale=locale, order_id=by.order_id, product=question.handle
    )
    shop = await current(db)
    with clock.at(at):
        question_id, _message = await begin_thread(db, by, shop, asked)
    if question.answered is None:
        return
    answered = _in_service(shop, at + question.answered)
    with clock.at(answered):
        await say_topic(db, support, question_id, question.topic)
        await reply(db, support, question_id, answer, seen=1)
    if question.closed is None or (closed := _in_service(shop, answered + question.closed)) > day:
        return
    with clock.at(closed):
        await close(db, support, question_id)
    if question.helped is not None and (rated := closed + timedelta(hours=3)) < day:
        with clock.at(rated):
            await rate(db, actor_of(by, question_id), question_id, helped=question.helped, comment="")


def _in_service(shop: ShopInfo, at: datetime) -> datetime:
    """This moment, or, where nobody is there then, a little after somebody comes."""
    begins = shop.hours.schedule("written", shop.timezone).opens_next(at)
    return begins + timedelta(minutes=12 + at.minute) if begins else at


async def look_around(begin: Begin, settings: Settings) -> None:
    """Have people look for what is not in stock, and name other shops to them; once, and all of it or nothing.

    A demo that was loaded by an earlier version has no year, and people may have changed its stock and its staff.
    """
    async with begin() as db:
        if not await run(db, _LIVED) or await run(db, _DONE):
            return
        day = await loading_day(db)
        support = (await staff_of(db))["support"]
        places = [await _listed(db, support, place, day) for place in ELSEWHERE]
        named = dict(zip((handle for handle, *_ in ELSEWHERE), places, strict=True))
        for sought in planned().sought:
            await _look(db, settings, support, sought, day, named.get(sought.handle))
        for ago, handle in planned().visits:
            with clock.at(day - ago):
                await follow(db, named[handle], None)
        await all_told(db, day)
        with clock.at(day - timedelta(days=OLDEST - WISH_LASTS.days)):
            # Of half a year at a time, as it is done every ten minutes.
            await telling.note_who_came_back(db)
        await telling.end_old(db)
        await history.record(db, SYSTEM, ("shop", new_id(), "demo_asked", {}))


async def _listed(db: AsyncConnection, support: Actor, place: tuple[str, str, str, int], day: datetime) -> UUID:
    """On the list since the year began, and looked at again a few days ago, so that nobody has to now."""
    handle, shop, url, price = place
    first, last = day - timedelta(days=OLDEST + 1), day - timedelta(days=4)
    entry = PlaceInput(product=handle, shop=shop, url=url, price=price, currency="EUR", seen_on=first.date())
    with clock.at(first):
        place_id = await add_place(db, support, entry, first.date())
    with clock.at(last):
        again = msgspec.structs.replace(entry, seen_on=last.date())
        await change_place(db, support, place_id, again, last.date())
    return place_id


async def _look(
    db: AsyncConnection, settings: Settings, support: Actor, sought: Sought, day: datetime, place: UUID | None
) -> None:
    """Ask for one size of one colour, answer it, and go where it leads."""
    at, locale = day - sought.ago, sought.buyer.country.locale
    with speaking(locale):
        agreed = consent()
    wish = LookedFor(
        source=Source.PRODUCT,
        locale=locale,
        product=sought.handle,
        size=sought.size,
        color=sought.color,
        email=sought.buyer.email if sought.told else "",
        consent=agreed,
    )
    with clock.at(at):
        request_id = await look_for(db, Actor(kind="customer"), settings, wish)
    if sought.answered is not None:
        with clock.at(at + sought.answered):
            state, places = (State.ELSEWHERE, [place]) if place and not sought.coming else (State.COMING, [])
            await demand.answer(db, support, settings, request_id, demand.Reply(state=state, places=places))
    if place and sought.went:
        [referral, *_others] = await run(db, _NAMED, id=request_id)
        with clock.at(at + timedelta(minutes=4)):
            await follow(db, place, referral.id)
