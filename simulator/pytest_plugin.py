"""The pytest fixture `agentphone`: a fresh world for each test, on one server for each test process.

Loaded with every pytest run of whoever has us installed, so it imports nothing of ours before a test asks for a world.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from simulator.testing import Account, Options, Session

MARKER: Final = "agentphone"
RANDOM: Final = "random"

_DRAWN: Final = "agentphone_seed"
_ACCOUNT: Final = pytest.StashKey["Account"]()
_FAILED: Final = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what a whole run may choose, on the command line and in the ini file."""
    group = parser.getgroup("agentphone", "worlds of the fixture agentphone")
    group.addoption(
        "--agentphone-seed",
        metavar="N",
        help="seed of every test's world: a number, or 'random' for others in every run. By default each test has its "
        "own, made from its node id.",
    )
    group.addoption(
        "--agentphone-sockets",
        action="store_true",
        help="serve the application under test on a real socket instead of in process",
    )
    group.addoption(
        "--agentphone-contract",
        metavar="NAME",
        help="generation of the platform's documentation to follow: all, 2026-03, 2026-07 or observed",
    )
    parser.addini("agentphone_seed", "default of --agentphone-seed", default="")
    parser.addini("agentphone_sockets", "default of --agentphone-sockets", type="bool", default=False)
    parser.addini("agentphone_contract", "default of --agentphone-contract", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker, and draw the run's seed where one was asked for."""
    config.addinivalue_line(
        "markers",
        "agentphone(contract=…, seed=…, clock=…, policies={…}, limits={…}, sockets=True, …): how the world of the "
        "fixture agentphone begins, in the words of `agentphone-simulator serve`; the nearest wins, word by word",
    )
    given: Mapping[str, str] = getattr(config, "workerinput", {})
    wanted = str(given.get(_DRAWN) or config.getoption("agentphone_seed") or config.getini("agentphone_seed") or "")
    if wanted == RANDOM:
        wanted = f"{RANDOM}:{random.SystemRandom().getrandbits(32)}"
    elif not _is_seed(wanted.removeprefix(f"{RANDOM}:")) and wanted:
        raise pytest.UsageError(f"--agentphone-seed {wanted!r} is no seed: give a whole number, or {RANDOM!r}")
    config.option.agentphone_seed = wanted


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist which seed was drawn."""
    node.workerinput[_DRAWN] = node.config.option.agentphone_seed


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which seed was drawn: without it the run could not be repeated."""
    seed: str = config.option.agentphone_seed
    return f"agentphone: --agentphone-seed={seed}" if seed.startswith(RANDOM) else None


@pytest.fixture(scope="session")
def _agentphone_session() -> Iterator[Session]:
    from simulator.testing import Session

    session = Session()
    yield session
    session.close()


@pytest.fixture
def agentphone(request: pytest.FixtureRequest, _agentphone_session: Session) -> Iterator[Account]:
    """A fresh account of a simulated AgentPhone platform: `agentphone.webhook(app)`, `agentphone.call(["hello"])`.

    It is empty, its time is simulated and jumps, its ids follow from the test's seed. `@pytest.mark.agentphone(…)` says
    how it begins. With hypothesis, all examples share it: begin each with `agentphone.reset()`, and suppress
    `HealthCheck.function_scoped_fixture`. See `simulator.testing.Account`.
    """
    account = _agentphone_session.open(_options(request.node))
    request.node.stash[_ACCOUNT] = account
    yield account
    del request.node.stash[_ACCOUNT]  # pytest keeps every test until the end, and would keep its world
    try:
        account.close()
    except Exception:
        if _FAILED not in request.node.stash:  # what has failed already should be read for why
            raise


@pytest.hookimpl(wrapper=True, tryfirst=True)  # outermost: whether a test has failed is known when all have had a say
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failed test how to repeat it, and what happened in its world."""
    report = yield
    account = item.stash.get(_ACCOUNT, None)
    if account is not None and report.failed and report.when != "teardown":
        item.stash[_FAILED] = True
        from simulator.testing.reporting import sections

        report.sections += sections(account, replay_of(item, account.seed))
    return report


def _options(item: pytest.Item) -> Options:
    from simulator.errors import UsageError
    from simulator.testing import Options

    config = item.config
    words: dict[str, Any] = {"seed": seed_of(config.option.agentphone_seed, _node_id(item))}
    if contract := config.getoption("agentphone_contract") or config.getini("agentphone_contract"):
        words["contract"] = contract
    if config.getoption("agentphone_sockets") or config.getini("agentphone_sockets"):
        words["sockets"] = True
    for mark in reversed(list(item.iter_markers(MARKER))):  # the nearest comes first
        if mark.args:
            pytest.fail(f"@pytest.mark.agentphone takes words only, as in seed=7; got {mark.args[0]!r}", pytrace=False)
        words |= mark.kwargs
    if _is_seed(config.option.agentphone_seed):  # of every test, whatever its marker says: that is how one is repeated
        words["seed"] = int(config.option.agentphone_seed)
    try:
        return Options.of(words)
    except UsageError as error:
        pytest.fail(f"@pytest.mark.agentphone: {error}", pytrace=False)


def seed_of(run: str, node_id: str) -> int:
    """A test's own seed: the same in every run and every worker, unless the run has one ("random:123")."""
    if _is_seed(run):
        return int(run)
    digest = hashlib.sha256(f"{run}{node_id}".encode()).digest()
    return int.from_bytes(digest[:4])


def replay_of(item: pytest.Item, seed: int) -> str:
    """The command that repeats one test with the world it had."""
    import shlex

    config: Any = item.config
    words = ["pytest", shlex.quote(config.cwd_relative_nodeid(_node_id(item))), f"--agentphone-seed={seed}"]
    if config.option.agentphone_sockets:
        words.append("--agentphone-sockets")
    if config.option.agentphone_contract:
        words.append(f"--agentphone-contract={config.option.agentphone_contract}")
    if hasattr(config, "workerinput"):
        words.append("-n0")
    return " ".join(words)


def _node_id(item: pytest.Item) -> str:
    """The node id without what xdist adds for `--dist=loadgroup`."""
    node_id = str(item.nodeid)
    if not hasattr(item.config, "workerinput"):
        return node_id
    marks = item.iter_markers("xdist_group")
    groups = {str(mark.args[0] if mark.args else mark.kwargs.get("name", "default")) for mark in marks}
    return node_id.removesuffix(f"@{'_'.join(sorted(groups))}") if groups else node_id


def _is_seed(text: str) -> bool:
    return text.removeprefix("-").isascii() and text.removeprefix("-").isdigit()
