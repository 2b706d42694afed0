"""The processes that race, for all tests here."""

from collections.abc import Iterator

import pytest

from tests.races.herd import Herd
from tests.races.herd import herd as started


@pytest.fixture(scope="module")
def herd() -> Iterator[Herd]:
    with started() as made:
        yield made
