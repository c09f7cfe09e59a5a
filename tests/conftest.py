"""What every test may ask for: the captures with independent totals, and programs of the machine."""

import os
import secrets
from pathlib import Path

import hypothesis
import pytest

import venturi
from tests.support.tools import find_captures, in_ci, require_root, require_tools
from venturi.adapters.kernel_cache import KernelCache
from venturi.config.surroundings import kernel_cache_config

pytest_plugins = ["tests.support.databases", "tests.support.machines.packages"]

# What is written to no terminal is as wide as it needs to be, unless a test says otherwise; workers of pytest-xdist are given a width.
os.environ.pop("COLUMNS", None)

# Before any kernel is imported: numba alone would not notice a change of a function that was compiled into another file.
KernelCache(kernel_cache_config(), Path(venturi.__path__[0]) / "core").start()

# The first call of a kernel compiles it, which no deadline should count. CI draws the same examples each time; `make fuzz` draws many.
_EXAMPLES = int(os.environ.get("VENTURI_FUZZ_EXAMPLES", "100"))
hypothesis.settings.register_profile("venturi", deadline=None, derandomize=in_ci(), print_blob=True, max_examples=_EXAMPLES)
hypothesis.settings.load_profile("venturi")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed by which properties draw their examples, unless one is given or they draw the same ones each time; workers get it."""
    if config.option.hypothesis_seed is None and not in_ci():
        config.option.hypothesis_seed = str(secrets.randbelow(1 << 32))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how to draw the same examples again."""
    seed = config.option.hypothesis_seed
    if seed is not None:
        terminalreporter.write_line(f'examples were drawn by seed {seed}; again: make test ARGS="--hypothesis-seed={seed}"')


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of captures whose totals other programs worked out (``totals.json``); VENTURI_CAPTURES names it."""
    return find_captures()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose programs or rights are missing, by name; in CI missing programs fail it."""
    for marker in item.iter_markers("needs"):
        require_tools(marker.args)
    if item.get_closest_marker("root"):
        require_root()
