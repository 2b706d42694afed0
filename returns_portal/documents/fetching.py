"""The one way in which a document may load anything: from the package's fonts.

It stands apart from them, because whoever only asks what a font can print does not wait for WeasyPrint.
"""

from functools import cache

from weasyprint.text.fonts import FontConfiguration  # type: ignore[import-untyped]  # WeasyPrint ships no types.
from weasyprint.urls import URLFetcher, URLFetcherResponse  # type: ignore[import-untyped]  # As above.

from returns_portal.documents.fonts import FONT_FILES, HAND


class PackageFetcher(URLFetcher):  # type: ignore[misc]  # Its base is untyped, see above.
    """Gives the package's fonts and refuses every other address, whatever its scheme."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:  # noqa: ARG002 - the base's
        """The font that `url` names.

        Raises:
            ValueError: anything else was asked for.
        """
        for file in (*FONT_FILES, HAND):
            if url == f"package-font:{file.name}":
                return URLFetcherResponse(url, file.read_bytes(), {"Content-Type": "font/ttf"})
        raise ValueError("A document may load nothing but the fonts of the package.")


@cache
def font_configuration() -> FontConfiguration:
    """The one configuration of this process: loading the machine's list of fonts takes longer than a label."""
    return FontConfiguration()
