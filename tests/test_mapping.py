"""Mapping files: other people's columns, what they declare, and the adapters that come along."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from followkit.errors import InputError
from followkit.sources import describe_dataset, load_dataset
from followkit.sources.mapping import read_mapping
from followkit.tables import SCHEMAS, Dataset

HERE = Path(__file__).parent
SHARED = HERE.parent.parent / "shared" / "data"
ADAPTERS = HERE.parent / "docs" / "adapters"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def read_error(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_dataset(path)
    return str(caught.value)


def counts(dataset: Dataset, table: str) -> dict[str, int]:
    steps = describe_dataset(dataset).query("table == @table")
    return {str(step): int(rows) for step, rows in steps.groupby("step")["rows"].sum().items()}


RATINGS = "who,whom,when,stars\na,b,1289241912,5\nb,a,1289242000,-5\nc,a,1289243000,1\na,c,,\n"
MAPPING = """
name = "ratings"
licence = "mine"
[tables.follows]
file = "ratings.csv"
{extra}
columns = {{ follower_id = "who", followee_id = "whom", followed_at = "when" }}
"""


def map_ratings(folder: Path, extra: str = "", more: str = "") -> Path:
    write(folder / "ratings.csv", RATINGS)
    write(folder / "followkit.toml", MAPPING.format(extra=extra) + more)
    return folder


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("stars > 0", ["a", "c"]),
        ("stars>=5", ["a"]),
        ("stars < 0", ["b"]),
        ("stars <= 1", ["b", "c"]),
        ("stars != 5", ["b", "c"]),
        ("stars = 5", ["a"]),
        ("who == 'a'", ["a", "a"]),
    ],
)
def test_where_leaves_rows_out_and_counts_them(tmp_path: Path, where: str, kept: list[str]) -> None:
    data = load_dataset(map_ratings(tmp_path, f'where = "{where}"'))
    assert data.follows["follower_id"].tolist() == kept
    steps = counts(data, "follows")
    assert (steps["read"], steps["dropped"], steps["kept"]) == (4, 4 - len(kept), len(kept))
    assert data.name == "ratings"
    assert data.about == {"licence": "mine"}


def test_mapping_declares_what_was_watched(tmp_path: Path) -> None:
    more = '[observation]\nuntil = "2011-01-01"\nsees_unfollows = true\n'
    seen = load_dataset(map_ratings(tmp_path, more=more)).observation
    assert sorted(seen["account_id"]) == ["a", "b", "c"]
    assert set(seen["observed_from_at"]) == {pd.Timestamp(1289241912, unit="s", tz="UTC")}
    assert set(seen["observed_until_at"]) == {pd.Timestamp("2011-01-01", tz="UTC")}
    assert bool(seen["sees_unfollows"].all())
    assert bool(seen["list_is_complete"].all())


def test_values_and_constants(tmp_path: Path) -> None:
    write(tmp_path / "acts.csv", "a,b,what\n1,2,retweet\n2,1,like\n")
    more = """
[tables.interactions]
file = "acts.csv"
columns = { actor_id = "a", target_id = "b", kind = "what" }
values = { kind = { retweet = "share" } }
constants = { count = 3 }
"""
    acts = load_dataset(map_ratings(tmp_path, more=more)).interactions
    assert acts["kind"].tolist() == ["share", "like"]
    assert acts["count"].tolist() == [3, 3]


def test_mapping_may_lie_elsewhere(tmp_path: Path) -> None:
    map_ratings(tmp_path / "far")
    text = (tmp_path / "far" / "followkit.toml").read_text()
    (tmp_path / "far" / "followkit.toml").unlink()
    by_path = load_dataset(tmp_path / "far", mapping=write(tmp_path / "my.toml", text))
    pointing = write(tmp_path / "maps" / "p.toml", 'folder = "../far"\n' + text)
    assert load_dataset(pointing).fingerprint() == by_path.fingerprint()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"ratings.csv"', '"../ratings.csv"', "is not in"),
        ('"ratings.csv"', '"rating.csv"', "did you mean ratings.csv"),
        ('"ratings.csv"', "7", "file must be text"),
        ("file =", "fiel =", "file is missing"),
        ("[tables.follows]", "[tables.follow]", "[tables.follows] is needed"),
        ("[tables.follows]", "[tables]\nx = 1\n[tables.follows]", "no table is called x"),
        ('"who"', '"whoo"', "did you mean who?"),
        ('"who"', "1", "columns must be"),
        ("followee_id", "folowee_id", "did you mean followee_id"),
        ("columns", "wher = 1\ncolumns", "did you mean where"),
        ("columns", 'where = "stars ~ 3"\ncolumns', "where: must read"),
        ("columns", "values = { status = { a = 'b' } }\ncolumns", "need it in columns"),
        ("name", "folder = 3\nname", "folder must be text"),
        ("name", "name = = 1\nname", "not valid TOML"),
        ("name", "observation = 1\nname", "[observation]"),
        ("name", "observation = { til = 1 }\nname", "til is unknown"),
        ("name", "observation = { until = 'soon' }\nname", "until must be"),
    ],
)
def test_broken_mappings_are_said(tmp_path: Path, old: str, new: str, says: str) -> None:
    folder = map_ratings(tmp_path)
    text = (folder / "followkit.toml").read_text()
    write(folder / "followkit.toml", text.replace(old, new, 1))
    assert says in read_error(folder)


def test_first_and_last_need_times(tmp_path: Path) -> None:
    folder = map_ratings(tmp_path, more="[observation]\nsees_unfollows = false\n")
    text = (folder / "followkit.toml").read_text().replace(', followed_at = "when"', "")
    write(folder / "followkit.toml", text)
    assert "needs follows with times" in read_error(folder)


ADAPTED = [
    # rows of `follows` as counted in the SOURCE.md of each (bitcoin: positive ratings only)
    ("bitcoin_otc", {"follows": 32_029}),
    ("college_msg", {"follows": 20_296}),
    ("timme_politics", {"follows": 59_073, "accounts": 583, "interactions": 63_274}),
    ("us_senators_2018", {"follows": 5_697, "accounts": 100}),
]


@pytest.mark.parametrize(("name", "rows"), ADAPTED)
def test_adapters_read_the_public_data(name: str, rows: dict[str, int]) -> None:
    if not (SHARED / name).is_dir():
        pytest.skip(f"{name} is not beside the repository")
    data = load_dataset(SHARED / name, mapping=ADAPTERS / f"{name}.toml")
    assert {table: len(frame) for table, frame in data.tables.items()} == rows
    describe_dataset(data)


def test_negative_ratings_are_no_follows() -> None:
    if not (SHARED / "bitcoin_otc").is_dir():
        pytest.skip("bitcoin_otc is not beside the repository")
    data = load_dataset(SHARED / "bitcoin_otc", mapping=ADAPTERS / "bitcoin_otc.toml")
    steps = counts(data, "follows")
    # 3,563 of the 35,592 ratings are negative (Kumar et al. 2016: 89 % are positive).
    assert (steps["read"], steps["dropped"]) == (35_592, 3_563)


def test_the_mapping_of_the_guide_is_valid(tmp_path: Path) -> None:
    guide = (HERE.parent / "docs" / "data_format.md").read_text(encoding="utf-8")
    text = guide.split("```toml\n")[1].split("```")[0]
    read = read_mapping(write(tmp_path / "guide.toml", text))
    assert set(read.tables) == {"follows", "interactions"}
    assert set(read.observation) == {"from", "until", "sees_unfollows", "list_is_complete"}


def test_the_guide_names_every_table_and_column() -> None:
    guide = (HERE.parent / "docs" / "data_format.md").read_text(encoding="utf-8")
    for schema in SCHEMAS.values():
        part = guide.split(f"### {schema.name}")[1].split("\n##")[0]
        assert [name for name in schema.names if f"`{name}`" not in part] == []
