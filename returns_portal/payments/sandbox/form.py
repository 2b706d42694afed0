"""How Stripe's form encoding (`a[b]=c`, `expand[0]=d`) is read, and how what was sent is checked."""

import re
from typing import ClassVar, TypeVar
from urllib.parse import parse_qsl

import msgspec

from returns_portal.payments.sandbox.errors import ApiError, not_simulated

Form = dict[str, object]


def names(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every endpoint takes."""

    not_simulated: ClassVar[frozenset[str]] = frozenset()
    unsettable: ClassVar[frozenset[str]] = frozenset({"metadata"})
    """Parameters that may be empty: that unsets what they name."""
    expand: list[str] = []


_P = TypeVar("_P", bound=Params)
_KEY_PART = re.compile(r"\[([^\]]*)\]")
_MAX_METADATA = 50
_MAX_METADATA_KEY = 40
_MAX_METADATA_VALUE = 500


def decode_form(text: str) -> Form:
    """Read a form or a query string into nested dictionaries and lists."""
    form: Form = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, _, rest = name.partition("[")
        parts = [first, *_KEY_PART.findall("[" + rest)] if rest else [first]
        node = form
        for part in parts[:-1]:
            inner = node.setdefault(part, {})
            if not isinstance(inner, dict):
                raise ApiError(400, f"Invalid parameter: {name}", param=name)
            node = inner
        last = parts[-1] or str(len(node))
        node[last] = value
    return {name: _listed(value) for name, value in form.items()}


def _listed(value: object) -> object:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(item) for name, item in value.items()}
    return list(inner.values()) if inner and all(name.isdigit() for name in inner) else inner


def read(type_: type[_P], form: Form) -> _P:
    """Check what was sent against what the endpoint takes.

    Raises:
        ApiError: a parameter is unknown, missing, empty or not of its type.
    """
    for name, value in form.items():
        if name in type_.not_simulated:
            raise not_simulated(f"the parameter {name}")
        if not value and name not in type_.unsettable:
            raise _empty(name)
    given = form if form.get("metadata") != "" else {**form, "metadata": {}}
    try:
        params = msgspec.convert(given, type_, strict=False)
    except msgspec.ValidationError as error:
        raise _problem(str(error), given) from None
    _check_metadata(getattr(params, "metadata", {}))
    return params


def _empty(name: str) -> ApiError:
    return ApiError(
        400,
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
        f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty "
        "value.",
        code="parameter_invalid_empty",
        param=name,
    )


_PROBLEM = re.compile(r"`(?P<field>\w+)`(?: - at `\$\.?(?P<inside>[^`]*)`)?$|`\$\.(?P<at>[^`]*)`$")


def _problem(text: str, form: Form) -> ApiError:
    """Turn the validator's sentence into Stripe's."""
    found = _PROBLEM.search(text)
    if found is None:
        return ApiError(400, text)
    if "unknown field" in text or "missing required field" in text:
        path = [*filter(None, (found["inside"] or "").split(".")), found["field"]]
        name = _bracketed(path)
        if "unknown" in text:
            return ApiError(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
        return ApiError(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
    path = (found["at"] or found["inside"]).split(".")
    name = _bracketed(path)
    value: object = form
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    if "Expected `int" in text:
        return ApiError(400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
    if "Expected `bool" in text:
        return ApiError(400, f"Invalid boolean: {value}", param=name)
    return ApiError(400, f"Invalid {name}: {value}", param=name)


def _bracketed(path: list[str]) -> str:
    return path[0] + "".join(f"[{part}]" for part in path[1:])


def _check_metadata(metadata: dict[str, str]) -> None:
    """Hold metadata to Stripe's limits: 50 keys of 40 characters, values of 500."""
    if len(metadata) > _MAX_METADATA:
        raise ApiError(400, f"Metadata can have at most {_MAX_METADATA} keys.", param="metadata")
    for key, value in metadata.items():
        if len(key) > _MAX_METADATA_KEY:
            raise ApiError(400, f"Metadata keys can be at most {_MAX_METADATA_KEY} characters.", param="metadata")
        if len(value) > _MAX_METADATA_VALUE:
            name = f"metadata[{key}]"
            raise ApiError(400, f"Metadata values can be at most {_MAX_METADATA_VALUE} characters.", param=name)
