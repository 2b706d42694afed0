"""What can go wrong in the business, as one tree. Each error has an HTTP status, a machine code and a sentence.

DomainError            400  something that was asked for cannot be done; nothing was changed
├── InvalidError       422  the input does not say something possible (names the field at fault)
├── NotFoundError      404  no such record, or not one that the actor may see
├── ConflictError      409  the record is in a state in which this cannot be done (any more)
├── ForbiddenError     403  the actor is known, and may not do this
├── UnauthorizedError  401  the actor is not known
└── TooManyError       429  a limit was reached; says when to try again

The sentence is for people: what happened, what was kept, what to do next. It is a gettext message id, with
its values beside it, so that the face that shows it can say it in the reader's language.
"""

from http import HTTPStatus


class DomainError(Exception):
    """Something that was asked for cannot be done; the transaction is rolled back."""

    status = HTTPStatus.BAD_REQUEST
    code = "not_possible"

    def __init__(self, sentence: str, *, code: str | None = None, field: str | None = None, **values: object) -> None:
        """Keep the sentence (a message id with `{named}` places), its values, and the field at fault."""
        super().__init__(sentence.format(**values) if values else sentence)
        self.sentence = sentence
        self.values = values
        self.field = field
        self.code = code or type(self).code


class InvalidError(DomainError):
    """The input does not say something possible."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid"


class NotFoundError(DomainError):
    """No such record, or not one that the actor may see: the two are not told apart."""

    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class ConflictError(DomainError):
    """The record is in a state in which this cannot be done."""

    status = HTTPStatus.CONFLICT
    code = "conflict"

    def __init__(
        self,
        sentence: str,
        *,
        code: str | None = None,
        field: str | None = None,
        detail: object = None,
        **values: object,
    ) -> None:
        """As its parent; `detail` is what stands instead (an earlier check-in, say), for the JSON answer."""
        super().__init__(sentence, code=code, field=field, **values)
        self.detail = detail


class ForbiddenError(DomainError):
    """The actor is known, and may not do this."""

    status = HTTPStatus.FORBIDDEN
    code = "forbidden"


class UnauthorizedError(DomainError):
    """The actor is not known."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthorized"


class TooManyError(DomainError):
    """A limit was reached. `retry_after` is in seconds."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many"

    def __init__(self, sentence: str, *, retry_after: int, **values: object) -> None:
        """As its parent, with the seconds after which trying again makes sense."""
        super().__init__(sentence, code=None, field=None, **values)
        self.retry_after = retry_after
