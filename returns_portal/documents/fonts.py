"""The fonts of the package, which are all that a document may load."""

from pathlib import Path

_FOLDER = Path(__file__).parent.parent / "fonts"
SANS = _FOLDER / "NotoSans-Regular.ttf"
SANS_BOLD = _FOLDER / "NotoSans-Bold.ttf"
MONO_BOLD = _FOLDER / "NotoSansMono-Bold.ttf"
FONT_FILES = (SANS, SANS_BOLD, MONO_BOLD)
HAND = _FOLDER / "Caveat-Regular.ttf"
"""As if written by hand. Only what asks for it loads it (`thanks_card.css`)."""

_FACES = (("Portal Sans", 400, SANS), ("Portal Sans", 700, SANS_BOLD), ("Portal Mono", 700, MONO_BOLD))
FONT_FACES = "".join(
    f"@font-face{{font-family:'{family}';font-weight:{weight};src:url('package-font:{file.name}')}}"
    for family, weight, file in _FACES
)
"""The stylesheet's rules for the package's fonts."""
