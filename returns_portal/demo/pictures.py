"""Pictures of the demo's products: flat drawings in the colour of each, made of a few outlines."""

import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Final, NamedTuple

from PIL import Image, ImageDraw

_WIDTH, _HEIGHT = 480, 600
"""The field of the outlines."""
_FINE: Final = 3
"""How much larger it is drawn than the outlines say; half of that is kept, so that edges are smooth."""
_STEPS: Final = 12
"""Into how many straight pieces a curve is cut."""
_PAPER: Final = "#efe9df"
_RED, _DARK = "#a8322d", "#4a2320"

COLOURS: Final = {"Black": "#33312f", "Navy": "#2c3d5a", "Ecru": "#f0e6d2", "Sand / Stone": "#cdb593"}


_Point = tuple[float, float]


class _Part(NamedTuple):
    """A closed outline in a shade of the colour: below 0 darker, above 0 lighter."""

    path: str
    shade: float = 0.0
    thread: str = ""
    """A colour of its own, of embroidery."""


class _Line(NamedTuple):
    """A seam: an open outline, drawn as a thin line."""

    path: str
    shade: float = -0.22


_Shape = Sequence[_Part | _Line]

_BOOT: Final[_Shape] = (
    _Part("M150 150 C190 140 250 140 292 150 C296 220 300 290 316 330 C350 352 404 362 424 392 C434 410 434 430 430 440"
          " L150 440 C146 400 152 340 152 290 C152 240 150 190 150 150 Z"),
    _Part("M216 146 L262 146 C266 200 262 250 250 300 L226 300 C216 250 214 200 216 146 Z", -0.3),
    _Part("M144 440 L434 440 C438 452 436 462 432 466 L240 466 L232 482 L146 482 C142 468 142 454 144 440 Z", -0.45),
    _Line("M152 330 C200 350 250 356 316 332"),
    _Part("M148 126 C158 122 168 122 174 126 L172 152 L150 152 Z", -0.15),
)  # fmt: skip
_DERBY: Final[_Shape] = (
    _Part("M86 300 C130 286 180 290 214 280 C250 310 300 340 350 350 C392 358 424 372 430 408 C431 416 430 420 428 424"
          " L84 424 C78 380 80 340 86 300 Z"),
    _Part("M212 282 C240 306 276 330 312 340 L284 372 C240 360 204 336 186 300 Z", 0.1),
    _Part("M78 424 L434 424 C438 434 436 444 432 448 L176 448 L170 464 L80 464 C76 450 76 436 78 424 Z", -0.45),
    _Line("M236 318 L214 334"), _Line("M258 332 L236 350"), _Line("M280 344 L258 364"),
    _Line("M86 340 C130 352 170 372 190 424"), _Line("M340 352 C326 372 322 398 326 424"),
)  # fmt: skip
_RUNNER: Final[_Shape] = (
    _Part("M82 290 C110 270 150 300 190 262 C230 300 276 332 330 346 C380 358 424 366 432 402 C434 412 432 420 430 424"
          " L84 424 C76 380 76 330 82 290 Z"),
    _Part("M190 262 C222 294 262 322 306 338 L270 378 C226 364 190 334 160 288 Z", -0.12),
    _Part("M120 424 C150 380 200 380 236 402 C260 416 290 420 320 424 Z", -0.3),
    _Part("M76 418 C190 430 320 426 434 412 C442 430 438 452 422 462 C320 472 190 472 92 466 C76 456 72 436 76 418 Z",
          0.55),
    _Line("M230 302 L204 324"), _Line("M254 318 L228 342"), _Line("M278 332 L252 358"),
    _Line("M82 452 C200 460 330 458 430 446", -0.2),
)  # fmt: skip
_CANVAS: Final[_Shape] = (
    _Part("M84 286 C112 280 150 292 186 276 C226 312 282 340 338 348 C388 356 426 368 432 402 C434 412 432 418 430 422"
          " L84 422 C78 380 78 330 84 286 Z"),
    _Part("M186 276 C220 306 262 330 306 342 L282 372 C240 362 200 338 162 296 Z", 0.14),
    _Part("M360 352 C400 360 428 372 432 402 C434 412 432 418 430 422 L352 422 C346 396 348 372 360 352 Z", 0.4),
    _Part("M78 418 L434 418 C438 434 436 448 430 456 C320 462 190 462 84 456 C76 446 76 432 78 418 Z", 0.62),
    _Line("M222 314 L200 334"), _Line("M246 328 L222 350"), _Line("M270 340 L246 362"),
    _Line("M80 436 L434 436", -0.1), _Line("M84 340 C110 346 128 370 134 422"),
)  # fmt: skip
_SHELL: Final[_Shape] = (
    _Part("M176 152 C176 96 304 96 304 152 L346 172 C390 206 408 320 424 452 L366 466 C358 406 352 356 346 324"
          " L350 508 L130 508 L134 324 C128 356 122 406 114 466 L56 452 C72 320 90 206 134 172 Z"),
    _Part("M194 158 C196 116 284 116 286 158 C276 182 204 182 194 158 Z", -0.4),
    _Part("M234 170 L246 170 L246 508 L234 508 Z", -0.28),
    _Line("M176 152 C190 190 290 190 304 152"), _Line("M134 324 C138 280 138 250 134 226"),
    _Line("M346 324 C342 280 342 250 346 226"), _Line("M156 400 L206 372", -0.35), _Line("M324 400 L274 372", -0.35),
    _Line("M59 432 L116 446"), _Line("M421 432 L364 446"), _Line("M131 490 L349 490"),
)  # fmt: skip
_SOCKS: Final[_Shape] = (
    _Part("M250 120 L346 120 C346 220 348 270 356 318 C372 352 420 378 428 412 C434 446 400 460 372 448"
          " C328 430 276 396 260 352 C250 300 250 200 250 120 Z", -0.14),
    _Part("M118 150 L216 150 C216 250 218 300 226 348 C242 382 290 408 298 442 C304 476 270 490 242 478"
          " C198 460 146 426 130 382 C120 330 118 230 118 150 Z"),
    _Part("M118 150 L216 150 L216 204 L119 204 Z", 0.16), _Part("M250 120 L346 120 L346 174 L250 174 Z", 0.1),
    _Part("M298 442 C304 476 270 490 242 478 C230 473 218 467 206 459 C220 430 250 414 282 418 C290 426 296 434 298 442"
          " Z", 0.16),
    _Line("M142 150 L143 204"), _Line("M167 150 L167 204"), _Line("M192 150 L192 204"),
)  # fmt: skip
_SHIRT: Final[_Shape] = (
    _Part("M186 124 C206 138 274 138 294 124 L346 142 C384 170 404 260 424 430 L372 444 C362 380 354 330 346 300"
          " L346 504 C280 514 200 514 134 504 L134 300 C126 330 118 380 108 444 L56 430 C76 260 96 170 134 142 Z"),
    _Part("M240 168 L186 124 C176 140 176 152 180 168 L214 200 Z", 0.14),
    _Part("M240 168 L294 124 C304 140 304 152 300 168 L266 200 Z", 0.14),
    _Part("M186 124 L240 168 L294 124 C280 112 200 112 186 124 Z", -0.3),
    _Line("M240 168 L240 508"), _Line("M134 300 C138 260 138 230 134 206"), _Line("M346 300 C342 260 342 230 346 206"),
    _Line("M278 246 L322 246 L322 290 C310 300 290 300 278 290 Z", -0.14),
    _Line("M61 404 L112 418", -0.14), _Line("M419 404 L368 418", -0.14),
)  # fmt: skip
_JUMPER: Final[_Shape] = (
    _Part("M186 134 C210 150 270 150 294 134 L344 152 C388 186 410 300 426 446 L364 462 C356 400 350 350 344 316"
          " L342 480 L138 480 L136 316 C130 350 124 400 116 462 L54 446 C70 300 92 186 136 152 Z"),
    _Part("M180 138 C206 160 274 160 300 138 L292 118 C270 132 210 132 188 118 Z", 0.16),
    _Part("M138 462 L342 462 L338 500 L142 500 Z", -0.14),
    _Part("M56 428 L118 444 L114 478 L52 462 Z", -0.14), _Part("M424 428 L362 444 L366 478 L428 462 Z", -0.14),
    _Line("M136 316 C140 270 140 240 136 214"), _Line("M344 316 C340 270 340 240 344 214"),
)  # fmt: skip
_DRESS: Final[_Shape] = (
    _Part("M196 104 L206 104 C210 150 270 150 274 104 L284 104 C300 140 312 168 308 206 C304 230 296 250 294 268"
          " C318 340 350 430 372 506 C290 526 190 526 108 506 C130 430 162 340 186 268 C184 250 176 230 172 206"
          " C168 168 180 140 196 104 Z"),
    _Part("M185 262 L295 262 L298 284 L182 284 Z", -0.2),
    _Line("M206 300 C190 370 176 440 164 508", -0.14), _Line("M240 300 L240 518", -0.14),
    _Line("M274 300 C290 370 304 440 316 508", -0.14),
)  # fmt: skip
# Crosses in rows, as they are stitched: each a small diamond.
_STITCHES: Final = [
    _Part(f"M{x} {y - 8} L{x + 8} {y} L{x} {y + 8} L{x - 8} {y} Z", thread=thread)
    for x, y, thread in (
        *((240 + side * 26, 200 + row * 22, _RED) for row in range(6) for side in (-1, 1)),
        *((240 + side * 46, 211 + row * 22, _DARK) for row in range(5) for side in (-1, 1)),
        *((240 + side * (140 + step * 16), 398 - step * 4, _RED) for step in range(2) for side in (-1, 1)),
    )
]
_EMBROIDERED: Final[_Shape] = (
    *_SHIRT[:1],
    _Part("M186 124 C206 150 274 150 294 124 L290 112 C270 126 210 126 190 112 Z", 0.16),
    _Line("M240 142 L240 330"), _Line("M134 300 C138 260 138 230 134 206"), _Line("M346 300 C342 260 342 230 346 206"),
    *_STITCHES,
)  # fmt: skip

_SHAPES: Final = {
    "boot": _BOOT, "derby": _DERBY, "runner": _RUNNER, "canvas": _CANVAS, "shirt": _SHIRT, "embroidered": _EMBROIDERED,
    "crew": _JUMPER, "dress": _DRESS, "shell": _SHELL, "socks": _SOCKS,
}  # fmt: skip


def drawn(shape: str, colour: str) -> bytes:
    """A picture of a shape in a colour, as PNG of 720 × 900 pixels.

    Raises:
        KeyError: there is no such shape or colour.
    """
    picture = Image.new("RGB", (_WIDTH * _FINE, _HEIGHT * _FINE), _PAPER)
    pen = ImageDraw.Draw(picture)
    base = _rgb(COLOURS[colour])
    parts = _SHAPES[shape]
    across, down = _to_the_middle([point for part in parts for point in _points(part.path)])
    for part in parts:
        points = [((x + across) * _FINE, (y + down) * _FINE) for x, y in _points(part.path)]
        if isinstance(part, _Part):
            pen.polygon(points, fill=part.thread or _shaded(base, part.shade))
            pen.line([*points, points[0]], fill=_shaded(base, -0.25), width=_FINE, joint="curve")
        else:
            pen.line(points, fill=_shaded(base, part.shade), width=2 * _FINE, joint="curve")
    out = BytesIO()
    picture.reduce(2).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _to_the_middle(points: Sequence[_Point]) -> _Point:
    """How far outlines are to be moved to stand in the middle of the field."""
    across, down = zip(*points, strict=True)
    return (_WIDTH - min(across) - max(across)) / 2, (_HEIGHT - min(down) - max(down)) / 2


def _rgb(code: str) -> tuple[int, int, int]:
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def _shaded(colour: tuple[int, int, int], shade: float) -> tuple[int, int, int]:
    end = 255 if shade > 0 else 0
    red, green, blue = (round(part + (end - part) * abs(shade)) for part in colour)
    return red, green, blue


def _points(path: str) -> Iterator[_Point]:
    """The corners of an outline of absolute M, L, C and Z commands (SVG 2, chapter 9), its curves cut into pieces."""
    here: _Point = (0, 0)
    for command, numbers in re.findall(r"([MLC])([^MLCZ]*)", path):
        values = [float(number) for number in numbers.split()]
        ends = list(zip(values[::2], values[1::2], strict=True))
        if command == "C":
            for first, second, end in zip(ends[::3], ends[1::3], ends[2::3], strict=True):
                yield from (_on_curve(here, first, second, end, step / _STEPS) for step in range(1, _STEPS + 1))
                here = end
        else:
            yield from ends
            here = ends[-1]


def _on_curve(start: _Point, first: _Point, second: _Point, end: _Point, t: float) -> _Point:
    """A point of a cubic Bézier curve."""
    weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
    across = sum(weight * point[0] for weight, point in zip(weights, (start, first, second, end), strict=True))
    down = sum(weight * point[1] for weight, point in zip(weights, (start, first, second, end), strict=True))
    return across, down
