"""Which line drawing stands for an item until the shop gives photographs."""

import re
from typing import Final

_WORDS: Final = {
    "socks": ("sock", "stocking", "tights", "шкарпет", "носк", "чорап", "strumpf"),
    "shoe": (
        *("shoe", "boot", "sneaker", "runner", "trainer", "loafer", "sandal", "slipper", "heel", "derby"),
        *("кросів", "кроссов", "туфл", "черевик", "обув", "schuh", "stiefel"),
    ),
    "trousers": ("trouser", "jean", "chino", "pant", "legging", "short", "штан", "джинс", "брюк", "панталон", "hose"),
    "jacket": ("jacket", "coat", "parka", "blazer", "anorak", "vest", "gilet", "куртк", "пальт", "яке", "jacke"),
    "shirt": (
        *("shirt", "tee", "t-shirt", "blouse", "polo", "top", "sweater", "hoodie", "jumper", "pullover", "cardigan"),
        *("dress", "сороч", "рубаш", "футбол", "риза", "hemd"),
    ),
}
"""Beginnings of words, in the languages that shops write their titles in; the first that fits wins."""

_PATTERNS: Final = {
    kind: re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})", re.IGNORECASE) for kind, words in _WORDS.items()
}


def drawing_for(title: str) -> str:
    """The name of the drawing for an item of this title: `accessory` when nothing better is known."""
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.search(title)), "accessory")
