"""The description of the API: OpenAPI as JSON, and a page for people that is made here, without foreign scripts."""

from typing import Any, Final

import msgspec
from litestar import Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from returns_portal import __doc__ as about
from returns_portal.web.pages import page
from returns_portal.web.problems import PROBLEM, Problem

_METHODS: Final = ("get", "put", "post", "patch", "delete")


class Field(msgspec.Struct, frozen=True):
    """One field of a request or an answer."""

    name: str
    kind: str
    required: bool
    description: str


class Shape(msgspec.Struct, frozen=True):
    """A named structure and its fields."""

    name: str
    fields: list[Field]


class Operation(msgspec.Struct, frozen=True):
    """One call of the API, as the page shows it."""

    method: str
    path: str
    summary: str
    description: str
    scopes: list[str]
    parameters: list[Field]
    request: str
    answers: list[tuple[str, str]]


class ReferencePage(OpenAPIRenderPlugin):
    """Draws the API's description with the portal's own template."""

    def __init__(self) -> None:
        """Serve at the root of the schema's path."""
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Draw the page."""
        described = with_problems(openapi_schema)
        shapes = described["components"]["schemas"]
        answer = page(
            request,
            "components/schema.html",
            title=described["info"]["title"],
            version=described["info"]["version"],
            operations=operations(described),
            shapes=[Shape(name, _fields(shape)) for name, shape in sorted(shapes.items())],
        )
        return answer.content.encode()


class Document(JsonRenderPlugin):
    """The description as JSON."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Write it, with the errors as they really are."""
        return super().render(request, with_problems(openapi_schema))


def with_problems(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe errors as problem details, in place of the shape and the status that Litestar's own would have."""
    (reference,), shapes = msgspec.json.schema_components([Problem], ref_template="#/components/schemas/{name}")
    answer = {"description": "A problem (RFC 9457)", "content": {PROBLEM: {"schema": reference}}}
    for item in schema.get("paths", {}).values():
        for operation in item.values():
            operation["responses"].pop("400", None)
            operation["responses"]["default"] = answer
    schema.setdefault("components", {}).setdefault("schemas", {}).update(shapes)
    return schema


def openapi_config(version: str) -> OpenAPIConfig:
    """What the description says about the API as a whole."""
    return OpenAPIConfig(
        title="Returns portal API",
        version=version,
        description=about,
        path="/schema",
        use_handler_docstrings=True,
        render_plugins=[ReferencePage(), Document(path="/openapi.json")],
        components=Components(
            security_schemes={
                "key": SecurityScheme(
                    type="http", scheme="bearer", description="A key made by `returns-portal api-key create`"
                )
            }
        ),
    )


def operations(schema: dict[str, Any]) -> list[Operation]:
    """Every call, by path and method."""
    return [
        _operation(method, path, item[method])
        for path, item in sorted(schema.get("paths", {}).items())
        for method in _METHODS
        if method in item
    ]


def _operation(method: str, path: str, found: dict[str, Any]) -> Operation:
    body = found.get("requestBody", {}).get("content", {})
    return Operation(
        method=method.upper(),
        path=path,
        summary=found.get("summary", ""),
        description=found.get("description", ""),
        scopes=[scope for needed in found.get("security", []) for scopes in needed.values() for scope in scopes],
        parameters=[
            Field(
                name=parameter["name"],
                kind=f"{parameter['in']}, {kind_of(parameter.get('schema', {}))}",
                required=parameter.get("required", False),
                description=parameter.get("description", ""),
            )
            for parameter in found.get("parameters", [])
        ],
        request=_content(body),
        answers=[(status, _content(answer.get("content", {}))) for status, answer in found["responses"].items()],
    )


def _content(content: dict[str, Any]) -> str:
    """What a body is: the name of its structure, or its media type."""
    for media_type, described in content.items():
        shape = described.get("schema", {})
        return kind_of(shape) if "json" in media_type and shape else media_type
    return ""


def _fields(shape: dict[str, Any]) -> list[Field]:
    required = shape.get("required", [])
    return [
        Field(name, kind_of(described), name in required, described.get("description", ""))
        for name, described in shape.get("properties", {}).items()
    ]


def kind_of(shape: dict[str, Any]) -> str:
    """A type in a few words: `list of Line`, `integer or null`, `"original" | "points"`."""
    if reference := shape.get("$ref"):
        return str(reference).rsplit("/", 1)[-1]
    for several in ("oneOf", "anyOf"):
        if several in shape:
            return " or ".join(kind_of(option) for option in shape[several])
    if "enum" in shape:
        return " | ".join(f'"{option}"' for option in shape["enum"])
    kind = shape.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"list of {kind_of(shape.get('items', {}))}"
    return f"{kind} ({shape['format']})" if "format" in shape else str(kind)
