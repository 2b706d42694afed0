"""What people looked for and was not in stock: whose it is, and what is forgotten of it."""

import msgspec
import pytest

from returns_portal.actor import SYSTEM
from returns_portal.demand import asking
from returns_portal.demand.answering import Reply, answer
from returns_portal.demand.asking import Asked
from returns_portal.demand.models import Source, State
from returns_portal.privacy.collecting import everything_of
from returns_portal.privacy.erasing import erase
from returns_portal.privacy.people import person_of
from returns_portal.shop.queries import DEFAULT
from tests.demand.things import STRANGER, hire, place, stock
from tests.portal import Portal
from tests.privacy.lives import EMAIL, NAME, traces
from tests.service.things import answers, asks, open_shop

pytestmark = pytest.mark.anyio


async def test_what_was_looked_for_is_in_the_file_and_goes(portal: Portal) -> None:
    await open_shop(portal)
    await stock(portal)
    place_id, olga = await place(portal), await hire(portal)
    question_id = await asks(portal, "In 43, please", EMAIL, name=NAME)
    await answers(portal, olga, question_id)
    wishes = (
        Asked(
            source=Source.PRODUCT, locale="en", product="boot", size="43", words=NAME, email=EMAIL, consent="I agree"
        ),
        Asked(source=Source.QUESTION, locale="en", what=f"Gloves for {NAME}", question_id=question_id),
        Asked(source=Source.PRODUCT, locale="en", product="boot", size="43", email="eve@example.com", consent="yes"),
    )
    async with portal.begin() as db:
        ids = [await asking.ask(db, STRANGER, portal.settings, wish) for wish in wishes]
        reply = Reply(state=State.ELSEWHERE, words=f"Dear {NAME}", places=[place_id])
        await answer(db, olga, portal.settings, ids[0], reply)
        found = msgspec.to_builtins(await everything_of(db, await person_of(db, EMAIL), DEFAULT))
    first, second = found["looked_for"]
    assert (first["what"], first["size"], first["words"], first["agreed_to"]) == (
        "Chelsea <Boot>",
        "43",
        NAME,
        "I agree",
    )
    assert first["named"] == ["Kestrel & Sons", "Kestrel & Sons"]
    assert second["what"] == f"Gloves for {NAME}"
    async with portal.begin() as db:
        await erase(db, SYSTEM, EMAIL)
    assert await traces(portal) == {}
    rows = await portal.rows("SELECT wish, email, what FROM product_request ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("ended", "", "Chelsea <Boot>"),
        ("ended", "", "Gloves for […]"),
        ("waiting", "eve@example.com", "Chelsea <Boot>"),
    ]


async def test_a_wish_alone_makes_somebody_known(portal: Portal) -> None:
    await stock(portal)
    async with portal.begin() as db:
        assert not (await person_of(db, EMAIL)).known
        wish = Asked(source=Source.PRODUCT, locale="en", product="boot", size="43", email=EMAIL, consent="yes")
        await asking.ask(db, STRANGER, portal.settings, wish)
        assert (await person_of(db, EMAIL)).known
