"""Engine spark in local mode gives the folder that DuckDB gives; skipped without pyspark or Java.

pyspark wants pandas below 3, so it has an environment of its own: bench/spark-requirements.txt.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from followkit.scale.features_cli import write_features

DATA = Path(__file__).resolve().parents[1] / "data"
HAS_JAVA = bool(os.environ.get("JAVA_HOME") or shutil.which("java"))

pytestmark = [
    pytest.mark.skipif(find_spec("pyspark") is None, reason="pyspark is not installed"),
    pytest.mark.skipif(not HAS_JAVA, reason="no Java is on the path"),
    # pyspark's own: sockets and files that it leaves to the collector, names that it deprecates.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    # pandas 2.3 announces what pandas 3 does.
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """Start one local session, which every run then finds active."""
    from pyspark.sql import SparkSession

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        builder = SparkSession.builder.master("local[2]").appName("followkit tests")
        options = {
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.shuffle.partitions": "4",
            "spark.sql.session.timeZone": "UTC",
        }
        for name, value in options.items():
            builder = builder.config(name, value)
        started = builder.getOrCreate()
        yield started
        started.stop()


def read_folder(folder: Path) -> pd.DataFrame:
    source = f"read_parquet('{folder}/part=*/*.parquet', hive_partitioning = true)"
    return duckdb.sql(f"SELECT * FROM {source} ORDER BY initiator, decider").df()


def write_edges(folder: Path) -> Path:
    """Write a small edge list with equal moments and a few posts and acts."""
    rng = np.random.default_rng(7)
    day_us = 86_400_000_000
    table = pd.DataFrame(rng.integers(0, 60, (500, 2)), columns=["source", "target"])
    table = table[table["source"] != table["target"]].drop_duplicates().astype(np.int32)
    table["at_us"] = rng.integers(0, 200, len(table)) * day_us // 2
    posts = pd.DataFrame({"account": rng.integers(0, 60, 300)})
    acts = pd.DataFrame(rng.integers(0, 60, (2000, 2)), columns=["actor", "target"])
    acts = acts[acts["actor"] != acts["target"]].assign(amount=1, kind="like")
    for events in (posts, acts):
        events["at_us"] = rng.integers(0, 200, len(events)) * day_us // 2
    acts.loc[acts.index[::3], "kind"] = "mention"
    nodes = pd.DataFrame({"code": np.arange(60), "id": np.arange(60)})
    folder.mkdir()
    tables = {"edges": table, "nodes": nodes, "posts": posts, "acts": acts}
    for name, made in tables.items():
        duckdb.from_df(made).write_parquet(str(folder / f"{name}.parquet"))
    return folder


@pytest.mark.parametrize("question", ["follow_back", "mutuality"])
def test_spark_gives_the_folder_of_an_edge_list(
    session: Any, question: str, tmp_path: Path
) -> None:
    assert session.sparkContext.master == "local[2]"
    compare(write_edges(tmp_path / "edges"), question, tmp_path)


@pytest.mark.parametrize("question", ["late_answer", "mutuality"])
def test_spark_gives_the_folder_of_canonical_tables(
    session: Any, question: str, tmp_path: Path
) -> None:
    assert session.sparkContext.master == "local[2]"
    compare(DATA / "nostr", question, tmp_path)


def compare(data: Path, question: str, folder: Path) -> None:
    """Assert equal integers and floats to 1e-12, and the same parts."""
    local = write_features(data, folder / "local", question=question, horizon_days=10)
    spark = write_features(
        data, folder / "spark", question=question, horizon_days=10, engine="spark"
    )
    for name in ("fingerprint", "rows", "answered", "parts", "columns"):
        assert local[name] == spark[name]
    assert local["rows"] > 100
    first, second = read_folder(folder / "local"), read_folder(folder / "spark")
    assert len(first.columns) >= 20 - 2 * (question != "follow_back")
    pd.testing.assert_frame_equal(first, second, rtol=1e-12, atol=1e-12)
    assert not list((folder / "spark").rglob("*.crc"))
