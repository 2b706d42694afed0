"""How many parts an SMS takes. Pure.

3GPP TS 23.038: a part holds 140 bytes. In the default alphabet that are 160 characters of 7 bits, those of its
extension table taking two; any other character makes all of it UCS-2, of which 70 fit. In several parts each carries a
header of 6 bytes (3GPP TS 23.040, 9.2.3.24.1), so that 153 or 67 are left.
"""

from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")


def segments(text: str) -> int:
    """How many parts a text takes; one that is empty takes one."""
    if all(character in _BASIC or character in _EXTENDED for character in text):
        widths, alone, together = [2 if character in _EXTENDED else 1 for character in text], 160, 153
    else:
        # What lies beyond the basic plane takes two units of UTF-16, which no part may cut in two.
        widths, alone, together = [len(character.encode("utf-16-be")) // 2 for character in text], 70, 67
    return 1 if sum(widths) <= alone else _cut(widths, together)


def _cut(widths: list[int], room: int) -> int:
    parts, used = 1, 0
    for width in widths:
        if used + width > room:
            parts, used = parts + 1, 0
        used += width
    return parts
