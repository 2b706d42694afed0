"""From a return to what its label says."""

from zoneinfo import ZoneInfo

from returns_portal.carriers.prepaid import PREPAID
from returns_portal.catalog.sizes import arranged
from returns_portal.labels.content import LabelContent, LabelItem, PostalAddress
from returns_portal.returns.queries import ReturnView
from returns_portal.shop.queries import ShopInfo


def composed(view: ReturnView, code: str, shop: ShopInfo, *, sandbox: bool, to_choose: bool) -> LabelContent:
    """The portal's own label of one parcel of a return; `code` is what its barcodes hold."""
    return LabelContent(
        code=code,
        carrier=PREPAID,
        sender=_address(view.address),
        recipient=_address(shop.address),
        licence=shop.licence,
        # The receiver of a gift does not learn whose order it was; the dock goes by the code.
        order_number="–" if view.gift_id else view.order_number,
        items=tuple(
            arranged(
                [LabelItem(line.quantity, line.title, line.size, line.color) for line in view.lines if line.quantity],
                lambda item: (item.title, item.size),
            )
        ),
        issued=view.created_at.astimezone(ZoneInfo(shop.timezone)).date(),
        locale=view.locale,
        shop_name=shop.name,
        shop_phone=shop.phone,
        shop_email=shop.email,
        sandbox=sandbox,
        to_choose=to_choose,
        fellows=tuple(view.fellows),
        charged=view.postage_fee > 0,
    )


def _address(parts: dict[str, str]) -> PostalAddress:
    """An address as it is stored, where what it does not have may be missing."""
    return PostalAddress(**{part: parts.get(part) or "" for part in PostalAddress.__struct_fields__})
