"""Staff's pages of runs: many labels in one file, from a file of return numbers or from what the list shows."""

import asyncio
import secrets
from typing import Any, Final, get_args
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Stream
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import Begin
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import _, mark, translate
from returns_portal.labels.content import Size
from returns_portal.labels.models import LabelStatus
from returns_portal.labels.queries import FLAGS
from returns_portal.labels.run_files import MAX_BYTES, digest, numbers_of, numbers_shown
from returns_portal.labels.run_reading import PROBLEMS, RunView, file_of, list_runs, refused_rows, run_for
from returns_portal.labels.runs import Wanted, start
from returns_portal.web import (
    Form,
    flash,
    form,
    form_with_file,
    known_actor,
    page,
    page_after,
    redirect,
    requires_staff,
    site,
)

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

RUNS: Final = "/staff/labels/runs"
_PAGE: Final = 25
_SHOWN: Final = 500
"""Refused rows on the page of a run."""
_SLACK: Final = 20_000
"""Bytes of a form besides its file."""
_TOKEN: Final = 64

readers = [requires_staff("support", "warehouse", "finance")]


@get(RUNS, guards=readers)
async def runs_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Runs, the newest first, and the form that begins one."""
    return await _runs(request, db, actor)


async def _runs(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    typed: Form | None = None,
    errors: dict[str, str] | None = None,
) -> Response[Any]:
    found = await list_runs(db, actor, before=page_after(request), limit=_PAGE + 1)
    return page(
        request,
        "labels/runs.html",
        status=422 if errors else 200,
        runs=[(each, source(each)) for each in found[:_PAGE]],
        after=str(found[_PAGE - 1].id) if found[_PAGE:] else "",
        paged="after" in request.query_params,
        sizes=sizes(),
        typed=typed or {},
        errors=errors or {},
        token=secrets.token_urlsafe(16),
    )


def sizes() -> list[tuple[str, str]]:
    """The papers, as people call them."""
    return [
        ("4x6", _("4×6 in, for label printers")),
        ("a4", _("A4, with packing slip")),
        ("letter", _("Letter, with packing slip")),
    ]


def source(run: RunView) -> str:
    """What a run was made of."""
    if not run.source:
        return _("a CSV file")
    return _("the list of labels") if run.source.startswith("show:") else run.source


@post(RUNS, guards=readers, status_code=200, request_max_body_size=MAX_BYTES + _SLACK)
async def run_of_file(request: AnyRequest) -> Response[Any]:
    """Begin a run of the returns in a file; the same form sent twice is one run."""
    actor = known_actor(request)
    sent, content = await form_with_file(request, "file", most=MAX_BYTES)
    try:
        wanted = Wanted(await _numbers(content), _size(sent), "", renew=sent.get("renew", "") == "yes")
        wish = digest(actor.label, sent.text("token", limit=_TOKEN), wanted.size, str(wanted.renew), content)
        async with site(request).begin() as db:
            run_id = await start(db, actor, wanted, wish=wish)
    except InvalidError as error:
        async with site(request).begin() as db:
            errors = {error.field or "file": translate(error.sentence, **error.values)}
            return await _runs(request, db, actor, sent, errors)
    return redirect(f"{RUNS}/{run_id}")


async def _numbers(content: bytes) -> list[tuple[int, str]]:
    if not content:
        raise InvalidError(mark("Please choose a file, one that is not empty."), field="file")
    if len(content) > MAX_BYTES:
        raise InvalidError(
            mark("This file has more than {most} MB. Please send the column rma alone."),
            field="file",
            most=MAX_BYTES // 1_000_000,
        )
    return await asyncio.to_thread(numbers_of, content)


def _size(sent: Form) -> Size:
    for size in get_args(Size):
        if sent.get("size", "") == size:
            found: Size = size
            return found
    raise InvalidError(mark("Please choose one of the papers."), field="size")


@post(f"{RUNS}/shown", guards=readers, status_code=200)
async def run_of_list(request: AnyRequest, db: Db, actor: By) -> Redirect:
    """Begin a run of what the list of labels shows, as far as it waits to be sent; sent twice, it is one run."""
    sent = await form(request)
    asked = sent.get("show", "")
    chosen = asked if asked in FLAGS or asked in set(LabelStatus) else ""
    try:
        async with db.begin_nested():
            wanted = Wanted(await numbers_shown(db, actor, chosen), _size(sent), f"show:{chosen}")
            wish = digest(actor.label, sent.text("token", limit=_TOKEN), wanted.size, wanted.source)
            run_id = await start(db, actor, wanted, wish=wish)
    except InvalidError as error:
        flash(request, translate(error.sentence, **error.values), "bad")
        return redirect(f"/staff/labels?show={chosen}")
    return redirect(f"{RUNS}/{run_id}")


@get(f"{RUNS}/{{run_id:uuid}}", guards=readers)
async def run_page(request: AnyRequest, db: Db, actor: By, run_id: FromPath[UUID]) -> Response[Any]:
    """How far a run is; the page looks again by itself until it is done."""
    run = await run_for(db, actor, run_id)
    refused = await refused_rows(db, run_id, _SHOWN + 1)
    answer = page(
        request,
        "labels/run.html",
        run=run,
        source=source(run),
        refused=[(row, _(PROBLEMS[row.problem])) for row in refused[:_SHOWN]],
        more=len(refused) > _SHOWN,
    )
    if run.finished_at is None and run.gone_at is None:
        answer.headers["Refresh"] = "3"
    return answer


@get(f"{RUNS}/{{run_id:uuid}}/file", guards=readers)
async def run_file(db: Db, actor: By, begin: NamedDependency[Begin], run_id: FromPath[UUID]) -> Stream:
    """All labels of a run in one PDF."""
    run = await run_for(db, actor, run_id)
    if run.gone_at is not None:
        raise ConflictError(mark("This file was deleted after some days. Begin a new run."), code="run_gone")
    if not run.file_size:
        raise ConflictError(
            mark("There is no file of this run, or not yet. Look at its page."), code="run_without_file"
        )
    return Stream(
        file_of(begin, run_id),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{run.file_name}"',
            "Content-Length": str(run.file_size),
            # The labels name people and their addresses.
            "Cache-Control": "no-store",
        },
    )


routes: list[Any] = [runs_page, run_of_file, run_of_list, run_page, run_file]
