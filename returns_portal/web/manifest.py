"""What a phone needs to keep the portal on its home screen: the web app manifest (W3C Web Application Manifest).

There is no service worker for customers: what it would show without a network is the state of somebody's money as it
was some time ago. Without a network the browser says so; the station's own worker is for the dock alone.
"""

from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State

from returns_portal import i18n
from returns_portal.i18n import _
from returns_portal.web.site import site

PATH: Final = "/manifest.webmanifest"
_PAPER: Final = "#faf8f4"
"""`--paper` of `tokens.css`, in the light: what is shown while the first page loads."""
_ICONS: Final = (("icon-192.png", "192x192", "any"), ("icon-512.png", "512x512", "any"))
_MASKABLE: Final = ("icon-maskable.png", "512x512", "maskable")
_SHORT: Final = 12
"""Characters that fit below an icon on most phones."""


@get(PATH, include_in_schema=False, sync_to_thread=False)
def manifest(request: Request[Any, Any, State]) -> Response[bytes]:
    """The portal as an app, by the shop's name."""
    here = site(request)
    name = here.shop.name
    told = {
        "id": "/",
        "name": _("{shop}: returns", shop=name),
        "short_name": name if len(name) <= _SHORT else _("Returns"),
        "lang": i18n.current(),
        "dir": "ltr",
        "start_url": "/",
        "scope": "/",
        # With the browser's own way back: people come here from e-mails, and leave again.
        "display": "minimal-ui",
        "background_color": _PAPER,
        "theme_color": _PAPER,
        "icons": [
            {"src": here.assets.url(file), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for file, sizes, purpose in (*_ICONS, _MASKABLE)
        ],
    }
    return Response(
        msgspec.json.encode(told),
        media_type="application/manifest+json",
        # The name is the shop's to change, and the language the visitor's.
        headers={"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"},
    )
