"""Static files, held in memory, with a hash of their content in the address, so that they are cached for ever.

The style sheets are one response: the layer order, the tokens, the base, then one file per component. There is no
build step; the files are joined when the process starts.
"""

import gzip
import hashlib
import mimetypes
from pathlib import Path
from typing import Final, Self

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.params import FromPath

from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark

LAYERS: Final = b"@layer reset, tokens, base, components, pages;\n"
STYLE_SHEET: Final = "app.css"
_COMPRESSIBLE: Final = ("text/", "application/javascript", "application/json", "application/wasm", "image/svg+xml")
_WORTH_COMPRESSING: Final = 1024
_FOREVER: Final = "public, max-age=31536000, immutable"


class Asset(msgspec.Struct, frozen=True):
    """One file: its bytes, as they are and compressed, and what it is."""

    content: bytes
    compressed: bytes | None
    media_type: str
    version: str


class Assets:
    """The static files by name."""

    def __init__(self, files: dict[str, bytes]) -> None:
        """Hash and compress the files."""
        self._assets = {name: _asset(name, content) for name, content in files.items()}

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a folder; its style sheets become one."""
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path.suffix != ".css"}
        sheets = [folder / "tokens.css", folder / "base.css", *sorted((folder / "components").glob("*.css"))]
        files[STYLE_SHEET] = LAYERS + b"\n".join(sheet.read_bytes() for sheet in sheets)
        return cls(files)

    def url(self, name: str) -> str:
        """The address of a file, which changes with its content.

        Raises:
            KeyError: there is no such file.
        """
        return f"/static/{name}?v={self._assets[name].version}"

    def find(self, name: str) -> Asset:
        """The file of this name.

        Raises:
            NotFoundError: there is none.
        """
        try:
            return self._assets[name]
        except KeyError:
            raise NotFoundError(mark("There is no such file.")) from None


def _asset(name: str, content: bytes) -> Asset:
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if media_type == "text/javascript":
        media_type = "application/javascript"
    compress = media_type.startswith(_COMPRESSIBLE) and len(content) > _WORTH_COMPRESSING
    return Asset(
        content=content,
        compressed=gzip.compress(content, 9, mtime=0) if compress else None,
        media_type=media_type,
        version=hashlib.sha256(content).hexdigest()[:12],
    )


@get("/static/{file:path}", include_in_schema=False, sync_to_thread=False)
def static_file(request: Request[object, object, State], file: FromPath[Path]) -> Response[bytes]:
    """Serve a static file; for ever when its address carries the hash of this very content."""
    assets: Assets = request.app.state.site.assets
    found = assets.find(file.as_posix().lstrip("/"))
    fixed = request.query_params.get("v") == found.version
    headers = {"Cache-Control": _FOREVER if fixed else "no-cache", "ETag": f'"{found.version}"'}
    content = found.content
    if found.compressed is not None:
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            content = found.compressed
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(b"", status_code=304, headers=headers, media_type=found.media_type)
    return Response(content, headers=headers, media_type=found.media_type)
