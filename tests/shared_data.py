"""Readers of the real networks that lie beside the project: each becomes a `Dataset`, or is absent.

The data are not part of the project: `../shared/data/<name>/SOURCE.md` says where each is from.
What is read as what is decided here once and for all, before any score was looked at:

- ties with times ask who answers within `HORIZON_DAYS`, and beside it which ties are mutual;
- snapshots ask which ties are mutual; nostr, crawled twice, asks for late answers as well;
- weights and levels are left out, but negative ratings are no follows;
- what people convey about each other beyond their ties (messages, likes without times) is left out,
  because it may be the answer itself or come after it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from followkit.sources import load_dataset
from followkit.sources.duckdb_files import read_parquet
from followkit.tables import Dataset, make_dataset

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
HORIZON_DAYS = 30.0

TIMED, SNAPSHOT = ("follow_back", "mutuality"), ("mutuality",)
#: Data set → the questions it is asked.
NETWORKS: dict[str, tuple[str, ...]] = {
    "nostr": ("late_answer", "mutuality"),
    "timme_politics": SNAPSHOT,
    "bitcoin_otc": TIMED,
    "college_msg": TIMED,
    "ciao_trust": SNAPSHOT,
    "advogato": SNAPSHOT,
    "us_senators_2018": SNAPSHOT,
    "add_health_a": SNAPSHOT,
    "twitter_careers_bofa": SNAPSHOT,
}


def find_network(name: str) -> Path | None:
    """Return where a network lies, or None where it is absent."""
    place = ROOT / "data" / name if name == "nostr" else SHARED / name
    return place if place.is_dir() else None


def read_network(name: str) -> Dataset:
    """Return a network as canonical tables.

    Raises
    ------
    FileNotFoundError
        If it is not beside the project.
    """
    place = find_network(name)
    if place is None:
        raise FileNotFoundError(f"{name}: not beside the project ({SHARED.name}/{name})")
    return READERS[name](place)


def need_network(name: str) -> Dataset:
    """Return a network, or skip the test that needs it."""
    if find_network(name) is None:
        pytest.skip(f"the data set {name} is not beside the project")
    return read_network(name)


def read_mapped(name: str, place: Path) -> Dataset:
    """Read a network by its mapping file in docs/adapters."""
    return load_dataset(place, mapping=ROOT / "docs" / "adapters" / f"{name}.toml")


def read_edges(place: Path) -> Dataset:
    """Read a bare edge list: source follows target."""
    return load_dataset(place / "edges.parquet")


def read_add_health(place: Path) -> Dataset:
    """Read the nominations; the school year is the category that pupils share."""
    pupils = read_parquet(place / "accounts.parquet")
    accounts = pupils[["account_id"]].assign(category=pupils["grade"])
    return join_tables("add_health_a", read_edges(place), accounts=accounts)


def read_ciao(place: Path) -> Dataset:
    """Read trust and product ratings: a rating is a post, the product's category its hashtag."""
    ratings = read_parquet(place / "posts.parquet")
    posts = pd.DataFrame(
        {
            "post_id": ratings["author"] + ":" + ratings["product_id"],
            "account_id": ratings["author"],
            "posted_at": ratings["timestamp"],
            "hashtags": "category" + ratings["topic"],
        }
    ).sort_values(["post_id", "posted_at", "hashtags"])
    # Some products were rated again: the first rating counts.
    posts = posts.drop_duplicates("post_id", ignore_index=True)
    return join_tables("ciao_trust", read_edges(place), posts=posts)


def join_tables(name: str, ties: Dataset, **tables: pd.DataFrame) -> Dataset:
    """Return the ties with further tables, checked together."""
    follows = ties.follows.astype("str")
    return make_dataset({"follows": follows, **tables}, name=name)


READERS: dict[str, Callable[[Path], Dataset]] = {
    "nostr": load_dataset,
    **{
        name: partial(read_mapped, name)
        for name in ("timme_politics", "bitcoin_otc", "college_msg", "us_senators_2018")
    },
    "ciao_trust": read_ciao,
    "advogato": read_edges,
    "add_health_a": read_add_health,
    "twitter_careers_bofa": read_edges,
}
