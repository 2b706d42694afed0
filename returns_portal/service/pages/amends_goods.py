"""Making good with goods: a label for what goes back, or the same sent anew; noted in the thread like all else."""

from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.idempotency import once
from returns_portal.actor import Actor
from returns_portal.claims.actions import file_claim
from returns_portal.claims.deciding import REASONS, Verdict, decide, worth
from returns_portal.claims.models import Kind, Remedy
from returns_portal.claims.queries import claim_for
from returns_portal.claims.rules import ClaimWish
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import _, mark, translate
from returns_portal.refunds.goodwill import MAX_REASON
from returns_portal.returns.actions import Wanted
from returns_portal.service import amends
from returns_portal.service.pages.amends import AMENDS, MAX_NUMBER, key_of, show_amends
from returns_portal.service.pages.thread import QUEUE, By, Db, support
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo, current
from returns_portal.web import Form, flash, form, formats, redirect, site

AnyRequest = Request[Any, Any, State]

_MARKED: Final = frozenset({"answer"})
"""Fields of the form that say by themselves what is wrong with them."""


@post(f"{AMENDS}/label", guards=support, status_code=200)
async def label(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """File a return of what was chosen; its label goes to the customer."""
    sent = await form(request)
    number = sent.text("order", limit=MAX_NUMBER)

    async def work() -> tuple[int, object]:
        wanted = [Wanted(line_id, units) for line_id, units in _units(sent).items()]
        settings = site(request).settings
        filed = await amends.send_label(db, actor, settings, await current(db), question_id, number, wanted)
        return 303, filed.rma

    done = _("Filed. The customer gets the label by e-mail.")
    return await _once(request, db, actor, question_id, sent, work, done)


@post(f"{AMENDS}/anew", guards=support, status_code=200)
async def anew(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Send what was chosen once more: a claim for the customer, decided as one that they have made themselves."""
    sent = await form(request)
    number = sent.text("order", limit=MAX_NUMBER)

    async def work() -> tuple[int, object]:
        await amends.order_of_question(db, actor, question_id, number)
        shop = await current(db)
        wish = ClaimWish(units=_units(sent), kind=_kind(sent), remedy=Remedy.REPLACEMENT)
        claim_id = await file_claim(db, actor, shop, number, wish)
        verdict = Verdict(decision="replacement", answer=sent.text("answer", limit=MAX_REASON))
        waits = await _decide(db, actor, site(request).settings, shop, claim_id, verdict)
        if waits:
            claim = await claim_for(db, actor, claim_id)
            values = {"amount": formats.money(worth(claim), claim.currency), "number": number}
            reason = verdict.answer or translate(REASONS[wish.kind])
            said = _("{amount} of order {number} wait for a second person: {reason}", **values, reason=reason)
        else:
            said = _("What was wrong with order {number} is sent anew.", number=number)
        told: dict[str, object] = {"claim": str(claim_id)}
        action = "asked_anew" if waits else "sent_anew"
        await amends.noted(db, actor, question_id, said, f"/claims/{claim_id}", (action, told))
        return 303, "waits" if waits else ""

    done = _("It is set aside and sent. The customer is told by e-mail.")
    return await _once(request, db, actor, question_id, sent, work, done)


async def _decide(
    db: AsyncConnection, actor: Actor, settings: Settings, shop: ShopInfo, claim_id: UUID, verdict: Verdict
) -> bool:
    """Decide the claim that was filed; whether it waits for somebody else, since it is above one person's limit."""
    try:
        async with db.begin_nested():
            await decide(db, actor, settings, shop, claim_id, verdict)
    except ConflictError as error:
        if error.code != "own_request":
            raise
        return True
    return False


async def _once(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    question_id: UUID,
    sent: Form,
    work: Any,  # noqa: ANN401 - what is done
    done: str,
) -> Response[Any]:
    """Do it once for this form; what cannot be is said above everything that was typed."""
    number = sent.text("order", limit=MAX_NUMBER)
    await amends.order_of_question(db, actor, question_id, number)
    # The way is part of what is wished: a label and a new item are two things, of the same form.
    wish = [request.scope["path"], number, sorted(sent.all("line")), msgspec.to_builtins(dict(sent))]
    try:
        async with db.begin_nested():
            _status, answer, _again = await once(db, actor, key_of(sent, question_id, wish), b"", work)
    except (InvalidError, ConflictError) as error:
        field = error.field if error.field in _MARKED else ""
        errors = {field or "": translate(error.sentence, **error.values)}
        return await show_amends(request, db, actor, question_id, number, sent, errors, error.status)
    if answer == "waits":
        flash(request, _("This is above the limit of one person, so somebody else approves it first."), "wait")
    else:
        flash(request, done)
    return redirect(f"{QUEUE}/{question_id}")


def _units(sent: Form) -> dict[UUID, int]:
    """The lines that were chosen, and how many of each.

    Raises:
        InvalidError: none was, one is no line, or no number is given.
    """
    try:
        chosen = {line: UUID(line) for line in sent.all("line")}
    except ValueError:
        raise InvalidError(mark("Choose at least one item.")) from None
    if not chosen:
        raise InvalidError(mark("Choose at least one item."))
    return {line_id: sent.number(f"quantity-{line}", default=1) for line, line_id in chosen.items()}


def _kind(sent: Form) -> Kind:
    """What is wrong with it.

    Raises:
        InvalidError: that is not said.
    """
    try:
        return Kind(sent.get("kind", ""))
    except ValueError:
        raise InvalidError(mark("Say what is wrong with it.")) from None


routes: list[Any] = [label, anew]
