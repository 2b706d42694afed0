"""The whole portal held against a plain model of it in memory, step by step.

`points.py`, `bank.py`, `plans.py`, `sending.py`, `decisions.py` and `shop.py` are the model, with its nouns in
`things.py` and its own arithmetic in `arithmetic.py`: integers and fractions, nothing of the product. `intake.py` draws
orders. `world.py` is the portal on a real database with a real sandbox. The rules of the machine (`on_*.py`) do the
same in both, and `compare.py` says what must be equal after each step.
"""

import pytest

for _name in ("compare", "on_decisions", "on_money", "on_orders", "on_parcels", "on_points", "stage", "world"):
    pytest.register_assert_rewrite(f"{__name__}.{_name}")
