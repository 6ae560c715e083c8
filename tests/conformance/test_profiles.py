"""Handlers for calls only, or for texts only, are not blamed for what is not theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.conformance.cases import ALL
from simulator.conformance.examine import Options, chosen
from simulator.conformance.results import Report
from simulator.conformance.verdicts import Profile, Verdict
from simulator.testing import open_account
from tests.helpers import zoo

SOUND = zoo.load(zoo.SOUND).module


class CallsOnly(SOUND.Handler):  # type: ignore[misc, name-defined]
    """Is behind a number that gets no texts, and refuses what can only be a mistake."""

    async def take(self, event: dict[str, Any], delivery_id: str) -> Any:
        text = event.get("event") == "agent.message" and event.get("channel") in ("sms", "mms", "imessage")
        if text and event.get("test") is not True:
            raise SOUND.Refused(404, "no texts here")
        return await super().take(event, delivery_id)


class TextsOnly(SOUND.Handler):  # type: ignore[misc, name-defined]
    """Is behind a number that nobody calls."""

    async def take(self, event: dict[str, Any], delivery_id: str) -> Any:
        if event.get("event") == "agent.message" and event.get("channel") == "voice":
            raise SOUND.Refused(404, "no calls here")
        return await super().take(event, delivery_id)


def examined(kind: Any, profile: Profile, folder: Path) -> Report:
    secret_file = folder / "secret.txt"
    with open_account() as account:
        secret_file.write_text(account.secret)
        wiring = SOUND.Wiring(secret_file=secret_file, base_url=account.base_url, api_key=account.api_key)
        return account.conform(kind(wiring).app, profile=profile, compliance=True, rotate=secret_file.write_text)


@pytest.mark.parametrize(("kind", "profile"), [(CallsOnly, Profile.VOICE), (TextsOnly, Profile.SMS)])
def test_a_handler_is_examined_for_what_it_is_for(kind: Any, profile: Profile, tmp_path: Path) -> None:
    report = examined(kind, profile, tmp_path)
    wrong = [(r.number, r.verdict, r.broken or r.reason) for r in report.results if r.verdict is not Verdict.PASS]
    assert [found for found in wrong if found[1] not in (Verdict.INFORMATIONAL, Verdict.NOT_RUN)] == []
    assert report.ok(strict=True)
    assert len(report.having(Verdict.PASS)) > 50


@pytest.mark.parametrize(("kind", "profile"), [(CallsOnly, Profile.SMS), (TextsOnly, Profile.VOICE)])
def test_and_fails_for_what_it_is_not_for(kind: Any, profile: Profile, tmp_path: Path) -> None:
    assert not examined(kind, profile, tmp_path).ok()


def test_every_case_is_in_some_profile_and_all_of_them_in_all() -> None:
    sms, voice, everything = (
        {case.number for case in chosen(Options(profile=profile, compliance=True))}
        for profile in (Profile.SMS, Profile.VOICE, Profile.ALL)
    )
    assert sms | voice == everything == {case.number for case in ALL}
    assert len(sms & voice) > 40 and sms - voice and voice - sms
