"""What is not in stock, at every place where somebody looks for it or answers."""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.catalog.actions import put_product
from returns_portal.demand import asking, telling
from returns_portal.demand.answering import Reply, answer
from returns_portal.demand.asking import Asked
from returns_portal.demand.following import follow
from returns_portal.demand.links import request_path
from returns_portal.demand.models import Source, State
from returns_portal.demand.places import PlaceInput, add_place
from returns_portal.service.asking import Asked as Question
from returns_portal.service.asking import ask
from returns_portal.shop.queries import current
from tests.catalog.shelves import a_product, a_variant
from tests.exchanges.samples import a_boot
from tests.portal import API, Portal
from tests.webclient import add_staff

HANDLE = "wander-boot"
SHOPS = (
    ("Kestrel & Sons", "https://kestrel.example/wander-boot", 3),
    ("Donaudampfschifffahrtsgesellschaftsausstattungshaus", "https://donau.example/schuhe/wander-boot?size=43", 40),
)


async def wanted(portal: Portal) -> list[tuple[str, str]]:
    """The name of each case, and what it goes by: a request, a question, or the path of a page."""
    async with portal.begin() as db:
        staff_id = await add_staff(db, "vera@shop.example", "support")
        variants = [a_variant(f"WB-{size}", stock=0 if size == 43 else 2) for size in (42, 43, 44)]
        await put_product(db, API, a_product(HANDLE, title="Wander boot", variants=variants))
        vera = Actor(kind="staff", id=str(staff_id), grants=frozenset({"support"}), name="Vera")
        today = clock.now().date()
        places = [
            await add_place(db, vera, _place(shop, url, today - timedelta(days=days)), today)
            for shop, url, days in SHOPS
        ]
        opened = await _ask(portal, db, "Ich brauche sie für den Winter.\nGern auch gebraucht.", "ana@example.com")
        answered = await _ask(portal, db, "", "boris@example.com")
        await answer(db, vera, portal.settings, answered, Reply(state=State.ELSEWHERE, words="Gern!", places=places))
        gloves = Asked(source=Source.PRODUCT, locale="uk", what="Теплі рукавиці з дуже довгою назвою")
        unknown = await asking.ask(db, SYSTEM, portal.settings, gloves)
        await follow(db, places[0], None)
        question_id = await _question(portal, db)
    await _come_back(portal)
    return [
        ("request", str(opened)),
        ("request answered", str(answered)),
        ("request of nobody", str(unknown)),
        ("request, ending", request_path(portal.settings, opened, ends=True)),
        ("request, kept", request_path(portal.settings, opened)),
        ("question with a request", str(question_id)),
        ("elsewhere", str(places[0])),
    ]


def _place(shop: str, url: str, seen_on: date) -> PlaceInput:
    return PlaceInput(product=HANDLE, size="43", shop=shop, url=url, price=17990, currency="EUR", seen_on=seen_on)


async def _ask(portal: Portal, db: AsyncConnection, words: str, email: str) -> UUID:
    wish = Asked(
        source=Source.PRODUCT, locale="de", product=HANDLE, size="43", words=words, email=email, consent="Einverstanden"
    )
    return await asking.ask(db, SYSTEM, portal.settings, wish)


async def _question(portal: Portal, db: AsyncConnection) -> UUID:
    asked = Question(body="Bekommen Sie ihn in 43?", email="cora@example.com", locale="en", product=HANDLE)
    question_id = await ask(db, SYSTEM, await current(db), asked)
    wish = Asked(source=Source.QUESTION, locale="en", product=HANDLE, size="43", question_id=question_id, names=False)
    await asking.ask(db, SYSTEM, portal.settings, wish)
    return question_id


async def _come_back(portal: Portal) -> None:
    """Boris orders what he had asked for."""
    later = clock.now() + timedelta(minutes=1)
    lines = [a_boot(sku="WB-42")]
    await portal.order(number="3961", email="boris@example.com", placed_at=later, lines=lines, delivered_at=None)
    async with portal.begin() as db:
        await telling.note_who_came_back(db)
