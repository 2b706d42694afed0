"""What may be sent to each endpoint that changes something.

The structs list the parameters that the sandbox simulates. Those that Stripe has besides are named in
`not_simulated`, so that they are refused as such; all others are unknown, as they are to Stripe.
"""

from typing import Literal

import msgspec
from msgspec import field

from returns_portal.payments.sandbox.form import Params, names

Address = dict[str, str | dict[str, str]]


class AutomaticMethods(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`automatic_payment_methods`."""

    enabled: bool
    allow_redirects: Literal["always", "never"] = "always"


class CardData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card by its number or token; only test cards exist."""

    number: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    cvc: str | None = None
    token: str | None = None


class MethodData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`payment_method_data`."""

    card: CardData
    type: Literal["card"] = "card"
    billing_details: Address = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)


class IntentConfirm(Params, frozen=True):
    """POST /v1/payment_intents/{intent}/confirm."""

    not_simulated = names(
        "allowed_payment_method_types amount_details amount_to_confirm capture_method confirmation_token "
        "error_on_requires_action excluded_payment_method_types hooks mandate mandate_data payment_details "
        "payment_method_options radar_options receipt_email shipping"
    )
    off_session: bool = False
    payment_method: str | None = None
    payment_method_data: MethodData | None = None
    return_url: str | None = None
    setup_future_usage: Literal["off_session", "on_session"] | None = None
    use_stripe_sdk: bool = False


class IntentCreate(Params, frozen=True, kw_only=True):
    """POST /v1/payment_intents."""

    not_simulated = names(
        "allowed_payment_method_types amount_details application_fee_amount confirmation_token "
        "customer_account excluded_payment_method_types hooks "
        "mandate mandate_data on_behalf_of payment_details payment_method_configuration "
        "payment_method_options radar_options transfer_data transfer_group"
    )
    amount: int
    currency: str
    automatic_payment_methods: AutomaticMethods | None = None
    capture_method: Literal["automatic", "automatic_async", "manual"] = "automatic_async"
    confirm: bool = False
    confirmation_method: Literal["automatic"] = "automatic"
    customer: str | None = None
    description: str | None = None
    error_on_requires_action: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    off_session: bool = False
    payment_method: str | None = None
    payment_method_data: MethodData | None = None
    receipt_email: str | None = None
    return_url: str | None = None
    setup_future_usage: Literal["off_session", "on_session"] | None = None
    shipping: Address | None = None
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None
    use_stripe_sdk: bool = False


class IntentUpdate(Params, frozen=True):
    """POST /v1/payment_intents/{intent}."""

    not_simulated = names(
        "allowed_payment_method_types amount_details application_fee_amount capture_method currency customer_account "
        "excluded_payment_method_types hooks payment_details payment_method payment_method_configuration "
        "payment_method_data payment_method_options setup_future_usage shipping statement_descriptor "
        "statement_descriptor_suffix transfer_data transfer_group"
    )
    amount: int | None = None
    customer: str | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    receipt_email: str | None = None


class IntentCapture(Params, frozen=True):
    """POST /v1/payment_intents/{intent}/capture."""

    not_simulated = names(
        "amount_details application_fee_amount final_capture hooks payment_details "
        "statement_descriptor statement_descriptor_suffix transfer_data"
    )
    amount_to_capture: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)


class IntentCancel(Params, frozen=True):
    """POST /v1/payment_intents/{intent}/cancel."""

    cancellation_reason: Literal["abandoned", "duplicate", "fraudulent", "requested_by_customer"] | None = None


class SetupConfirm(Params, frozen=True):
    """POST /v1/setup_intents/{intent}/confirm."""

    not_simulated = names("allowed_payment_method_types confirmation_token mandate_data payment_method_options")
    payment_method: str | None = None
    payment_method_data: MethodData | None = None
    return_url: str | None = None
    use_stripe_sdk: bool = False


class SetupCreate(Params, frozen=True):
    """POST /v1/setup_intents."""

    not_simulated = names(
        "allowed_payment_method_types attach_to_self confirmation_token customer_account excluded_payment_method_types "
        "flow_directions mandate_data on_behalf_of payment_method_configuration payment_method_options single_use"
    )
    automatic_payment_methods: AutomaticMethods | None = None
    confirm: bool = False
    customer: str | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    payment_method: str | None = None
    payment_method_data: MethodData | None = None
    return_url: str | None = None
    usage: Literal["off_session", "on_session"] = "off_session"
    use_stripe_sdk: bool = False


class SetupUpdate(Params, frozen=True):
    """POST /v1/setup_intents/{intent}."""

    not_simulated = names(
        "allowed_payment_method_types attach_to_self customer_account excluded_payment_method_types flow_directions "
        "payment_method payment_method_configuration payment_method_data payment_method_options"
    )
    customer: str | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


class SetupCancel(Params, frozen=True):
    """POST /v1/setup_intents/{intent}/cancel."""

    cancellation_reason: Literal["abandoned", "duplicate", "requested_by_customer"] | None = None


class RefundCreate(Params, frozen=True):
    """POST /v1/refunds."""

    not_simulated = names("currency customer instructions_email origin refund_application_fee reverse_transfer")
    amount: int | None = None
    charge: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    payment_intent: str | None = None
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None


class RefundUpdate(Params, frozen=True):
    """POST /v1/refunds/{refund}."""

    metadata: dict[str, str] = field(default_factory=dict)


class DisputeUpdate(Params, frozen=True):
    """POST /v1/disputes/{dispute}."""

    not_simulated = names("intended_submission_method")
    evidence: dict[str, str | dict[str, object]] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    submit: bool | None = None


class CustomerCreate(Params, frozen=True):
    """POST /v1/customers."""

    not_simulated = names(
        "balance business_name cash_balance individual_name invoice_prefix invoice_settings next_invoice_sequence "
        "preferred_locales source tax tax_exempt tax_id_data test_clock validate"
    )
    address: dict[str, str] | None = None
    description: str | None = None
    email: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    name: str | None = None
    payment_method: str | None = None
    phone: str | None = None
    shipping: Address | None = None


class CustomerUpdate(Params, frozen=True):
    """POST /v1/customers/{customer}."""

    not_simulated = names(
        "balance business_name cash_balance default_source individual_name invoice_prefix invoice_settings "
        "next_invoice_sequence preferred_locales source tax tax_exempt validate"
    )
    unsettable = names("description email metadata name phone")
    address: dict[str, str] | None = None
    description: str | None = None
    email: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    name: str | None = None
    phone: str | None = None
    shipping: Address | None = None


class MethodCreate(Params, frozen=True):
    """POST /v1/payment_methods."""

    not_simulated = names(
        "acss_debit affirm afterpay_clearpay alipay allow_redisplay alma amazon_pay au_becs_debit bacs_debit "
        "bancontact billie bizum blik boleto cashapp crypto custom customer customer_balance eps fpx giropay "
        "grabpay ideal interac_present kakao_pay klarna konbini kr_card link mb_way mobilepay multibanco naver_pay "
        "nz_bank_account oxxo p24 pay_by_bank payco payment_method paynow paypal paypay payto pix promptpay "
        "radar_options revolut_pay samsung_pay satispay scalapay sepa_debit sequra sofort sunbit swish twint upi "
        "us_bank_account wechat_pay zip"
    )
    billing_details: Address = field(default_factory=dict)
    card: CardData | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    type: Literal["card"] | None = None


class MethodUpdate(Params, frozen=True):
    """POST /v1/payment_methods/{payment_method}."""

    not_simulated = names("allow_redisplay card us_bank_account")
    billing_details: Address = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)


class MethodAttach(Params, frozen=True):
    """POST /v1/payment_methods/{payment_method}/attach."""

    not_simulated = names("customer_account")
    customer: str | None = None


class EndpointCreate(Params, frozen=True, kw_only=True):
    """POST /v1/webhook_endpoints."""

    not_simulated = names("connect")
    enabled_events: list[str]
    url: str
    api_version: str | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


class EndpointUpdate(Params, frozen=True):
    """POST /v1/webhook_endpoints/{webhook_endpoint}."""

    description: str | None = None
    disabled: bool | None = None
    enabled_events: list[str] | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    url: str | None = None
