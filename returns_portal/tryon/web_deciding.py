"""What the customer says of the items of a trial.

One form with several buttons: whichever is pressed, all of it is sent, so that nothing that was chosen or typed
elsewhere in it is lost.
"""

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import DomainError, NotFoundError
from returns_portal.i18n import _, ngettext
from returns_portal.photos import MAX_BYTES, rebuild
from returns_portal.tryon import deciding
from returns_portal.tryon.models import Decision
from returns_portal.tryon.pages.words import sentence
from returns_portal.tryon.queries import Item, TrialView, trial_for
from returns_portal.tryon.showing import Errors, answer, back, read
from returns_portal.web import Form, flash, form, form_with_file, site
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]
Number = FromPath[str]

MAX_REPORT: Final = 4 * MAX_BYTES
"""Bytes of the form. A photo that is too large is let in to its end, so that the words beside it can be given back."""
_SAID: Final = {word.value: word for word in (Decision.KEEP, Decision.RETURN)}


@post("/trials/{number:str}/decisions", status_code=200)
async def decide(request: AnyRequest, number: Number) -> Response[Any]:
    """Take what was said of some items, or of all."""
    sent = await form(request)
    try:
        async with asking(request) as (db, actor):
            view = await deciding.decide(db, actor, number, _said(await trial_for(db, actor, number), sent))
    except NotFoundError:
        raise
    except DomainError as error:
        return await _again(request, number, sent, {"": sentence(error)})
    left = len(view.undecided)
    done = _("Noted. You can change it until the end of the trial.")
    if left:
        done = ngettext("Noted. {n} item is still open.", "Noted. {n} items are still open.", left)
    return await _done(request, view, sent, done)


@post("/trials/{number:str}/items/{item_id:uuid}/problem", status_code=200, request_max_body_size=MAX_REPORT)
async def report_problem(request: AnyRequest, number: Number, item_id: FromPath[UUID]) -> Response[Any]:
    """Something is wrong with an item: it is not charged; a photo helps with the carrier."""
    sent, data = await form_with_file(request, f"photo-{item_id}", beside="photo-", most=MAX_BYTES)
    async with asking(request) as (db, actor):
        # Whose trial it is is known before anything is made of a stranger's picture.
        await trial_for(db, actor, number)
    try:
        # Rebuilding takes a moment, and no transaction waits for it.
        photo = await rebuild(data) if data else None
        async with site(request).begin() as db:
            view = await _report(db, actor, number, item_id, sent)
            if photo is not None:
                await deciding.add_photo(db, actor, number, item_id, photo)
    except NotFoundError:
        raise
    except DomainError as error:
        return await _again(request, number, sent, {f"problem-{item_id}": sentence(error)})
    done = _("Thank you for telling us. We are sorry. You are not charged for it.")
    return await _done(request, view, sent, done, reported=item_id)


async def _report(db: AsyncConnection, actor: Actor, number: str, item_id: UUID, sent: Form) -> TrialView:
    """Record the problem, and what was chosen for other items before the button was pressed."""
    said = {**_said(await trial_for(db, actor, number), sent), item_id: Decision.PROBLEM}
    problem = sent.get(f"kind-{item_id}", "damaged"), sent.text(f"note-{item_id}", limit=1000)
    return await deciding.decide(db, actor, number, said, {item_id: problem})


def _said(view: TrialView, sent: Form) -> dict[UUID, Decision]:
    return {item.id: _SAID[sent[f"item-{item.id}"]] for item in view.items if sent.get(f"item-{item.id}") in _SAID}


async def _done(
    request: AnyRequest, view: TrialView, sent: Form, done: str, *, reported: UUID | None = None
) -> Response[Any]:
    """Say that it is done, and which words of other items were typed and are not sent yet."""
    unsent = [item for item in view.items if item.id != reported and _is_new(sent, item)]
    if not unsent:
        flash(request, done)
        return back(view.number)
    told = _("What you chose is noted. This is not sent yet: press the button below it, or empty the field.")
    return await _again(request, view.number, sent, {f"problem-{item.id}": told for item in unsent})


def _is_new(sent: Form, item: Item) -> bool:
    """Whether something was typed of it that is not known yet. Browsers send other line ends than they were given."""
    typed = sent.get(f"note-{item.id}", "").splitlines()
    return bool(typed) and typed != item.problem_note.splitlines()


async def _again(request: AnyRequest, number: str, sent: Form, errors: Errors) -> Response[Any]:
    """The page, with everything that was typed and chosen."""
    async with asking(request) as (db, actor):
        shown = await read(request, db, actor, number)
    return await answer(request, shown, typed=sent, errors=errors)


routes: list[Any] = [decide, report_problem]
