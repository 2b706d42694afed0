"""What the faces of the capabilities build pages and forms with."""

from returns_portal.web.envelope import client_network
from returns_portal.web.forms import Form, form, form_with_file, form_with_files
from returns_portal.web.pages import csrf_token, flash, local_path, page, page_after, redirect
from returns_portal.web.site import Site, known_actor, site
from returns_portal.web.transaction import requires_staff

__all__ = [
    "Form",
    "Site",
    "client_network",
    "csrf_token",
    "flash",
    "form",
    "form_with_file",
    "form_with_files",
    "known_actor",
    "local_path",
    "page",
    "page_after",
    "redirect",
    "requires_staff",
    "site",
]
