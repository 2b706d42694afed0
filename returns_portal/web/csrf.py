"""Forms are taken only from our own pages: a signed token in the form must match the one in the `__Host-` cookie."""

from typing import Any, Final

from litestar import Request
from litestar.config.csrf import CSRFConfig
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException, HTTPException, PermissionDeniedException
from litestar.middleware import DefineMiddleware
from litestar.middleware.csrf import CSRFMiddleware
from litestar.types import Receive, Scope, Send

from returns_portal.web.signing import CSRF_COOKIE, derive

MAX_FORM: Final = 128_000
"""Bytes of a form, also where a route takes more for a file. The framework keeps up to 1024 parsed forms in memory, so
this bounds what strangers can fill there."""


class FormProtection(CSRFMiddleware):
    """Litestar's protection, for forms that are sent in bad faith too."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it and close the files that came with it, which no route will do then."""
        if scope.get("method") == "POST":
            request = Request[Any, Any, Any](scope, receive)
            if request.content_type[0] == RequestEncodingType.URL_ENCODED and len(await request.body()) > MAX_FORM:
                raise HTTPException(status_code=413)
            try:
                # Kept by the framework for whoever reads the form next.
                await request.form()
            except (UnicodeDecodeError, LookupError) as error:
                raise ClientException("This form cannot be read: its text is in no encoding that is known.") from error
        try:
            await super().__call__(scope, receive, send)
        except PermissionDeniedException:
            sent = await Request[Any, Any, Any](scope, receive).form()
            await sent.close()
            raise

    def _csrf_tokens_match(self, request_csrf_token: object, cookie_csrf_token: str) -> bool:
        """Compare the tokens; one that is a file, or no plain text, would make the comparison fail, not differ."""
        if not isinstance(request_csrf_token, str):
            return False
        if not (request_csrf_token.isascii() and cookie_csrf_token.isascii()):
            return False
        return super()._csrf_tokens_match(request_csrf_token, cookie_csrf_token)


def csrf_protection(secret: bytes) -> DefineMiddleware:
    """The middleware for every route that browsers use; calls of the API carry keys, which browsers never add."""
    return DefineMiddleware(
        FormProtection,
        config=CSRFConfig(
            secret=derive(secret, "csrf").hex(),
            cookie_name=CSRF_COOKIE,
            cookie_path="/",
            cookie_secure=True,
            cookie_httponly=True,
            cookie_samesite="lax",
            header_name="x-csrftoken",
        ),
    )
