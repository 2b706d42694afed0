"""Every table, imported in one place so that the migrations see them all."""

from sqlmodel import SQLModel

import returns_portal.accounts.models
import returns_portal.catalog.models
import returns_portal.claims.models
import returns_portal.claims.replacements.models
import returns_portal.confirming.models
import returns_portal.demand.models
import returns_portal.exchanges.models
import returns_portal.finance.models
import returns_portal.gifts.models
import returns_portal.history
import returns_portal.insights.models
import returns_portal.labels.models
import returns_portal.labels.run_models
import returns_portal.ledger.models
import returns_portal.loyalty.models
import returns_portal.notifications.models
import returns_portal.orders.models
import returns_portal.payments.models
import returns_portal.points.models
import returns_portal.policies.models
import returns_portal.privacy.models
import returns_portal.refunds.models
import returns_portal.refunds.pace_models
import returns_portal.returns.models
import returns_portal.service.desk_models
import returns_portal.service.models
import returns_portal.shop.models
import returns_portal.tryon.claim_models
import returns_portal.tryon.models
import returns_portal.warehouse.models  # noqa: F401 - imported for its tables

metadata = SQLModel.metadata
