"""Taking and showing photos."""

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.i18n import _, translate
from returns_portal.photos import MAX_BYTES, rebuild
from returns_portal.warehouse.pages.counting import optional_id
from returns_portal.warehouse.pictures import add_photo, photo_for
from returns_portal.web import flash, form_with_file, known_actor, local_path, redirect, requires_staff, site

AnyRequest = Request[Any, Any, State]

workers = [requires_staff("warehouse", "support")]
_MAX_UPLOAD: Final = MAX_BYTES + 100_000
"""A photo, and the form around it."""


@post("/station/photos", guards=workers, status_code=200, request_max_body_size=_MAX_UPLOAD)
async def take_photo(request: AnyRequest) -> Response[Any]:
    """Keep a photo. While a parcel is being counted a script asks, and is answered in JSON; else a form does."""
    actor = known_actor(request)
    sent, data = await form_with_file(request, "photo")
    draft = sent.text("draft", limit=64)
    try:
        # It is rebuilt before the transaction begins, because that takes a while.
        photo = await rebuild(data)
        async with site(request).begin() as db:
            photo_id = await add_photo(
                db,
                actor,
                photo,
                draft=draft,
                parcel_id=optional_id(sent, "parcel_id"),
                found_id=optional_id(sent, "found_id"),
                line_id=optional_id(sent, "line_id"),
            )
    except InvalidError as error:
        words = translate(error.sentence, **error.values)
        if draft:
            return Response({"error": words, "code": error.code}, status_code=error.status)
        flash(request, words, "bad")
    else:
        if draft:
            return Response({"id": str(photo_id)}, status_code=201)
        flash(request, _("The photo is kept."))
    return redirect(local_path(sent.get("back", ""), otherwise="/station"))


@get("/station/photos/{photo_id:uuid}", guards=[requires_staff("warehouse", "support", "finance")])
async def show_photo(
    db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], photo_id: FromPath[UUID]
) -> Response[bytes]:
    """A photo."""
    return Response(
        await photo_for(db, actor, photo_id),
        media_type="image/jpeg",
        # It never changes, and is for this person's browser alone.
        headers={"Cache-Control": "private, max-age=86400, immutable"},
    )


routes: list[Any] = [take_photo, show_photo]
