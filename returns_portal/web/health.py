"""Whether the process is up, and whether it can serve."""

from functools import cache
from typing import Any, Final

import msgspec
from alembic.script import ScriptDirectory
from litestar import Request, Response, get
from litestar.datastructures import State
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from returns_portal.db import Begin
from returns_portal.resources import migrations_dir
from returns_portal.web.site import site

_QUESTION: Final = text("""
    SELECT current_setting('fsync') AS fsync,
           current_setting('full_page_writes') AS full_page_writes,
           current_setting('synchronous_commit') AS synchronous_commit,
           (SELECT version_num FROM alembic_version) AS revision
""")


class Durability(msgspec.Struct):
    """The settings on which it depends that what was committed is still there after a power cut."""

    fsync: str
    full_page_writes: str
    synchronous_commit: str


class Readiness(msgspec.Struct, omit_defaults=True):
    """The answer of `/readyz`."""

    status: str
    database: Durability | None = None
    revision: str = ""
    reason: str = ""


@cache
def newest_revision() -> str:
    """The revision that this version's migrations lead to."""
    return ScriptDirectory(str(migrations_dir())).get_current_head() or ""


async def readiness(begin: Begin) -> Readiness:
    """Ask the database whether it answers, durably, with the schema of this version."""
    try:
        async with begin() as db:
            row = (await db.execute(_QUESTION)).one()
    except SQLAlchemyError:
        return Readiness(status="unavailable", reason="the database does not answer, or was never migrated")
    durability = Durability(row.fsync, row.full_page_writes, row.synchronous_commit)
    if row.revision != newest_revision():
        return Readiness(
            status="unavailable", database=durability, revision=row.revision, reason="migrations are missing"
        )
    return Readiness(status="ok", database=durability, revision=row.revision)


@get("/livez", include_in_schema=False, sync_to_thread=False)
def livez() -> dict[str, str]:
    """Say that the process serves."""
    return {"status": "ok"}


@get("/readyz", include_in_schema=False)
async def readyz(request: Request[Any, Any, State]) -> Response[Readiness]:
    """Say whether the portal can do its work: 200, or 503 with the reason."""
    found = await readiness(site(request).begin)
    return Response(found, status_code=200 if found.status == "ok" else 503)
