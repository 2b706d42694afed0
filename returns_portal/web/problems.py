"""What went wrong, told to programs as problem details (RFC 9457) and to people as a page.

Both say what happened, what was kept, and what to do next; neither shows how the portal is made.
"""

import re
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
import sqlalchemy.exc
import structlog
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from returns_portal import logs
from returns_portal.db import COMMIT
from returns_portal.errors import ConflictError, DomainError, TooManyError, UnauthorizedError
from returns_portal.i18n import mark, translate
from returns_portal.web.pages import page, redirect
from returns_portal.web.transaction import ConfirmNeededError, SignInNeededError, is_api

log = structlog.get_logger("returns_portal.web")
AnyRequest = Request[Any, Any, State]

PROBLEM: Final = "application/problem+json"


class FieldError(msgspec.Struct, frozen=True):
    """One field at fault, by its path (`lines[0].quantity`), and why."""

    field: str
    message: str


class Problem(msgspec.Struct, omit_defaults=True):
    """A problem detail; `code` is for programs, `detail` for people, `existing` is what stands instead."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    errors: list[FieldError] | None = None
    existing: Any = None
    retry_after: int | None = None


# SQLSTATE classes and codes of PostgreSQL that say what to do next (Appendix A of its manual).
_BUSY: Final = frozenset({"40001", "40P01", "55P03"})
_UNAVAILABLE: Final = frozenset({"57014", "57P01", "57P02", "57P03", "53300"})
_BAD_DATA: Final = "22"

_SENTENCES: Final = {
    400: ("bad_request", mark("What was sent could not be read.")),
    401: ("unauthorized", mark("Please sign in first.")),
    403: ("forbidden", mark("This is not allowed.")),
    404: ("not_found", mark("There is nothing here.")),
    405: ("method_not_allowed", mark("This address belongs to a button of a page and cannot be opened by itself.")),
    413: ("too_large", mark("This is larger than the {limit} kB that are taken here. Please send less at once.")),
    415: ("unsupported_media_type", mark("Only forms are taken here, and this was something else.")),
    422: ("invalid", mark("Something in the request is not possible.")),
    429: ("too_many", mark("Too many attempts. Please wait a little.")),
}
_WRONG_METHOD: Final = mark("This address does not take {method}, only {allowed}. The API is described at /schema.")
_BODY_NEEDED: Final = mark(
    "This call needs a JSON body, and none was sent. Please send one, with `Content-Type: application/json`."
)
_NO_BODY: Final = "'data'"
"""How Litestar says that there is no body: by the name of the handlers' parameter for it."""
_OTHER_KIND: Final = mark("The body is {kind}. Please send JSON instead, with `Content-Type: application/json`.")
_NOT_JSON: Final = mark("The body cannot be read as JSON: {reason}. Nothing was changed; please send it corrected.")
_UNFIT: Final = mark("This contains characters that cannot be printed.")
_BUSY_SENTENCE: Final = mark(
    "Somebody else is working on the same thing right now. Nothing was changed; please try again."
)
_UNAVAILABLE_SENTENCE: Final = mark("The portal is very busy. Nothing was changed; please try again in a moment.")
_IN_DOUBT_SENTENCE: Final = mark(
    "The database was lost while this was being stored, so nobody knows yet whether it was. Please look before you do"
    " it again; a program repeats the call under the same Idempotency-Key."
)
_FAILED_SENTENCE: Final = mark("Something went wrong on our side. Nothing was changed; we have been told.")


def handle(request: AnyRequest, error: Exception) -> Response[Any]:
    """Answer whatever a handler, or the way to it, raised."""
    if isinstance(error, SignInNeededError):
        return redirect(error.path)
    if isinstance(error, ConfirmNeededError):
        kept = urlencode(error.fields)
        return page(request, "accounts/confirm.html", status=403, to=error.path, kept=kept, errors={})
    problem = describe(request, error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request.failed", code=problem.code, **logs.describe(error))
    headers = _headers(request, error, problem)
    if is_api(request):
        return Response(problem, status_code=problem.status, media_type=PROBLEM, headers=headers)
    answer = _page(request, problem)
    answer.headers.update(headers)
    return answer


def exception_handlers() -> ExceptionHandlersMap:
    """One handler for everything, so that nothing is answered in another shape."""
    return {Exception: handle, HTTPException: handle}


def describe(request: AnyRequest, error: Exception) -> Problem:
    """Say what an exception means to whoever asked."""
    if isinstance(error, DomainError):
        return _domain(error)
    if isinstance(error, ValidationException):
        return _validation(error)
    if isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _http(request, error)
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        return _database(error)
    return _other(error)


def _other(error: Exception) -> Problem:
    if isinstance(error, RecursionError):
        # Nothing of ours calls itself without end: it is the reading of JSON that is nested without end.
        return _problem(400, "malformed", translate(mark("This is nested too deeply to be read.")))
    if isinstance(error, UnicodeDecodeError):
        # Nothing of ours decodes what was sent so strictly: it is the reading of JSON whose text is not UTF-8.
        return _problem(400, "malformed", translate(_NOT_JSON, reason=translate(mark("its text is not UTF-8"))))
    if isinstance(error, sqlalchemy.exc.TimeoutError):
        return _problem(503, "unavailable", translate(_UNAVAILABLE_SENTENCE), retry_after=2)
    return _problem(500, "failed", translate(_FAILED_SENTENCE))


def _problem(status: int, code: str, detail: str, **more: Any) -> Problem:  # noqa: ANN401 - members of the problem
    return Problem(type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail, code=code, **more)


def _domain(error: DomainError) -> Problem:
    problem = _problem(error.status, error.code, translate(error.sentence, **error.values), field=error.field)
    if isinstance(error, ConflictError):
        problem.existing = error.detail
    if isinstance(error, TooManyError):
        problem.retry_after = error.retry_after
    return problem


def _validation(error: ValidationException) -> Problem:
    """Input that is not of the promised shape: 422 with each field's path (Litestar's own answer would be 400)."""
    entries = error.extra if isinstance(error.extra, list) else []
    if any(entry.get("message") == _NO_BODY for entry in entries):
        return _problem(422, _SENTENCES[422][0], translate(_BODY_NEEDED))
    errors = [_field_error(entry.get("key", ""), entry.get("message", "")) for entry in entries]
    code, sentence = _SENTENCES[422]
    first = errors[0] if errors else None
    detail = f"{first.field}: {first.message}" if first and first.field else (first.message if first else "")
    return _problem(
        422, code, detail or translate(sentence), field=(first.field or None) if first else None, errors=errors or None
    )


def _field_error(key: str, message: str) -> FieldError:
    """The field as the sender knows it: without our parameter's name, and with the one that is missing."""
    path = re.sub(r"^data(\.|$)", "", key)
    if named := re.search(r"(?:missing required|unknown) field `([^`]+)`", message):
        path = f"{path}.{named[1]}".lstrip(".")
    if "matching regex" in message:
        message = translate(_UNFIT)
    return FieldError(path, message)


def _http(request: AnyRequest, error: HTTPException) -> Problem:
    if error.status_code == HTTPStatus.BAD_REQUEST and is_api(request):
        return _not_json(request, error)
    code, sentence = _SENTENCES.get(error.status_code, _SENTENCES[400])
    values: dict[str, object] = {}
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        values = {"limit": (request.route_handler.resolve_request_max_body_size() or 0) // 1000}
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and is_api(request):
        sentence, values = _WRONG_METHOD, {"method": request.method, "allowed": _allowed(error)}
    return _problem(error.status_code, code, translate(sentence, **values))


def _not_json(request: AnyRequest, error: HTTPException) -> Problem:
    """A body that cannot be read: of another kind, as its header says, or JSON with a mistake in it."""
    kind, _parameters = request.content_type
    if kind and not kind.endswith("json"):
        return _problem(415, _SENTENCES[415][0], translate(_OTHER_KIND, kind=kind))
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, msgspec.DecodeError):
        cause = cause.__cause__
    reason = str(cause or error.detail).removeprefix("JSON is malformed: ")
    return _problem(400, "malformed", translate(_NOT_JSON, reason=reason))


def _allowed(error: HTTPException) -> str:
    """The methods of the `Allow` header, but for the one that only asks for them."""
    methods = (error.headers or {}).get("allow", "").split(", ")
    return ", ".join(sorted(name for name in methods if name != "OPTIONS"))


def _database(error: sqlalchemy.exc.DBAPIError) -> Problem:
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if state in _BUSY:
        return _problem(409, "busy", translate(_BUSY_SENTENCE), retry_after=1)
    if state.startswith(_BAD_DATA) or (not state and isinstance(error, sqlalchemy.exc.DataError)):
        return _problem(422, "invalid", translate(_SENTENCES[422][1]))
    if state in _UNAVAILABLE or error.connection_invalidated or (not state and _is_down(error)):
        if error.statement == COMMIT:
            return _problem(503, "outcome_unknown", translate(_IN_DOUBT_SENTENCE))
        return _problem(503, "unavailable", translate(_UNAVAILABLE_SENTENCE), retry_after=2)
    return _problem(500, "failed", translate(_FAILED_SENTENCE))


def _is_down(error: sqlalchemy.exc.DBAPIError) -> bool:
    """A driver's operational error without SQLSTATE: the server was not reached at all."""
    return isinstance(error, sqlalchemy.exc.OperationalError)


def _headers(request: AnyRequest, error: Exception, problem: Problem) -> dict[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, HTTPException) and error.headers:
        headers |= {name: value for name, value in error.headers.items() if name.lower() == "allow"}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if isinstance(error, UnauthorizedError) and is_api(request):
        headers["WWW-Authenticate"] = "Bearer"
    return headers


_PAGES: Final = {
    403: "errors/forbidden.html",
    404: "errors/not_found.html",
    405: "errors/method.html",
    500: "errors/failed.html",
}


def _page(request: AnyRequest, problem: Problem) -> Response[Any]:
    """The page for people. Where even that cannot be made, a sentence, so that the first failure is not hidden."""
    template = _PAGES.get(problem.status, "errors/problem.html")
    try:
        return page(request, template, status=problem.status, problem=problem, request_id=logs.request_id.get())
    except Exception as failure:  # noqa: BLE001 - the last line of defence: whatever the page ran into
        log.error("error_page.failed", **logs.describe(failure))  # noqa: TRY400 - described without its message
        return Response(problem.detail, status_code=problem.status, media_type="text/plain")
