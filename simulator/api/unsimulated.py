"""Documented operations that this simulator does not have. They answer 501 and say so: never a made-up success."""

from __future__ import annotations

from typing import Final, NoReturn

from simulator.errors import NotSimulated
from simulator.serving.operation import Context, Operation

# (operationId, method, path, tag), by resource.
NOT_SIMULATED: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("listAvailableNumbers", "GET", "/v1/numbers/available", "numbers"),
    ("lookupNumbers", "GET", "/v1/numbers/lookup", "numbers"),
    ("getContactCard", "GET", "/v1/numbers/{number_id}/contact-card", "contactCards"),
    ("putContactCard", "PUT", "/v1/numbers/{number_id}/contact-card", "contactCards"),
    ("deleteContactCard", "DELETE", "/v1/numbers/{number_id}/contact-card", "contactCards"),
    ("listAgentDeliveries", "GET", "/v1/agents/{agent_id}/webhook/deliveries", "agent-webhooks"),
    ("listContacts", "GET", "/v1/contacts", "contacts"),
    ("createContact", "POST", "/v1/contacts", "contacts"),
    ("getContactCapabilities", "GET", "/v1/contacts/capabilities", "contacts"),
    ("getContact", "GET", "/v1/contacts/{contact_id}", "contacts"),
    ("updateContact", "PATCH", "/v1/contacts/{contact_id}", "contacts"),
    ("deleteContact", "DELETE", "/v1/contacts/{contact_id}", "contacts"),
    ("sendTypingIndicator", "POST", "/v1/conversations/{conversation_id}/typing", "conversations"),
    ("setChatBackground", "POST", "/v1/conversations/{conversation_id}/background", "conversations"),
    ("removeChatBackground", "DELETE", "/v1/conversations/{conversation_id}/background", "conversations"),
    ("createWebCall", "POST", "/v1/calls/web", "calls"),
    ("getCallRecording", "GET", "/v1/calls/{call_id}/recording", "calls"),
    ("streamCallTranscript", "GET", "/v1/calls/{call_id}/transcript/stream", "calls"),
    ("sendReaction", "POST", "/v1/messages/{message_id}/reactions", "messages"),
    ("getUsageByNumber", "GET", "/v1/usage/by-number", "usage"),
    ("getUsageByAgent", "GET", "/v1/usage/by-agent", "usage"),
    ("getRegistrationStatus", "GET", "/v1/register/status", "registration"),
    ("getRegistration", "GET", "/v1/register", "registration"),
    ("registerA2P", "POST", "/v1/register", "registration"),
    ("updateRegistration", "PATCH", "/v1/register", "registration"),
    ("getLocation", "GET", "/v1/location/{phone_number}", "location"),
    ("refreshLocations", "POST", "/v1/location/refresh", "location"),
    ("listSipTrunks", "GET", "/v1/sip-trunks", "sip-trunks"),
    ("createSipTrunk", "POST", "/v1/sip-trunks", "sip-trunks"),
    ("getSipTrunk", "GET", "/v1/sip-trunks/{trunk_id}", "sip-trunks"),
    ("updateSipTrunk", "PATCH", "/v1/sip-trunks/{trunk_id}", "sip-trunks"),
    ("deleteSipTrunk", "DELETE", "/v1/sip-trunks/{trunk_id}", "sip-trunks"),
    ("sendVerification", "POST", "/v1/verify/send", "verification"),
    ("checkVerification", "POST", "/v1/verify/check", "verification"),
    ("submitFeedback", "POST", "/v1/feedback", "feedback"),
    ("whatsappConnect", "POST", "/integrations/whatsapp/connect", "whatsapp"),
    ("whatsappStatus", "GET", "/integrations/whatsapp/status", "whatsapp"),
    ("whatsappDisconnect", "DELETE", "/integrations/whatsapp/{connection_id}", "whatsapp"),
    ("whatsappAvailableNumbers", "GET", "/integrations/whatsapp/{connection_id}/available-numbers", "whatsapp"),
    ("whatsappConnectNumber", "POST", "/integrations/whatsapp/{connection_id}/numbers", "whatsapp"),
    ("whatsappListTemplates", "GET", "/integrations/whatsapp/{connection_id}/templates", "whatsapp"),
    ("whatsappCreateTemplate", "POST", "/integrations/whatsapp/{connection_id}/templates", "whatsapp"),
    ("whatsappDeleteTemplate", "DELETE", "/integrations/whatsapp/{connection_id}/templates", "whatsapp"),
    ("updateVoiceRouting", "PATCH", "/v1/numbers/{number_id}/voice-routing", "numbers"),
    ("agentSignUp", "POST", "/v0/agent/sign-up", "sign-up"),
    ("agentVerify", "POST", "/v0/agent/verify", "sign-up"),
    ("enableRecording", "POST", "/credits/recording/enable", "credits"),
)
# These take no key on the platform either; asking for one first would hide that they are not here.
_WITHOUT_KEY: Final = frozenset({"getCallRecording", "agentSignUp", "agentVerify"})


def _operation(operation_id: str, method: str, path: str, tag: str) -> Operation:
    def refuse(_ctx: Context, _query: None, _body: None) -> NoReturn:
        raise NotSimulated(f"{operation_id} ({method} {path}) is not simulated; what is, stands in /openapi.json")

    return Operation(
        id=operation_id,
        method=method,
        path=path,
        tag=tag,
        summary="Not simulated",
        handler=refuse,
        status=501,
        public=operation_id in _WITHOUT_KEY,
    )


OPERATIONS: tuple[Operation, ...] = tuple(_operation(*row) for row in NOT_SIMULATED)
