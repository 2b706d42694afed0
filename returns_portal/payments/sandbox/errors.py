"""Errors as Stripe answers them: status, type, code, parameter and sentence.

The wording follows what the live API says, since integrations read it; where Stripe's words are not known,
the docstring says that they are ours.
"""

from typing import Any

import msgspec


class ApiError(Exception):
    """An answer other than 200. What the handler has put aside to be written is written nevertheless."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type_: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        **more: object,
    ) -> None:
        """Keep the parts of Stripe's error envelope; `more` are its rarer fields (`decline_code`, `payment_intent`)."""
        super().__init__(message)
        self.status = status
        error: dict[str, object] = {"type": type_, "message": message}
        if code is not None:
            error["code"] = code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param is not None:
            error["param"] = param
        self.error = error | more

    @property
    def body(self) -> bytes:
        """The envelope as JSON."""
        return msgspec.json.encode({"error": self.error})


def missing(object_: str, id_: str, param: str = "id") -> ApiError:
    """Build the 404 for an object that does not exist."""
    return ApiError(404, f"No such {object_}: '{id_}'", code="resource_missing", param=param)


def not_simulated(what: str) -> ApiError:
    """Build the 501 for what Stripe has and this sandbox has not; the status and the code are ours."""
    return ApiError(501, f"The sandbox does not simulate {what}.", type_="api_error", code="not_simulated")


def unexpected_state(message: str, intent: dict[str, Any]) -> ApiError:
    """Build the refusal of something that the payment intent's status does not allow."""
    return ApiError(400, message, code="payment_intent_unexpected_state", payment_intent=intent)


def unauthorized(key: str | None) -> ApiError:
    """Build the 401 for a missing key, or for one that is not a secret test key; the key is not repeated in full."""
    if not key:
        return ApiError(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    shown = f"{key[:7]}{'*' * 8}{key[-4:]}" if len(key) > 16 else "*" * len(key)  # noqa: PLR2004 - too short to show any
    return ApiError(401, f"Invalid API Key provided: {shown}")


def rate_limited() -> ApiError:
    """Build the 429 of too many requests at once; nothing was begun."""
    return ApiError(429, "Request rate limit exceeded.", code="rate_limit")


def key_in_use(key: str) -> ApiError:
    """Build the 409 for a key whose first request is still running."""
    return ApiError(
        409,
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {key}. Please try again later.",
        type_="idempotency_error",
        code="idempotency_key_in_use",
    )


def key_reused(key: str, *, endpoint: str | None = None) -> ApiError:
    """Build the 400 for a key that was first used with other parameters, or for another endpoint."""
    rule = (
        f"for the same endpoint they were first used for ('{endpoint}')"
        if endpoint
        else "with the same parameters they were first used with"
    )
    return ApiError(
        400,
        f"Keys for idempotent requests can only be used {rule}. Try using a key other than '{key}' if you meant to "
        "execute a different request.",
        type_="idempotency_error",
    )


def internal() -> ApiError:
    """Build the 500 of something that broke on the gateway's side."""
    return ApiError(500, "An unknown error occurred. Please try again later.", type_="api_error")
