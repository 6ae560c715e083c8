"""SIP trunks: where calls of the account's numbers go when its own telephone system takes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

TRANSFERS: Final = ("all", "sip", "none")
TRANSFER_CALLER_IDS: Final = ("transferee", "transferor")
PROVIDER: Final = "agentphone"
TRANSPORT: Final = "tls"
MEDIA_ENCRYPTION: Final = "srtp"
# Reserved for documentation (RFC 5737): nothing answers there, and nothing ever sends from there.
PROXY_IPS: Final = ("192.0.2.10", "192.0.2.11")
DOMAIN: Final = "sip.agentphone.invalid"  # a name that never resolves (RFC 2606)


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginationUri:
    """Where calls to the account's numbers are sent. Lower priorities are tried first; equal ones share by weight."""

    sip_uri: str
    name: str | None = None
    priority: int = 10
    weight: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedIp:
    """A network that may send calls without credentials."""

    cidr: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SipCredential:
    """What the account's telephone system signs in with. The password is shown when it is made, and never again."""

    username: str
    password: str
    list_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SipTrunk:
    """One trunk, encrypted both ways."""

    id: str
    name: str
    created_at: datetime
    label: str  # its own part of `termination_sip_uri`
    credential: SipCredential
    transfers: str = "all"
    transfer_caller_id: str = "transferee"
    origination_uris: tuple[OriginationUri, ...] = ()
    allowed_ips: tuple[AllowedIp, ...] = ()

    @property
    def termination_sip_uri(self) -> str:
        """Where the account's telephone system sends calls that leave through its numbers."""
        return f"sip:{self.label}.{DOMAIN};transport={TRANSPORT}"
