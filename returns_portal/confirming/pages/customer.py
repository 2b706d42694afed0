"""Where the link of an e-mail about an order leads whoever sees that something is wrong with it."""

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from litestar import Response, get
from litestar.params import FromPath

from returns_portal.accounts.rules import number_in_path
from returns_portal.web import redirect


@get("/ask/{number:path}", sync_to_thread=False)
def ask(number: FromPath[PurePosixPath]) -> Response[Any]:
    """Lead to the form for questions, which has the order filled in that its reader came in for."""
    page = f"/orders/{quote(number_in_path(number), safe='')}"
    return redirect(f"/questions/new?about={quote(page, safe='')}")


routes: list[Any] = [ask]
