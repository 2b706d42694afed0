"""What customers say why something comes back, read in the portal's languages.

A reason is free text and never required, so that most is known of few. Words are looked for that leave no doubt; what
says two opposite things, or denies one, is read as neither. How long something took is no size, although most of the
languages have one word for both (`too long`, `zu lang`, `твърде дълго`), and the Bulgarian `късно` (late) begins as
`къс` (short) does: what says that it came late is taken away before sizes are looked for.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final


class Theme(StrEnum):
    """What a reason is about."""

    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    FAULTY = "faulty"
    """Faulty, damaged, or not what was ordered: said by words, or by the tick beside them."""
    LOOKS = "looks"
    """It looks other than in the pictures, in its colour or its cloth."""
    LATE = "late"
    UNLIKED = "unliked"
    """It does not please, or is not needed any more."""
    OTHER = "other"
    """Something is said, and none of these is recognised in it."""


_VERY_BG: Final = "(?:твърде|прекалено|много)"
_SMALL: Final = (
    r"too (?:small|tight|short|narrow)|(?:runs?|fits?|is|are|comes? up|came up|bit|little) (?:very |so |quite )?"
    r"(?:small|tight)|small fit|size (?:too )?small|(?:size|number) (?:up|larger|bigger)|larger size|bigger size"
    r"|zu (?:klein|eng|kurz|schmal)|f[äa]ll(?:t|en) (?:sehr |etwas |recht )?klein|gr(?:ö|oe)(?:ß|ss)ere nummer"
    r"|eine nummer gr(?:ö|oe)(?:ß|ss)er|(?:твърде|прекалено|много) (?:мал|тес|къс|тяс)\w+|умалява\w*|малки? ми|малък ми"
    r"|малка ми|тесн\w+ ми|слишком (?:мал|тес|уз|корот)\w+|маломер\w*|малы|мало?ват\w*|жмут|жмёт|жмет|тесноват\w*"
    r"|(?:занадто|замал|затіс|дуже) ?(?:мал|тіс|вузьк|корот)\w+|замал\w+|затісн\w+|маломір\w*|тиснуть|тисне"
)
_LARGE: Final = (
    r"too (?:large|big|wide|long|loose|baggy)|(?:runs?|fits?|is|are|comes? up|came up|bit|little) (?:very |so |quite )?"
    r"(?:large|big|loose)|large fit|(?:size|number) (?:down|smaller)|smaller size"
    r"|zu (?:gro(?:ß|ss)|weit|lang|breit)|f[äa]ll(?:t|en) (?:sehr |etwas |recht )?gro(?:ß|ss)|kleinere nummer"
    r"|eine nummer kleiner|(?:твърде|прекалено|много) (?:гол|шир|дъл)\w+|големи? ми|голям ми|голяма ми|широк\w* ми"
    r"|слишком (?:больш|велик|широк|длин)\w+|большемер\w*|велики|великоват\w*|болта(?:ет|ют)ся"
    r"|(?:занадто|дуже) (?:велик|широк|довг)\w+|завелик\w+|зашироко\w*|задовг\w+|великомір\w*"
)
_FAULTY: Final = (
    r"faulty|defect\w*|damaged?|broken|torn|stain\w*|scratch\w*|hole|came apart"
    r"|(?<!ordered )(?<!ordered the )(?<!chose )(?<!chose the )(?<!bought )(?<!bought the )"
    r"wrong (?:item|article|product|colou?r|size)(?! (?:was )?(?:ordered|chosen))"
    r"|kaputt|besch(?:ä|ae)digt|m(?:a|ä|ae)ngel(?:haft\w*|n|s? a[nm] \w+)?|gerissen|fleck\w*|kratzer"
    r"|falsche[rsn]? (?:artikel|ware|gr(?:ö|oe)(?:ß|ss)e|farbe)(?! (?:bestellt|gew(?:ä|ae)hlt))"
    # Neither fifteen (петнадесет, пятнадцать) nor Friday (пятница) is a stain.
    r"|дефект\w*|повре\w+|счупен\w*|скъсан\w*|петн(?!а[дй])\w+|брак\w*|сломан\w*|порван\w*|пятн(?!адцат|иц)\w+"
    r"|зламан\w*|пошкодж\w+|порват\w*|плям\w+"
)
_LOOKS: Final = (
    r"(?:not|other than|different (?:from|than|to)) (?:as |like )?(?:in |on )?(?:the )?"
    r"(?:pictures?|photos?|described|shown)"
    r"|(?:colou?r|fabric|material) (?:is |was |looks? )?(?:different|other|not)|different colou?r"
    r"|(?:anders|nicht) (?:als|wie) (?:auf|in|im) \w+|andere farbe|farbe (?:ist )?(?:anders|weicht)|не като на снимк\w+"
    r"|различ\w+ (?:от|цвят)|друг цвят|не (?:такой|такая|такие) как на (?:фото|картин)\w*|другой цвет|інший колір"
    r"|не (?:так\w+), як на (?:фото|картин)\w*|відрізня\w+|отличается"
)
_LATE: Final = (
    r"too late|came late|arrived late|(?:t[oa]ok|takes?|taking|taken|wait\w*|delivery|shipping) (?:\w+ ){0,2}too long"
    r"|too long (?:to (?:arrive|come|deliver|ship)|(?:a )?(?:wait|delivery)|in (?:the )?(?:post|mail))"
    r"|zu sp(?:ä|ae)t|versp(?:ä|ae)t\w*|zu lange?r? (?:gedauert|gewartet|unterwegs|gebraucht|warte\w*|liefer\w*)"
    r"|(?:dauert\w*|warte\w*|gewartet|liefer\w*|versand) (?:\w+ ){0,2}zu lange?"
    rf"|(?:{_VERY_BG} )?късно|закъсня\w*|{_VERY_BG} дълг\w+ (?:чак\w+|време|пътува\w*|се чака|доставка)"
    rf"|(?:чака\w*|пътува\w*|доставка\w*|забави\w*) (?:\w+ ){{0,2}}{_VERY_BG} дълг\w+"
    r"|поздно|опозда\w*|(?:слишком|очень) (?:долг\w+|длительн\w+|длинн\w+ (?:доставк|ожидани)\w+)"
    r"|пізно|запізни\w+|(?:занадто|надто|дуже) (?:довго|довг\w+ (?:доставк|очікуван)\w+)|задовго"
)
_UNLIKED: Final = (
    r"(?:do(?:es)? ?n[o']t|didn't|did not) (?:like|suit|need|want)|changed my mind|no longer need\w*"
    r"|not (?:needed|my style)"
    r"|gef(?:ä|ae)llt (?:mir )?nicht|steht mir nicht|nicht mehr gebraucht|brauche (?:es |ich )?nicht"
    r"|не ми (?:харес|стои)\w*"
    r"|не ми тряб\w+|размисли\w*|не (?:понрав|подош|нуж)\w+|передума\w*|не (?:сподоб|підій|потріб)\w+"
)
_DENIED: Final = re.compile(
    r"\b(?:not?|isn't|aren't|wasn't|without(?: any)?|nicht|kein\w*|ohne|не е|не са|не|без|няма|нет|немає)"
    r" (?:at all )?$",
    re.IGNORECASE,
)
_PATTERNS: Final[Mapping[Theme, re.Pattern[str]]] = {
    theme: re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)
    for theme, words in {
        Theme.TOO_SMALL: _SMALL,
        Theme.TOO_LARGE: _LARGE,
        Theme.FAULTY: _FAULTY,
        Theme.LOOKS: _LOOKS,
        Theme.LATE: _LATE,
        Theme.UNLIKED: _UNLIKED,
    }.items()
}


_SIZES: Final = frozenset({Theme.TOO_SMALL, Theme.TOO_LARGE})


@lru_cache(8192)
def themes(reason: str, *, faulty: bool = False) -> frozenset[Theme]:
    """What a reason is about: nothing where nothing is said, `OTHER` where nothing of it is recognised."""
    said = " ".join(reason.split()).replace("’", "'")
    timeless = _PATTERNS[Theme.LATE].sub(" ", said)
    found = {theme for theme, pattern in _PATTERNS.items() if _says(pattern, timeless if theme in _SIZES else said)}
    if found >= _SIZES:
        found -= _SIZES
    if faulty:
        found.add(Theme.FAULTY)
    if said and not found:
        found.add(Theme.OTHER)
    return frozenset(found)


def _says(pattern: re.Pattern[str], said: str) -> bool:
    """Whether it says so anywhere without denying it."""
    return any(not _DENIED.search(said[: found.start()]) for found in pattern.finditer(said))
