"""Keyboard layouts, as the browser reports them: the key's place on the board, and what the layout makes of it."""

import time

from playwright.sync_api import Page

_PLACES = {"-": "Minus", "\x1d": "BracketRight", " ": "Space", ":": "Semicolon", "_": "Minus"}
_SHIFT = 8
_ROWS = "QWERTYUIOPASDFGHJKLZXCVBNM-:"
LAYOUTS = {
    "American": "QWERTYUIOPASDFGHJKLZXCVBNM-:",
    "Ukrainian": "ЙЦУКЕНГШЩЗФІВАПРОЛДЯЧСМИТЬ-Ж",
    "Russian": "ЙЦУКЕНГШЩЗФЫВАПРОЛДЯЧСМИТЬ-Ж",
    "Bulgarian": "ЫУЕИШЩКСДЗѝЯАОЖГТНВЮЙЪЭФХП-М",
    "German": "QWERTZUIOPASDFGHJKLYXCVBNMßÖ",
}
"""What the same keys type, as the layouts' own standards list them; a scanner believes that it is the first."""


def strike(page: Page, letters: str, layout: str = "American", enters: int = 1) -> None:
    """Strike keys as a wedge scanner does, which presses places: what comes of them is the layout's.

    The browser is told when each was struck, so that a busy machine's scanner is as fast as any.
    """
    session = page.context.new_cdp_session(page)
    made = dict(zip(_ROWS, LAYOUTS[layout], strict=True))
    moment = time.time()

    def press(**key: str | int) -> None:
        nonlocal moment
        moment += 0.005
        session.send("Input.dispatchKeyEvent", {"type": "keyDown", "timestamp": moment, **key})
        session.send("Input.dispatchKeyEvent", {"type": "keyUp", "timestamp": moment, **key})

    for letter in letters:
        place = _PLACES.get(letter, f"Digit{letter}" if letter.isdigit() else f"Key{letter}")
        sign = made.get(letter, letter)
        key: dict[str, str | int] = {"key": sign, "code": place, "text": sign}
        if letter in ":_":
            key["modifiers"] = _SHIFT
        if letter == "\x1d":
            key = {"key": "]", "code": place, "modifiers": 2}
        press(**key)
    for _ in range(enters):
        press(key="Enter", code="Enter", text="\r", windowsVirtualKeyCode=13)
    session.detach()
