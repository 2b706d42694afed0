"""How the processes that serve and work collect their garbage."""

import gc
from typing import Final

_ALLOCATIONS: Final = 20_000
"""How many more objects than before are looked through at once: a request makes a few thousand and leaves none."""


def keep_what_is_loaded() -> None:
    """Leave everything that is loaded by now out of every collection from here on: it stays until the process ends.

    Without this, each full collection walks through all modules and the whole application again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 20)
