"""The demo's outbox: every e-mail that the demo shop would have sent. It exists in the demo alone."""

import re
from base64 import b64encode
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.documents.pictures import qr_png
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.notifications.models import EmailStatus
from returns_portal.notifications.queries import PAGE, OutboxEmail, outbox, outbox_email
from returns_portal.notifications.rendering import CODE_PICTURE, Rendered, render_email
from returns_portal.shop.queries import ShopInfo, current
from returns_portal.web import page, site
from returns_portal.web.envelope import MAIL_POLICY, POLICY

AnyRequest = Request[Any, Any, State]

_LINK = re.compile(r"(https?://\S+)")


@get("/outbox", include_in_schema=False)
async def outbox_page(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    before: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """List the e-mails and SMS, the newest first."""
    del actor  # Asked for so that the page's header knows who is there.
    _require_demo(request)
    letters = await outbox(db, before)
    shop = await current(db)
    shown = [_shown(request, letter, shop) for letter in letters[:PAGE]]
    return page(
        request,
        "notifications/outbox.html",
        letters=shown,
        next_href=f"/outbox?before={shown[-1].id}" if len(letters) > PAGE else "",
        first_href="/outbox" if before else "",
    )


@get("/outbox/{email_id:uuid}", include_in_schema=False)
async def email_page(
    request: AnyRequest,
    email_id: FromPath[UUID],
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
) -> Response[Any]:
    """Show one e-mail: its HTML in a frame that can do nothing, and its text, in which links work."""
    del actor  # As above.
    _require_demo(request)
    letter = _shown(request, await outbox_email(db, email_id), await current(db))
    paragraphs = _paragraphs(letter.rendered.text if letter.rendered else "")
    answer = page(request, "notifications/email.html", letter=letter, paragraphs=paragraphs)
    answer.headers["content-security-policy"] = f"{POLICY}; frame-src 'self'"
    return answer


@get("/outbox/{email_id:uuid}/html", include_in_schema=False)
async def email_html(
    request: AnyRequest, email_id: FromPath[UUID], db: NamedDependency[AsyncConnection]
) -> Response[str]:
    """The HTML of an e-mail as it was sent, for the frame."""
    _require_demo(request)
    letter = _shown(request, await outbox_email(db, email_id), await current(db))
    return Response(
        _with_picture(letter.rendered) if letter.rendered else "",
        media_type="text/html",
        headers={"content-security-policy": MAIL_POLICY},
    )


def _with_picture(rendered: Rendered) -> str:
    """The HTML, with the picture that goes along with it inside: a page knows no Content-ID."""
    if not rendered.code:
        return rendered.html
    picture = b64encode(qr_png(rendered.code)).decode()
    return rendered.html.replace(f"cid:{CODE_PICTURE}", f"data:image/png;base64,{picture}")


class _Shown(msgspec.Struct, frozen=True):
    """An e-mail of the outbox; `rendered` is None until it is sent."""

    id: UUID
    recipient: str
    created_at: datetime
    rendered: Rendered | None
    sms: str = ""
    """The text of an SMS, which is all of it."""


def _shown(request: AnyRequest, letter: OutboxEmail, shop: ShopInfo) -> _Shown:
    if not letter.template:
        return _Shown(letter.id, letter.recipient, letter.created_at, None, letter.sms)
    sent = letter.status == EmailStatus.SENT
    settings = site(request).settings
    rendered = render_email(letter.template, letter.locale, letter.values, shop, settings, recipient=letter.recipient)
    return _Shown(letter.id, letter.recipient, letter.created_at, rendered if sent else None)


def _require_demo(request: AnyRequest) -> None:
    if not site(request).settings.is_demo:
        raise NotFoundError(mark("There is nothing here."))


def _paragraphs(text: str) -> list[list[list[dict[str, str]]]]:
    """The text as paragraphs of lines of pieces; a piece that is a link has it as `href`."""
    return [[_pieces(line) for line in block.split("\n")] for block in text.strip().split("\n\n")]


def _pieces(line: str) -> list[dict[str, str]]:
    return [{"text": piece, "href": piece if _LINK.fullmatch(piece) else ""} for piece in _LINK.split(line) if piece]


routes = [outbox_page, email_page, email_html]
