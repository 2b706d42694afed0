"""What those do who call: take a call, and say what came of it. Everything under the call's lock."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.confirming.models import ENDS, CallState, OrderCallTry, Outcome, Reason
from returns_portal.confirming.queries import CallView, call_for
from returns_portal.confirming.rules import check_again
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.ids import new_id

MAX_NOTE: Final = 1000
TAKEN_FOR: Final = timedelta(minutes=30)
"""How long a call stays with whoever took it: longer than one takes, shorter than a forgotten one may block it."""
AGAIN_AFTER: Final = timedelta(hours=2)
"""When a customer who was not reached is tried again, where nobody says when."""


async def _lock(db: AsyncConnection, actor: Actor, call_id: UUID) -> CallView:
    actor.require("support")
    await run(db, "SELECT id FROM order_call WHERE id = :id FOR UPDATE", id=call_id)
    return await call_for(db, actor, call_id)


def _refuse_twice(call: CallView, actor: Actor) -> None:
    """Refuse to call whom somebody else is calling.

    Raises:
        ConflictError: somebody took it a short while ago (`taken`).
    """
    if call.taken_by and str(call.taken_by) != actor.id and held(call.taken_at):
        raise ConflictError(mark("{name} is calling this customer already."), code="taken", name=call.taken_name)


def held(taken_at: datetime | None) -> bool:
    """Whether a call that was taken at a moment is still in somebody's hands."""
    return taken_at is not None and clock.now() - taken_at < TAKEN_FOR


_TAKE: Final = "UPDATE order_call SET taken_by = :staff_id, taken_at = :now, changed_at = :now WHERE id = :id"


async def take(db: AsyncConnection, actor: Actor, call_id: UUID) -> None:
    """Say that one calls now. Said again, it is theirs for as long again.

    Raises:
        NotFoundError: there is no such call.
        ConflictError: somebody else calls, or it is over.
    """
    call = await _lock(db, actor, call_id)
    _refuse_over(call)
    _refuse_twice(call, actor)
    await run(db, _TAKE, id=call_id, staff_id=UUID(actor.id), now=clock.now())


_GIVE_BACK: Final = """
    UPDATE order_call SET taken_by = NULL, taken_at = NULL, changed_at = :now WHERE id = :id AND taken_by = :staff_id
"""


async def give_back(db: AsyncConnection, actor: Actor, call_id: UUID) -> None:
    """Leave a call that one had taken to others."""
    await _lock(db, actor, call_id)
    await run(db, _GIVE_BACK, id=call_id, staff_id=UUID(actor.id), now=clock.now())


def _refuse_over(call: CallView) -> None:
    if call.state is CallState.OVER:
        raise ConflictError(
            mark("This call is over already, see below. Nothing was changed; what you typed is still there."),
            code="call_over",
        )


async def record(
    db: AsyncConnection,
    actor: Actor,
    call_id: UUID,
    outcome: Outcome,
    *,
    note: str = "",
    again_at: datetime | None = None,
    seen: int,
) -> None:
    """Say what came of a call. Sent twice by a double click, it counts once.

    Args:
        db: The request's transaction.
        actor: Who called.
        call_id: The call.
        outcome: What came of it.
        note: What is to be different, or what the next who calls should know.
        again_at: When to try again where nobody was reached; None for in two hours.
        seen: How many tries they had before them.

    Raises:
        NotFoundError: there is no such call.
        InvalidError: what is to be different is not said, or the moment makes no sense.
        ConflictError: somebody else calls, has called meanwhile, or it is over.
    """
    call = await _lock(db, actor, call_id)
    if len(call.tries) == seen + 1 and _is_said(call, actor, outcome, note.strip()):
        return
    _refuse_over(call)
    _refuse_twice(call, actor)
    if len(call.tries) != seen:
        raise ConflictError(
            mark("Somebody has called meanwhile, see below. Nothing was changed; what you typed is still there."),
            code="crossed",
        )
    _check(outcome, note, again_at)
    again = (again_at or clock.now() + AGAIN_AFTER) if outcome is Outcome.NOT_REACHED else None
    await _write(db, actor, call_id, outcome, note.strip(), again)


def _is_said(call: CallView, actor: Actor, outcome: Outcome, note: str) -> bool:
    """Whether the actor said just this last: then it was sent by a first click."""
    if not call.tries:
        return False
    last = call.tries[-1]
    return (str(last.staff_id), last.outcome, last.note) == (actor.id, outcome, note)


def _check(outcome: Outcome, note: str, again_at: datetime | None) -> None:
    if outcome is Outcome.CHANGED and not note.strip():
        raise InvalidError(mark("Say what is to be different: the shop's system is told this note."), field="note")
    if len(note) > MAX_NOTE:
        raise InvalidError(mark("This is longer than {limit} characters."), field="note", limit=MAX_NOTE)
    if outcome is Outcome.NOT_REACHED:
        check_again(again_at, clock.now())


_RECORD: Final = """
    UPDATE order_call SET state = :state, outcome = :outcome, again_at = :again_at, taken_by = NULL, taken_at = NULL,
        changed_at = :now
    WHERE id = :id
"""


async def _write(
    db: AsyncConnection, actor: Actor, call_id: UUID, outcome: Outcome, note: str, again_at: datetime | None
) -> None:
    now, state = clock.now(), ENDS[outcome]
    over = outcome.value if state is CallState.OVER else None
    await run(db, _RECORD, id=call_id, state=state.value, outcome=over, again_at=again_at, now=now)
    row: dict[str, Any] = {
        "id": new_id(),
        "call_id": call_id,
        "outcome": outcome,
        "note": note,
        "staff_id": actor.id if actor.kind == "staff" else None,
        "at": now,
    }
    event = history.rows(actor, ("order_call", call_id, "called", {"outcome": outcome.value}))
    await insert_rows(db, (OrderCallTry, [row]), event)


async def end_needless(db: AsyncConnection, call_id: UUID) -> None:
    """End a call that its order has made needless. The caller holds the call's lock."""
    await _write(db, SYSTEM, call_id, Outcome.NOT_NEEDED, "", None)


_REASONS: Final = "UPDATE order_call SET reasons = :reasons, changed_at = :now WHERE id = :id"


async def change_reasons(db: AsyncConnection, call_id: UUID, reasons: list[Reason]) -> None:
    """Say anew why a call is needed. The caller holds the call's lock."""
    await run(db, _REASONS, id=call_id, reasons=[reason.value for reason in reasons], now=clock.now())
