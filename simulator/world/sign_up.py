"""Signing up without a key: a code by e-mail, then an account with a starter agent and a number.

Everything here but `furnish` is about the desk: the world in which sign-ups are kept, which is the first account's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from simulator.domain.agents import Agent, VoiceMode
from simulator.domain.numbers import PhoneNumber
from simulator.domain.verification import SignUp
from simulator.errors import BadRequest, Conflict, NotFound
from simulator.world import agents, numbers
from simulator.world.verification import new_code
from simulator.world.world import World

KEY_PREFIX: Final = "sk_live_"
STARTER_NAME: Final = "Starter agent"
STARTER_PROMPT: Final = "You are a friendly assistant on the telephone. Keep your answers short."
_TRIES: Final = 64  # draws of a key; a second one is needed only after a reset has started the draws over


def start(desk: World, human_email: str, agent_name: str | None, now: datetime) -> SignUp:
    """Mail a code. Raises Conflict for an address that has an account; one that waits for a code may ask again."""
    _check_unknown(desk, human_email)
    sign_up = SignUp(
        id=desk.entropy.new_id("verification"),
        human_email=human_email,
        agent_name=agent_name,
        code=new_code(desk),
        created_at=now,
    )
    desk.sign_ups[sign_up.id] = sign_up
    desk.journal.append(
        "sign_up.code_sent",
        now,
        verification_id=sign_up.id,
        to=human_email,
        body=f"{sign_up.code} is your sign-up code. It expires in 10 minutes.",
    )
    return sign_up


def check(desk: World, verification_id: str, code: str, now: datetime) -> SignUp:
    """Return the sign-up that the code belongs to.

    Raises NotFound for an unknown id, Conflict when the address has an account by now, BadRequest for a code that is
    wrong or too old. Unlike a telephone's code, this one may be tried again: the sources name no number of tries.
    """
    sign_up = desk.sign_ups.get(verification_id)
    if sign_up is None:
        raise NotFound(f"sign-up {verification_id!r} does not exist: POST /v0/agent/sign-up begins one")
    _check_unknown(desk, sign_up.human_email)
    if now >= sign_up.expires_at:
        raise BadRequest(
            f"the otp_code of {verification_id} expired at {sign_up.expires_at.isoformat()}: sign up again"
        )
    if code.strip() != sign_up.code:
        raise BadRequest(f"otp_code {code[:20]!r} is wrong: use the six digits mailed to {sign_up.human_email}")
    return sign_up


def new_key(desk: World, taken: Callable[[str], bool]) -> str:
    """Draw an API key that no account of the process has."""

    def accept(draw: int) -> str | None:
        key = f"{KEY_PREFIX}{draw:016x}"
        return None if taken(key) else key

    key = desk.entropy.pick("api_key", accept, _TRIES)
    if key is None:
        raise Conflict(f"{_TRIES} API keys in a row are taken: start the simulator anew")
    return key


def furnish(world: World, agent_name: str | None, now: datetime) -> tuple[Agent, PhoneNumber]:
    """Give a new account its hosted starter agent, with a US number."""
    agent = agents.create(
        world,
        {"name": agent_name or STARTER_NAME, "voice_mode": VoiceMode.HOSTED, "system_prompt": STARTER_PROMPT},
        now,
    )
    return agent, numbers.buy(world, agent_id=agent.id, gift=True, now=now)


def complete(desk: World, sign_up: SignUp, account_id: str, source: str | None, now: datetime) -> SignUp:
    """Remember which account the address has now. The key is in nobody's journal."""
    done = desk.sign_ups[sign_up.id] = replace(sign_up, account_id=account_id)
    desk.journal.append(
        "account.opened",
        now,
        verification_id=done.id,
        account_id=account_id,
        human_email=done.human_email,
        source=source,
    )
    return done


def listing(desk: World) -> list[SignUp]:
    """Return every sign-up, newest first."""
    return list(reversed(desk.sign_ups.values()))


def state(sign_up: SignUp, now: datetime) -> str:
    """What has become of the code: `pending`, `verified` or `expired`."""
    if sign_up.account_id is not None:
        return "verified"
    return "expired" if now >= sign_up.expires_at else "pending"


def _check_unknown(desk: World, human_email: str) -> None:
    known = (s for s in desk.sign_ups.values() if s.account_id is not None)
    if any(s.human_email.casefold() == human_email.casefold() for s in known):
        raise Conflict(f"{human_email} has an account already: use its API key")
