"""SIP trunks on the wire: camelCase, but snake_case in requests and inside `originationUris`, as the clients have it.

What `origination` holds is in no source; the fields here are those that the answer has (trust `inf`).
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from simulator.domain import trunks as domain
from simulator.domain.trunks import AllowedIp, OriginationUri, SipCredential, SipTrunk
from simulator.wire.base import In, OneOf, Out, iso
from simulator.wire.rules import any_of, has

Transfers = Annotated[str, OneOf(domain.TRANSFERS)]
TransferCallerId = Annotated[str, OneOf(domain.TRANSFER_CALLER_IDS)]
Rank = Annotated[int, Field(ge=0, le=65_535)]  # as in DNS SRV records, where these two come from
MAX_URIS = 20


class OriginationUriIn(In):
    """Where to send calls."""

    model_config = ConfigDict(alias_generator=None)

    sip_uri: str
    name: str | None = None
    priority: Rank = 10
    weight: Rank = 10


class AllowedIpIn(In):
    """A network that may send calls."""

    model_config = ConfigDict(alias_generator=None)

    cidr: str
    name: str | None = None


class OriginationIn(In):
    """What replaces the trunk's addresses, its networks, or both. An empty list removes them."""

    model_config = ConfigDict(
        alias_generator=None, json_schema_extra=any_of(has("uris", type="array"), has("allowed_ips", type="array"))
    )

    uris: list[OriginationUriIn] | None = Field(default=None, max_length=MAX_URIS)
    allowed_ips: list[AllowedIpIn] | None = Field(default=None, max_length=MAX_URIS)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.uris is None and self.allowed_ips is None:
            raise PydanticCustomError("missing", "origination should hold uris, allowed_ips, or both")
        return self


class SipTrunkPatch(In):
    """Changes to a trunk. Without any field, its credentials are rotated."""

    model_config = ConfigDict(alias_generator=None)

    name: str | None = Field(default=None, max_length=255)
    transfers: Transfers | None = None
    transfer_caller_id: TransferCallerId | None = None
    origination: OriginationIn | None = None

    def changes(self) -> dict[str, Any]:
        """What to change, in the domain's names; empty asks for new credentials."""
        given = self.given()
        origination: OriginationIn | None = given.pop("origination", None)
        if origination is not None and origination.uris is not None:
            given["origination_uris"] = tuple(OriginationUri(**uri.model_dump()) for uri in origination.uris)
        if origination is not None and origination.allowed_ips is not None:
            given["allowed_ips"] = tuple(AllowedIp(**allowed.model_dump()) for allowed in origination.allowed_ips)
        return given


class OriginationUriOut(Out):
    """Where calls are sent."""

    model_config = ConfigDict(alias_generator=None)

    sip_uri: str
    name: str | None
    priority: int | None
    weight: int | None


class AllowedIpOut(Out):
    """A network that may send calls."""

    cidr: str
    name: str | None


class SipCredentialOut(Out):
    """How to sign in. `password` is null unless it has just been made."""

    username: str
    password: str | None
    password_last4: str | None
    credential_list_name: str | None

    @classmethod
    def of(cls, credential: SipCredential, *, reveal: bool) -> SipCredentialOut:
        """Show a credential, with its password when `reveal`."""
        return cls(
            username=credential.username,
            password=credential.password if reveal else None,
            password_last4=credential.password[-4:],
            credential_list_name=credential.list_name,
        )


class SipTrunkOut(Out):
    """One trunk."""

    id: str
    name: str
    provider: str = domain.PROVIDER
    encrypted: bool = True
    transport: str = domain.TRANSPORT
    media_encryption: str = domain.MEDIA_ENCRYPTION
    transfers: str
    transfer_caller_id: str
    termination_sip_uri: str
    created_at: str
    origination_uris: list[OriginationUriOut] | None
    allowed_ips: list[AllowedIpOut] | None
    proxy_ips: list[str] | None
    credentials: list[SipCredentialOut] | None

    @classmethod
    def of(cls, trunk: SipTrunk, *, reveal: bool = False) -> SipTrunkOut:
        """Show a trunk, with its password when `reveal`."""
        return cls(
            id=trunk.id,
            name=trunk.name,
            transfers=trunk.transfers,
            transfer_caller_id=trunk.transfer_caller_id,
            termination_sip_uri=trunk.termination_sip_uri,
            created_at=iso(trunk.created_at),
            origination_uris=[
                OriginationUriOut(sip_uri=u.sip_uri, name=u.name, priority=u.priority, weight=u.weight)
                for u in trunk.origination_uris
            ],
            allowed_ips=[AllowedIpOut(cidr=a.cidr, name=a.name) for a in trunk.allowed_ips],
            proxy_ips=list(domain.PROXY_IPS),
            credentials=[SipCredentialOut.of(trunk.credential, reveal=reveal)],
        )


class SipTrunkListOut(Out):
    """Every trunk, newest first."""

    data: list[SipTrunkOut]
