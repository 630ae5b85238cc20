"""Shared worlds and data for all tests.

Test files are imported one by one (import mode "importlib"), so they cannot import each other;
the shared modules below are found under their plain names: `from worlds import …`.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SHARED = (
    "worlds", "slow_features", "leakage_checks", "plain_world", "plain_dyads", "plain_ladder",
    "notebook_runs", "shared_data", "browser", "hostile",
)  # fmt: skip

#: Files that take longest come first: with a file a worker, the last ones must be short.
LONG = (
    "test_batch_kills", "test_noise", "test_batch", "test_follow_back_notebook", "test_browser",
    "test_leakage", "test_sharing", "test_bad_input", "test_model_card_notebook",
    "test_my_follows_browser", "test_audience_features", "test_analysis", "test_simulate",
    "test_factors", "test_my_follows_notebook", "test_comparison_notebook", "test_ego_model",
    "test_export_fuzz", "test_scale_tabular", "test_cli_exports", "test_evaluate", "test_report",
    "test_comparison", "test_live",
)  # fmt: skip


class SharedFinder(MetaPathFinder):
    """Finds the shared test modules, and nothing else, when a test first imports them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: Any = None
    ) -> ModuleSpec | None:
        """Return the spec of a shared module."""
        if fullname not in SHARED:
            return None
        return importlib.util.spec_from_file_location(fullname, HERE / f"{fullname}.py")


sys.meta_path.append(SharedFinder())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first; the order within a file stays."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONG)))


@pytest.fixture(scope="session", autouse=True)
def key_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests from using, or making, the key of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOLLOWKIT_KEY_FILE", str(tmp_path_factory.mktemp("settings") / "key"))
        yield


@pytest.fixture(scope="module")
def quick_pictures() -> Iterator[None]:
    """Put a digest of what would be drawn in place of each picture."""
    from notebook_runs import digest_picture

    from followkit import style

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "draw", digest_picture)
        yield


@pytest.fixture(scope="session")
def small_world() -> Any:
    """Return `make_world(seed, mode)`: a small random world with its dyads."""
    import worlds

    return worlds.make_world


@pytest.fixture(scope="session")
def coin_world() -> Any:
    """Return `make_coin_world(seed, mode)`: a dataset in which every answer is a coin."""
    import worlds

    return worlds.make_coin_world


def _bundled(name: str) -> Any:
    from followkit.sources import load_dataset

    folder = HERE.parent / "data" / name
    if not folder.is_dir():
        pytest.skip(f"data/{name} is not there")
    return load_dataset(folder)


@pytest.fixture(scope="session")
def nostr() -> Any:
    """Return the bundled nostr data: two crawls of follow lists."""
    return _bundled("nostr")


@pytest.fixture(scope="session")
def town() -> Any:
    """Return the bundled simulated town."""
    return _bundled("town")
