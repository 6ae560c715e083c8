from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from simulator.errors import UsageError
from simulator.state.file import StateFile


def test_what_is_written_is_read(tmp_path: Path) -> None:
    with StateFile(tmp_path / "a.json") as file:
        assert file.read() is None
        for text in ("one", "zwei €", ""):
            file.write(text)
            assert file.read() == text.encode()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.json.lock"]


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    with StateFile(tmp_path / "a.json") as file:
        file.write("x")
        for path in tmp_path.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_one_is_refused_with_the_process_that_has_it(tmp_path: Path) -> None:
    with (
        StateFile(tmp_path / "a.json"),
        pytest.raises(UsageError, match=rf"in use by another server \(process {os.getpid()}\)"),
        StateFile(tmp_path / "a.json"),
    ):
        pass
    with StateFile(tmp_path / "a.json"), StateFile(tmp_path / "b.json"):
        pass


def test_it_can_be_used_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with StateFile(tmp_path / "a.json") as file:
            file.write("x")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "real" / "a.json")
    with StateFile(tmp_path / "link.json") as file:
        file.write("x")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real" / "a.json").read_text() == "x"


def test_two_names_of_one_file_are_one_file(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "a.json")
    with (
        StateFile(tmp_path / "a.json"),
        pytest.raises(UsageError, match="in use"),
        StateFile(tmp_path / "link.json"),
    ):
        pass


def test_what_a_killed_process_left_behind_is_cleared_up(tmp_path: Path) -> None:
    for name in (".a.json.17.tmp", ".other.json.17.tmp"):
        (tmp_path / name).write_text("half")
    with StateFile(tmp_path / "a.json"):
        pass
    assert not (tmp_path / ".a.json.17.tmp").exists()
    assert (tmp_path / ".other.json.17.tmp").exists()


def test_a_write_that_fails_leaves_the_old_content(tmp_path: Path) -> None:
    with StateFile(tmp_path / "a.json") as file:
        file.write("old")
        with pytest.raises(UnicodeEncodeError):
            file.write("new \ud800")
        assert file.read() == b"old"
        assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


@pytest.mark.parametrize("name", ["missing/a.json", "."])
def test_a_place_that_cannot_hold_a_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be (used|read)"), StateFile(tmp_path / name) as file:
        file.read()
