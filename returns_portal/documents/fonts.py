"""The fonts of the package, and the one way in which a document may load anything: from them."""

from functools import cache
from pathlib import Path

from weasyprint.text.fonts import FontConfiguration  # type: ignore[import-untyped]  # WeasyPrint ships no types.
from weasyprint.urls import URLFetcher, URLFetcherResponse  # type: ignore[import-untyped]  # As above.

_FOLDER = Path(__file__).parent.parent / "fonts"
SANS = _FOLDER / "NotoSans-Regular.ttf"
SANS_BOLD = _FOLDER / "NotoSans-Bold.ttf"
MONO_BOLD = _FOLDER / "NotoSansMono-Bold.ttf"
FONT_FILES = (SANS, SANS_BOLD, MONO_BOLD)

_FACES = (("Portal Sans", 400, SANS), ("Portal Sans", 700, SANS_BOLD), ("Portal Mono", 700, MONO_BOLD))
FONT_FACES = "".join(
    f"@font-face{{font-family:'{family}';font-weight:{weight};src:url('package-font:{file.name}')}}"
    for family, weight, file in _FACES
)
"""The stylesheet's rules for the package's fonts."""


class PackageFetcher(URLFetcher):  # type: ignore[misc]  # Its base is untyped, see above.
    """Gives the package's fonts and refuses every other address, whatever its scheme."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:  # noqa: ARG002 - the base's
        """The font that `url` names.

        Raises:
            ValueError: anything else was asked for.
        """
        for file in FONT_FILES:
            if url == f"package-font:{file.name}":
                return URLFetcherResponse(url, file.read_bytes(), {"Content-Type": "font/ttf"})
        raise ValueError("A document may load nothing but the fonts of the package.")


@cache
def font_configuration() -> FontConfiguration:
    """The one configuration of this process: loading the machine's list of fonts takes longer than a label."""
    return FontConfiguration()
