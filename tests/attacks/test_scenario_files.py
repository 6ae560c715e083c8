"""Scenario files that are too large, too deep, endless or more than data: refused in words, and run by nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.errors import ScenarioInvalid, UsageError
from simulator.scenarios.loader import load, load_path
from simulator.scenarios.source import LONGEST_MESSAGE, MAX_BYTES, MAX_DEPTH, MAX_NODES
from tests.helpers.webhook_receiver import Receiver

WORLD = "name: x\nworld: {agents: [{name: A, voiceMode: webhook}]}\n"
LAUGHTER = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(f'*{chr(97 + n)}' for _ in range(9))}]\n" for n in range(9)
)


def script(step: str) -> str:
    return f"{WORLD}calls:\n- {{to: A, script: [{step}]}}\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("#" * (MAX_BYTES + 1), f"{MAX_BYTES:,} bytes at most"),
        (LAUGHTER, f"{MAX_NODES:,} values at most"),
        ("a: &a [*a]\n", f"{MAX_DEPTH} levels at most"),
        ("a: " + "[" * 100_000, f"{MAX_DEPTH} levels at most"),
        ("a: " + "{a: " * 100_000, f"{MAX_DEPTH} levels at most"),
        ("- " * 100_000, f"{MAX_DEPTH} levels at most"),
        ("? " * 100_000, f"{MAX_DEPTH} levels at most"),
        ("a: !!python/object/apply:os.system ['touch pwned']\n", "means nothing here"),
        ("!!python/object/new:subprocess.Popen [['touch', 'pwned']]\n", "means nothing here"),
        ("a: {<<: {b: 1}}\n", "unknown key 'a'"),
        ("---\na: 1\n---\nb: 1\n", "one scenario per file"),
        ("a: \x1b[2J", "U+001B"),
        (script("{repeat: {times: 10000, steps: [" * 10 + "x" + "]}}" * 10), "100000 are allowed"),
        (script("{repeat: {times: 10001, steps: [x]}}"), "10000"),
        (script(f"{{hear: {{matches: '{'a' * 1001}'}}}}"), "1000"),
        (script("{hear: {matches: '(a{1000}){1000}'}}"), "bounded time"),
        (script(f"{{say: {'x' * 20_001}}}"), "20000"),
        (script(f"{{wait: {'9' * 300_000}s}}"), ""),
        (script(f'"{"{{" * 200_000}"'), "20000"),
        (script(f'"{"{{a}}" * 100_000}"'), "no variable 'a'"),
        (f"{WORLD}calls: [{{to: {'A' * 500_000}, script: [x]}}]\n", ""),
    ],
)  # fmt: skip
def test_a_hostile_file_is_refused_in_few_words(text: str, why: str) -> None:
    with pytest.raises(ScenarioInvalid) as refused:
        load(text)
    assert why in str(refused.value)
    assert max(map(len, map(str, refused.value.problems))) < 2 * LONGEST_MESSAGE
    assert not Path("pwned").exists()


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    for path in (tmp_path / "folder.yaml", tmp_path / "missing.yaml"):
        with pytest.raises(UsageError, match="cannot be read"):
            load_path(path)


@pytest.mark.parametrize("path", ["/dev/zero", "huge.yaml"])
def test_what_is_far_over_the_limit_is_not_read_to_its_end(path: str, tmp_path: Path) -> None:
    huge = tmp_path / path  # an absolute path stays what it is
    if path == "huge.yaml":
        with huge.open("wb") as file:
            file.truncate(1 << 40)  # a terabyte of holes
    elif not huge.exists():
        pytest.skip("this machine has no /dev/zero")
    with pytest.raises(ScenarioInvalid, match=f"{MAX_BYTES:,} bytes at most"):
        load_path(huge)


@pytest.mark.parametrize("name", ["../outside", "..\\outside", "/etc/passwd", "a/b", "\x00", "."])
def test_no_name_in_a_file_becomes_a_path(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    quoted = name.replace("\\", "\\\\").replace("\x00", "\\0")
    Path("x.yaml").write_text(
        f'name: "{quoted}"\nworld: {{agents: [{{name: A, voiceMode: hosted}}]}}\n'
        "calls: [{to: A, script: [hang_up]}]\n",
        encoding="utf-8",
    )  # fmt: skip
    with Receiver() as handler:
        CliRunner().invoke(main, ["run", "x.yaml", "--handler", handler.url, "--report", "out"])
    assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")} == {"inside"}
    assert {path.name for path in (inside / "out").glob("*")} <= {"report.json", "junit.xml", "report.html"}
