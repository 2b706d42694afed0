"""The carriers that this installation can ask: the prepaid licence always, others where the settings have a key."""

from collections.abc import Iterable, Mapping
from typing import Final

from returns_portal.carriers.easypost import EasyPost
from returns_portal.carriers.gateway import Carrier, CarrierRefusedError
from returns_portal.carriers.nova_poshta import NovaPoshta
from returns_portal.carriers.prepaid import Prepaid
from returns_portal.settings import Settings


class Carriers:
    """The carriers of a process, by name."""

    def __init__(self, carriers: Iterable[Carrier]) -> None:
        """Take them."""
        self._carriers: Final[Mapping[str, Carrier]] = {carrier.name: carrier for carrier in carriers}

    def named(self, name: str) -> Carrier:
        """The carrier of this name.

        Raises:
            CarrierRefusedError: its key is not set (any more).
        """
        found = self._carriers.get(name)
        if found is None:
            raise CarrierRefusedError(f"The carrier {name} is not set up.")
        return found

    async def close(self) -> None:
        """Close the connections."""
        for carrier in self._carriers.values():
            await carrier.close()


def carriers_of(settings: Settings) -> Carriers:
    """The carriers that the settings name."""
    found: list[Carrier] = [Prepaid()]
    if settings.easypost_api_key is not None:
        found.append(EasyPost(key=settings.easypost_api_key.get_secret_value(), base=settings.easypost_api_base))
    if settings.nova_poshta_api_key is not None:
        key = settings.nova_poshta_api_key.get_secret_value()
        found.append(NovaPoshta(key=key, base=settings.nova_poshta_api_base))
    return Carriers(found)
