"""Forms as people send them, read within limits."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from litestar import Request
from litestar.datastructures import State, UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import HTTPException

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark

MAX_FIELDS: Final = 500
MAX_TEXT: Final = 2000
"""Characters of one field, where the handler asks for no other limit."""
_FORMS: Final = frozenset({RequestEncodingType.URL_ENCODED.value, RequestEncodingType.MULTI_PART.value})


class Form(Mapping[str, str]):
    """The fields of a form: text only, trimmed, the first value where a field came several times."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        """Wrap the fields as they were sent."""
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        return self._fields[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def all(self, name: str) -> list[str]:
        """Every value of a field, in the order sent; empty when it was not sent."""
        return list(self._fields.get(name, ()))

    def text(self, name: str, *, limit: int = MAX_TEXT) -> str:
        """A field's text; empty when it was not sent.

        Raises:
            InvalidError: it is longer than the limit, in characters.
        """
        value = self.get(name, "")
        if len(value) > limit:
            raise InvalidError(mark("This is longer than {limit} characters."), field=name, limit=limit)
        return value

    def number(self, name: str, *, default: int = 0) -> int:
        """A field's whole number of at most nine digits; the default when it is empty or was not sent.

        Raises:
            InvalidError: it is something else.
        """
        value = self.get(name, "")
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and len(value) <= 9):  # noqa: PLR2004 - fits 32 bits
            raise InvalidError(mark("Please give a whole number."), field=name)
        return int(value)


async def form(request: Request[Any, Any, State]) -> Form:
    """Read an urlencoded or multipart form. Files are not taken here, nor is the CSRF token shown.

    Raises:
        InvalidError: too many fields, a file, or characters that no text has.
        HTTPException: something was sent that is no form (415): read as an empty one, it would be told of fields.
    """
    return (await _read(request))[0]


async def form_with_file(
    request: Request[Any, Any, State], file: str, *, beside: str | None = None, most: int | None = None
) -> tuple[Form, bytes]:
    """Read a form with one file in a field of this name; the file is empty when none was chosen.

    The handler says by `request_max_body_size` how much it takes. Of files in fields whose names begin with `beside`
    nothing is read: they belong to other buttons of the form. Of a file that has more than `most` bytes, one byte more
    is read, so that it can be refused for its length.

    Raises:
        InvalidError: as `form`, and for a file in any other field.
        HTTPException: as `form`.
    """
    sent, chosen = await _read(request, file, beside, most)
    if len(chosen) > 1:
        raise InvalidError(mark("Please choose one file at a time."), field=file)
    return sent, chosen[0] if chosen else b""


async def form_with_files(request: Request[Any, Any, State], file: str, *, most: int) -> tuple[Form, list[bytes]]:
    """Read a form with several files in a field of this name; those that are empty are left out.

    Args:
        request: What was sent; its handler says by `request_max_body_size` how much it takes.
        file: The field.
        most: Bytes of one file. Of a longer one, one byte more is read, so that it can be refused for its length.

    Raises:
        InvalidError: as `form`, and for a file in any other field.
        HTTPException: as `form`.
    """
    return await _read(request, file, None, most)


async def _read(
    request: Request[Any, Any, State], file: str | None = None, beside: str | None = None, most: int | None = None
) -> tuple[Form, list[bytes]]:
    if request.content_type[0] not in _FORMS and await request.body():
        raise HTTPException(status_code=415)
    fields: dict[str, list[str]] = {}
    files: list[bytes] = []
    sent = await request.form()
    try:
        for index, (name, value) in enumerate(sent.multi_items()):
            if index >= MAX_FIELDS:
                raise InvalidError(mark("This form has too many fields."))
            if isinstance(value, UploadFile):
                if name == file:
                    files.append(await value.read(-1 if most is None else most + 1))
                elif beside is None or not name.startswith(beside):
                    raise InvalidError(mark("A file is not expected here."), field=name)
                continue
            if "\x00" in name or "\x00" in value:
                raise InvalidError(mark("This holds characters that cannot be kept."), field=name)
            if name != "_csrf_token":
                fields.setdefault(name, []).append(value.strip())
    finally:
        await sent.close()
    return Form(fields), [content for content in files if content]
