"""Questions at every place where somebody waits or looks: by form and by e-mail, without an order and of orders."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.service import answering
from returns_portal.service.asking import Asked, ask
from returns_portal.service.files import kept
from returns_portal.service.mail import read
from returns_portal.service.mailbox import Raw
from returns_portal.service.receiving import take
from returns_portal.shop.queries import current
from returns_portal.web.links import reply_address
from tests.portal import Portal
from tests.webclient import add_staff

STATES = ("asked", "promised", "answered", "closed")


async def asked(portal: Portal, enter: Callable[[str, str], Awaitable[Any]]) -> list[tuple[str, UUID, str]]:
    """The name of each case, its question, and the session of its customer."""
    async with portal.begin() as db:
        staff_id = await add_staff(db, "olga@shop.example", "support")
    olga = Actor(kind="staff", id=str(staff_id), grants=frozenset({"support"}), name="Olga")
    cases = [("question by mail", await _by_mail(portal), "")]
    for place, state in enumerate(STATES):
        number = str(3801 + place)
        await portal.order(number=number)
        entered = await enter(f"order, question {state}", number)
        [order] = await portal.rows("SELECT id, email FROM orders WHERE number = :n", n=number)
        question_id = await _ask(portal, order.id, order.email)
        await _bring(portal, olga, question_id, state)
        cases.append((f"question {state}", question_id, entered.token))
    return cases


async def _bring(portal: Portal, olga: Actor, question_id: UUID, state: str) -> None:
    """Bring a question that waits to where it is to be seen."""
    async with portal.begin() as db:
        if state == "promised":
            await answering.promise(db, olga, question_id, clock.now() + timedelta(days=2), "Wir fragen nach.")
            await answering.note(db, olga, question_id, "Stammkundin, bitte bevorzugt")
        if state in {"answered", "closed"}:
            await answering.reply(db, olga, question_id, "Ja, ist er.\n\nIhre Olga", seen=1)
        if state == "closed":
            await answering.close(db, olga, question_id)


async def _by_mail(portal: Portal) -> UUID:
    """A question with more by e-mail: files, what it answers, and what a machine added."""
    question_id = await _ask(portal, None, "ana@example.com")
    settings = portal.settings.model_copy(update={"imap_address": "help@shop.example"})
    for uid, machine in enumerate((False, True)):
        message = EmailMessage()
        message["From"] = "Ana <ana@arbeit.example>"
        message["To"] = reply_address(settings, question_id)
        if machine:
            message["Auto-Submitted"] = "auto-replied"
        message.set_content("Hier ist ein Bild.\n\nAm Montag schrieb Nord & Sund:\n> Gern!")
        for name in ("Regenmantel-mit-sehr-langem-Dateinamen-von-der-Kamera-20261123.pdf", "Tabelle.xlsx"):
            data = b"%PDF-1.7" if name.endswith("pdf") else b"PK"
            message.add_attachment(data, "application", "octet-stream", filename=name)
        incoming = read(message.as_bytes())
        async with portal.begin() as db:
            await take(db, settings, Raw(1, uid + 1, b""), incoming, await kept(incoming.attachments))
    return question_id


async def _ask(portal: Portal, order_id: UUID | None, email: str) -> UUID:
    body = "Ist der Regenmantel wirklich wasserdicht, auch nach Donaudampfschifffahrtsgesellschaftsreisen?"
    async with portal.begin() as db:
        asking = Asked(body=body, email=email, locale="en", name="Ana Petrova", order_id=order_id)
        return await ask(db, SYSTEM, await current(db), asking)
