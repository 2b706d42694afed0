"""Pictures for the tests, as files."""

from io import BytesIO
from typing import Any

from PIL import Image


def a_picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **more: Any) -> bytes:  # noqa: ANN401 - Pillow's
    """A picture whose left half is red and whose right half is blue."""
    picture = Image.new("RGB", size, "red")
    picture.paste("blue", (size[0] // 2, 0, *size))
    out = BytesIO()
    picture.convert(mode).save(out, kind, **more)
    return out.getvalue()
