"""Runs schemathesis, as anybody would from a shell, against our own `/openapi.json`.

Every check is on, and so are its four phases: examples, coverage, fuzzing and stateful. Runs are the same every time.
What is left out, and why, stands in `settings`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from contract_tests.target import Target

PERSON: Final = "+14155552671"
PATIENCE: Final = 300.0  # real seconds until a run that hangs fails its test
# The parts that operations are tested in, by their paths; everything new belongs to one of them.
LINES: Final = "^/v1/(agents|numbers)"
CONTROL: Final = "^/_sim"
CALLS: Final = "^/_sim/calls"
TEXTERS: Final = "^/_sim/(threads|people)"
PARTIES: Final = f"{CALLS}|{TEXTERS}"
# These would pull the world from under the other operations; what is tested alone does no harm.
UPHEAVAL: Final = "^/_sim/(reset$|clock$|faults)"
RESETS: Final = "^/_sim/(reset|clock)$"
FAULTS: Final = "^/_sim/faults"
WORLDS: Final = "^/_sim/(accounts|snapshots|fork|import|hosts)"  # likewise: other worlds, and who answers there
SUB_ACCOUNTS: Final = "^/v1/sub-accounts"  # where nearly every chain could begin, were there no other beginning
UNITS: Final = ("--phases", "examples,coverage,fuzzing")


def populate(target: Target, hook: str) -> dict[str, list[str]]:
    """A little of everything; known ids by the names of parameters and fields, so that requests get past the 404."""
    target.post("/v1/webhooks", {"url": hook})
    agent = target.post("/v1/agents", {"name": "Support"})["id"]
    bought = target.post("/v1/numbers", {"agentId": agent})
    target.post(f"/v1/agents/{agent}/webhook", {"url": hook})
    text = {"from": PERSON, "to": bought["phoneNumber"], "body": "hi"}
    sent = target.post("/_sim/messages", text)
    dialled = {"from": PERSON, "to": bought["phoneNumber"]}
    ended = target.post("/_sim/calls", dialled | {"script": ["Hello", "Thanks"], "wait": True})["call_id"]
    live = target.post("/_sim/calls", dialled)["call_id"]
    thread = target.post("/_sim/threads", dialled | {"script": [{"text": "hi"}]})["thread_id"]
    return {
        "agent_id": [agent],
        "number_id": [bought["id"]],
        "conversation_id": [sent["conversation_id"]],
        "message_id": [sent["message_id"]],
        "call_id": [live, ended],
        "ended_id": [ended],
        "thread_id": [thread],
        "person": [PERSON],
        "ours": [bought["phoneNumber"]],
    }


def settings(known: dict[str, list[str]], examples: int, seed: int | None) -> str:
    """The configuration file."""
    bindings = {
        **{f"path.{name}": name for name in known if name.endswith("_id") and name != "ended_id"},
        **{f"body.{name}": name for name in ("agent_id", "number_id")},
        "body.agentId": "agent_id",
        "body.numberId": "number_id",
        "body.fromNumberId": "number_id",
        **{f"body.{name}": "person" for name in ("toNumber", "to_number", "from", "phone_number", "phoneNumber")},
        "body.to": "ours",
        "path.number": "person",
        "path.phone_number": "person",
    }
    lines = [
        "workers = 1",
        "request-timeout = 20",
        "max-stream-events = 2",
        # Two keys: one asks, and whatever it made is asked for by the other, who must not get it.
        "[auth.wfc]",
        'path = "keys.json"',
        'user = "one"',
        'peers = ["one", "two"]',
        "[phases.stateful]",
        "max-steps = 12",
        "[phases.stateful.inference]",
        "algorithms = []  # our own links say what follows what",
        "[phases.stateful.generation]",
        "with-security-parameters = false  # a chain should not end at its first 401; the other phases try keys",
        "[generation]",
        f"deterministic = {'true' if seed is None else 'false'}",
        'database = "none"',
        'codec = "utf-8"',
        "allow-x00 = false  # U+0000 is refused in every text; a schema would have to say so for each",
        f"max-examples = {examples}",
        "[checks.not_a_server_error]",
        'expected-statuses = ["2xx", "4xx", "501"]',
        # 400 refuses by a rule that no schema can state ("no number is attached"), 501 says what is not simulated.
        "[checks.positive_data_acceptance]",
        'expected-statuses = ["2xx", "400", "401", "402", "403", "404", "409", "501"]',
        # A list beyond its bounds may be a body beyond its bounds.
        "[checks.negative_data_rejection]",
        'expected-statuses = ["400", "401", "402", "403", "404", "405", "409", "413", "422", "501"]',
        "[cache]",
        "enabled = false",
        "[parameters]",
        *(f'"{place}" = {{ dictionary = "{name}", probability = 0.5 }}' for place, name in bindings.items()),
        *(line for name, values in known.items() for line in (f"[dictionaries.{name}]", f"values = {values}")),
        # A released number is still shown, with its history; so deleting is not the end of it.
        "[[operations]]",
        'include-operation-id = "getNumber"',
        "[operations.checks.use_after_free]",
        "enabled = false",
        # A call that is not over has no recording yet.
        "[[operations]]",
        'include-operation-id = "getCallRecording"',
        "[operations.checks.ensure_resource_availability]",
        "enabled = false",
        # Real seconds of waiting for something to happen, when nothing will.
        "[[operations]]",
        'include-operation-id = "simJournal"',
        "[operations.parameters]",
        "wait = 0",
        # Real seconds of staying with a handler that never texts back.
        "[[operations]]",
        'include-operation-id = "simStartThread"',
        "[operations.parameters]",
        '"body.patience" = 0',
        # Real seconds of waiting for what nobody will do.
        "[[operations]]",
        'include-operation-id = "simExpect"',
        "[operations.parameters]",
        '"body.patience" = 0',
        "[operations.phases.coverage]",
        "enabled = false  # it goes to the ends of every range, ten minutes of patience among them",
        "[[operations]]",
        'include-operation-id = "simListen"',
        "[operations.parameters]",
        '"body.timeout" = 0.01',
        "[operations.phases.coverage]",
        "enabled = false  # likewise",
        # Their scripts are that of simDial, which is gone through there; it is what takes the time.
        *(
            line
            for operation in ("simJoinWebCall", "simPutPerson")
            for line in (
                "[[operations]]",
                f'include-operation-id = "{operation}"',
                "[operations.phases.coverage]",
                "enabled = false",
            )
        ),
        # A live call would stream for as long as it lasts.
        "[[operations]]",
        'include-operation-id = "streamCallTranscript"',
        "[operations.parameters]",
        f'"path.call_id" = "{known["ended_id"][0]}"',
        # No schema has the names of all time zones.
        "[[operations]]",
        'include-operation-id = "getUsageByAgent"',
        "[operations.parameters]",
        '"query.tz" = "Europe/Berlin"',
    ]
    return "\n".join(lines)


def run(
    target: Target, hook: str, folder: Path, *options: str, examples: int = 6, seed: int | None = None
) -> tuple[int, int]:
    """How many operations were selected, and how many were reached; fails with the whole report if anything is wrong.

    Without a seed, cases are derived from the description alone, and are the same every time.
    """
    config = folder / "schemathesis.toml"
    config.write_text(settings(populate(target, hook), examples, seed), "utf-8")
    keys = {"one": target.key, "two": target.fresh().key}
    auth = [{"name": n, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {k}"}]} for n, k in keys.items()]
    (folder / "keys.json").write_text(json.dumps({"auth": auth}), "utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)]
    command += ["run", f"{target.base_url}/openapi.json", "--no-color", *options]
    command += [] if seed is None else ["--seed", str(seed)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return _number("Selected", done.stdout), _number("Tested", done.stdout)


def _number(word: str, text: str) -> int:
    found: Any = re.search(rf"{word}: (\d+)", text)
    return int(found[1])
