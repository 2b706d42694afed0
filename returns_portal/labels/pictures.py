"""The code of a parcel as a picture to send."""

from typing import Final

from litestar import Response

from returns_portal.documents.pictures import qr_png, qr_svg_file
from returns_portal.i18n import _
from returns_portal.labels.drop_off import DropOff

# It is one customer's, and another one from the moment on when its label is made anew.
_HEADERS: Final = {"Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex"}


def title_of(found: DropOff) -> str:
    """What a screen reader says of the picture."""
    if found.number == 1:
        return _("QR code of return {rma}", rma=found.rma)
    return _("QR code of return {rma}, parcel {number}", rma=found.rma, number=found.number)


def png_of(found: DropOff) -> Response[bytes]:
    """The code as PNG."""
    return Response(qr_png(found.code), media_type="image/png", headers=_HEADERS)


def svg_of(found: DropOff) -> Response[str]:
    """The code as SVG."""
    return Response(qr_svg_file(found.code, title=title_of(found)), media_type="image/svg+xml", headers=_HEADERS)
