"""WhatsApp on the wire: snake_case, in the words of Meta's own API. The answers are inferred (trust `inf`)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from simulator.domain.numbers import PhoneNumber
from simulator.domain.whatsapp import PARAMETER_FORMATS, MessageTemplate, WhatsAppConnection
from simulator.wire.base import In, JsonList, JsonObject, Out, Query, iso

_SNAKE = ConfigDict(alias_generator=None)
Components = Annotated[JsonList, Field(max_length=20)]  # Meta takes fewer


class ConnectIn(In):
    """What Meta's embedded sign-up returned."""

    model_config = _SNAKE

    code: str = Field(examples=["AQD7"])
    waba_id: str | None = Field(default=None, min_length=1, max_length=100)
    phone_number_id: str | None = Field(default=None, min_length=1, max_length=100)
    business_id: str | None = Field(default=None, min_length=1, max_length=100)
    agent_id: str | None = None


class ConnectNumberIn(In):
    """Which number to connect, and whose it is."""

    model_config = _SNAKE

    phone_number_id: str = Field(examples=["104512345678901"])
    agent_id: str | None = None


class TemplateIn(In):
    """A template to propose."""

    model_config = _SNAKE

    name: str = Field(examples=["table_ready"])
    category: str = Field(examples=["UTILITY"])
    language: str = Field(examples=["en_US"])
    parameter_format: str = PARAMETER_FORMATS[0]
    components: Components = Field(default_factory=list)
    library_template_name: str | None = None
    library_template_button_inputs: Components | None = None
    library_template_body_inputs: JsonObject | None = None

    def fields(self) -> dict[str, Any]:
        """Every field, in the domain's names and types."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        buttons = self.library_template_button_inputs
        return fields | {"library_template_button_inputs": None if buttons is None else tuple(buttons)}


class TemplatesQuery(Query):
    """Which templates to show: those with exactly these values."""

    model_config = _SNAKE

    name: str | None = None
    status: str | None = None
    category: str | None = None
    language: str | None = None

    def filters(self) -> dict[str, str]:
        """The values that were given; a blank one asks for nothing."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name))}


class TemplateDeleteQuery(Query):
    """Which template to delete; with `hsm_id`, in one language only."""

    model_config = _SNAKE

    name: str
    hsm_id: str | None = None


class WhatsAppNumberOut(Out):
    """A number, with Meta's id for it."""

    model_config = _SNAKE

    phone_number_id: str
    number_id: str
    display_phone_number: str
    agent_id: str | None
    whatsapp_enabled: bool

    @classmethod
    def of(cls, number: PhoneNumber, meta_id: str) -> WhatsAppNumberOut:
        """Show one number."""
        return cls(
            phone_number_id=meta_id,
            number_id=number.id,
            display_phone_number=number.phone_number,
            agent_id=number.agent_id,
            whatsapp_enabled=number.whatsapp_enabled,
        )


class WhatsAppNumbersOut(Out):
    """Numbers that could be connected."""

    model_config = _SNAKE

    data: list[WhatsAppNumberOut]


class ConnectionOut(Out):
    """A connected WhatsApp Business account."""

    model_config = _SNAKE

    id: str
    connection_id: str
    status: str = "connected"
    waba_id: str
    business_id: str | None
    phone_number_id: str | None
    agent_id: str | None
    connected_at: str
    numbers: list[WhatsAppNumberOut]

    @classmethod
    def of(cls, connection: WhatsAppConnection, numbers: list[WhatsAppNumberOut]) -> ConnectionOut:
        """Show one connection with its numbers."""
        return cls(
            id=connection.id,
            connection_id=connection.id,
            waba_id=connection.waba_id,
            business_id=connection.business_id,
            phone_number_id=connection.phone_number_id,
            agent_id=connection.agent_id,
            connected_at=iso(connection.connected_at),
            numbers=numbers,
        )


class WhatsAppStatusOut(Out):
    """Whether the account is on WhatsApp, and with what."""

    model_config = _SNAKE

    connected: bool
    connections: list[ConnectionOut]


class DisconnectedOut(Out):
    """The connection is gone."""

    model_config = _SNAKE

    success: bool = True
    connection_id: str


class TemplateOut(Out):
    """One template."""

    model_config = _SNAKE

    id: str
    name: str
    language: str
    category: str
    status: str
    rejected_reason: str | None
    parameter_format: str
    components: list[Any]
    library_template_name: str | None
    library_template_button_inputs: list[Any] | None
    library_template_body_inputs: dict[str, Any] | None
    created_at: str

    @classmethod
    def of(cls, template: MessageTemplate) -> TemplateOut:
        """Show one template."""
        buttons = template.library_template_button_inputs
        return cls(
            id=template.id,
            name=template.name,
            language=template.language,
            category=template.category,
            status=template.status.value,
            rejected_reason=template.rejected_reason,
            parameter_format=template.parameter_format,
            components=list(template.components),
            library_template_name=template.library_template_name,
            library_template_button_inputs=None if buttons is None else list(buttons),
            library_template_body_inputs=template.library_template_body_inputs,
            created_at=iso(template.created_at),
        )


class TemplateListOut(Out):
    """Templates, newest first."""

    model_config = _SNAKE

    data: list[TemplateOut]


class TemplateDeletedOut(Out):
    """The template is gone, in these languages."""

    model_config = _SNAKE

    success: bool = True
    name: str
    deleted: list[str]  # ids
