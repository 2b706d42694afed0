"""The template engine: minijinja, escaping everything in HTML, refusing names that nobody gave."""

from collections.abc import Callable

import minijinja
from minijinja import Environment

from returns_portal import i18n
from returns_portal.resources import templates_dir
from returns_portal.web import formats
from returns_portal.web.drawings import drawing_for


class Templates:
    """Renders templates by name, from the templates' folder."""

    def __init__(self) -> None:
        """Make the environment; templates are read when first used, and kept."""
        self.environment = Environment(
            loader=minijinja.load_from_path([templates_dir()]),
            # A misspelt name is an error in the first test that renders the page, not an empty place on it.
            undefined_behavior="strict",
            auto_escape_callback=_escaping,
            trim_blocks=True,
            lstrip_blocks=True,
            globals=_GLOBALS,
        )

    def render(self, name: str, /, **context: object) -> str:
        """Render a template to text.

        Raises:
            minijinja.TemplateError: there is no such template, or it uses a name that is not in the context.
        """
        return self.environment.render_template(name, **context)


def _escaping(name: str) -> str | None:
    return "html" if name.endswith((".html", ".svg")) else None


_GLOBALS: dict[str, Callable[..., object]] = {
    "_": i18n.translate,
    "ngettext": i18n.ngettext,
    "money": formats.money,
    "number": formats.number,
    "language_name": formats.language,
    "date": formats.format_date,
    "datetime": formats.format_datetime,
    "drawing_for": drawing_for,
}
