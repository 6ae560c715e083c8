"""Signing up, on the wire: snake_case, and without a key."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from simulator.domain.agents import Agent
from simulator.domain.numbers import PhoneNumber
from simulator.domain.verification import SignUp
from simulator.wire.base import In, Out, iso


class SignUpIn(In):
    """Who wants an account, and what their first agent is called."""

    model_config = ConfigDict(alias_generator=None)

    human_email: str = Field(min_length=6, max_length=200, pattern=r"^[^@\s]+@[^@\s]+$")
    agent_name: str | None = Field(default=None, max_length=100)


class SignUpOut(Out):
    """A code was mailed."""

    model_config = ConfigDict(alias_generator=None)

    verification_id: str
    human_email: str
    expires_at: str
    message: str

    @classmethod
    def of(cls, sign_up: SignUp) -> SignUpOut:
        """Show what was sent, without the code."""
        return cls(
            verification_id=sign_up.id,
            human_email=sign_up.human_email,
            expires_at=iso(sign_up.expires_at),
            message=f"A code was mailed to {sign_up.human_email}",
        )


class AgentVerifyIn(In):
    """The code that was mailed."""

    model_config = ConfigDict(alias_generator=None)

    verification_id: str = Field(examples=["ver_1"])
    otp_code: str = Field(examples=["123456"])
    source: str | None = None


class AccountOut(Out):
    """A new account: its key is shown this once."""

    model_config = ConfigDict(alias_generator=None)

    account_id: str
    agent_id: str
    number_id: str
    phone_number: str
    api_key: str

    @classmethod
    def of(cls, account_id: str, api_key: str, agent: Agent, number: PhoneNumber) -> AccountOut:
        """Show an account with what it starts with."""
        return cls(
            account_id=account_id,
            agent_id=agent.id,
            number_id=number.id,
            phone_number=number.phone_number,
            api_key=api_key,
        )
