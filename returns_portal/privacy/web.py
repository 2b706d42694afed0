"""The pages on which people see what is kept about them, and have it forgotten."""

import asyncio
import time
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, i18n
from returns_portal.accounts.arrivals import browser_of
from returns_portal.accounts.limits import Limit, bucket, hit
from returns_portal.accounts.rules import email_key, is_email
from returns_portal.accounts.spent import spend
from returns_portal.actor import Actor
from returns_portal.i18n import _
from returns_portal.points.queries import balances_of
from returns_portal.points.sheets import Sheet, sheets
from returns_portal.privacy.asking import LINK_LASTS, Asked, ask, asked, confirm, confirming, fetching, link_to_files
from returns_portal.privacy.erasing import StillOpenError
from returns_portal.privacy.exporting import Files, files_of
from returns_portal.privacy.models import Wish
from returns_portal.privacy.people import Person, person_of
from returns_portal.privacy.standing import in_words, still_open
from returns_portal.shop.queries import current
from returns_portal.web import Form, client_network, flash, form, page, redirect, site
from returns_portal.web.signing import SESSION_COOKIE, derive, forget

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

_EVEN_SECONDS: Final = 0.3
"""How long an answer takes at least: longer than the work, whether or not anything is kept."""
_MAX_EMAIL: Final = 254
_MAX_TOKEN: Final = 400


@get("/privacy", include_in_schema=False)
async def ask_page(request: AnyRequest, actor: By) -> Response[Any]:
    """Ask for the address, and what is wished."""
    del actor  # Asked for so that the page's header knows who is there.
    return page(request, "privacy/ask.html", typed={}, errors={}, wish=Wish.EXPORT.value)


@post("/privacy", include_in_schema=False)
async def send_link(request: AnyRequest) -> Response[Any]:
    """Send the link. The answer, and its time, are the same where nothing is kept."""
    began = time.monotonic()
    sent = await form(request)
    email, errors = sent.text("email"), _errors(sent)
    if errors:
        wish = sent.get("wish", Wish.EXPORT.value)
        return page(request, "privacy/ask.html", status=422, typed=sent, errors=errors, wish=wish)
    here, secret = site(request), derive(site(request).secret, "access")
    await hit(
        here.begin,
        Limit(bucket(secret, "privacy:client", client_network(request.scope)), times=20, seconds=3600),
        Limit(bucket(secret, "privacy:email", email_key(email)), times=4, seconds=3600),
        Limit(bucket(secret, "privacy:all"), times=1000, seconds=3600),
    )
    async with here.begin() as db:
        await ask(db, here.secret, email, Wish(sent["wish"]), locale=i18n.current())
    # The pause is taken outside of any transaction: only the customer waits, no connection does.
    await asyncio.sleep(max(0.0, began + _EVEN_SECONDS - time.monotonic()))
    flash(request, _("If we keep anything under this address, a link to go on is on its way to it."), "wait")
    return redirect("/privacy")


@get("/privacy/confirm/{token:str}", include_in_schema=False)
async def confirm_page(request: AnyRequest, db: Db, actor: By, token: FromPath[str]) -> Response[Any]:
    """Show what the link does. Doing it takes a click, since programs that look for harm follow every link."""
    del actor
    found = await asked(db, confirming(site(request).secret, token[:_MAX_TOKEN]))
    if found is None or found.confirmed_at is not None:
        return _too_old(request)
    return await _shown(request, db, found, token)


@post("/privacy/confirm", include_in_schema=False)
async def confirm_wish(request: AnyRequest) -> Response[Any]:
    """Do what was wished. A second click does nothing, and is answered alike."""
    here = site(request)
    token = (await form(request)).get("token", "")[:_MAX_TOKEN]
    try:
        async with here.begin() as db:
            found = await asked(db, confirming(here.secret, token), lock=True)
            if found is None or found.used or not await _spent(db, request, token):
                return _too_old(request)
            await confirm(db, found)
    except StillOpenError:
        # The transaction has taken back that the link was used: it can be used again once nothing is open.
        async with here.begin() as db:
            return await _shown(request, db, found, token, status=409) if found else _too_old(request)
    if found.kind is Wish.EXPORT:
        return redirect(link_to_files(here.secret, found.id))
    answer = redirect("/privacy/erased")
    answer.set_cookie(forget(SESSION_COOKIE))
    return answer


async def _spent(db: AsyncConnection, request: AnyRequest, token: str) -> bool:
    """Use the link up; the browser that has just used it may send the same form once more, and no other."""
    return await spend(db, token, browser=browser_of(request), expires_at=clock.now() + LINK_LASTS)


@get("/privacy/erased", include_in_schema=False)
async def erased_page(request: AnyRequest, actor: By) -> Response[Any]:
    """Say that it is done, and what stays."""
    del actor
    return page(request, "privacy/erased.html")


@get("/privacy/files/{token:str}", include_in_schema=False)
async def files_page(request: AnyRequest, db: Db, actor: By, token: FromPath[str]) -> Response[Any]:
    """Where the files lie, or that they are being made."""
    del actor
    request_id = fetching(site(request).secret, token[:_MAX_TOKEN])
    found = await asked(db, request_id)
    if found is None or request_id is None:
        return _too_old(request)
    files = await files_of(db, request_id)
    if files is None and found.done_at is not None:
        return _too_old(request)
    answer = page(request, "privacy/files.html", ready=files is not None, token=token)
    answer.headers["cache-control"] = "no-store"
    return answer


@get("/privacy/files/{token:str}/data.json", include_in_schema=False)
async def data_file(request: AnyRequest, db: Db, token: FromPath[str]) -> Response[Any]:
    """Everything as JSON."""
    files = await _files(request, db, token)
    return _file(files.data, "application/json", "my-data.json") if files else _too_old(request)


@get("/privacy/files/{token:str}/paper.pdf", include_in_schema=False)
async def paper_file(request: AnyRequest, db: Db, token: FromPath[str]) -> Response[Any]:
    """Everything as PDF."""
    files = await _files(request, db, token)
    return _file(files.paper, "application/pdf", "my-data.pdf") if files else _too_old(request)


async def _files(request: AnyRequest, db: AsyncConnection, token: str) -> Files | None:
    request_id = fetching(site(request).secret, token[:_MAX_TOKEN])
    return await files_of(db, request_id) if request_id else None


def _file(content: bytes, media_type: str, name: str) -> Response[bytes]:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


async def _shown(
    request: AnyRequest, db: AsyncConnection, found: Asked, token: str, *, status: int = 200
) -> Response[Any]:
    person = await person_of(db, found.email)
    return page(
        request,
        "privacy/confirm.html",
        status=status,
        kind=found.kind.value,
        token=token,
        open=in_words(await still_open(db, person)) if found.kind is Wish.ERASURE else [],
        points=await _points(db, person),
        orders=len(person.orders),
    )


async def _points(db: AsyncConnection, person: Person) -> list[Sheet]:
    zone = (await current(db)).timezone
    return [sheet for account in person.accounts for sheet in sheets(await balances_of(db, account), zone)]


def _errors(sent: Form) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not is_email(sent.get("email", "")) or len(sent["email"]) > _MAX_EMAIL:
        errors["email"] = _("Please give the e-mail address that you ordered with.")
    if sent.get("wish", "") not in [wish.value for wish in Wish]:
        errors["wish"] = _("Please choose one of the two.")
    return errors


def _too_old(request: AnyRequest) -> Response[Any]:
    flash(request, _("This link is not valid any more. Ask for a new one here."), "wait")
    return redirect("/privacy")


routes: list[Any] = [
    ask_page,
    send_link,
    confirm_page,
    confirm_wish,
    erased_page,
    files_page,
    data_file,
    paper_file,
]
