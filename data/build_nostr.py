"""Rebuild data/nostr from the two npm packages that carry the crawls (needs node and npm).

Usage: python data/build_nostr.py [FOLDER_OF_1.0.5 FOLDER_OF_1.0.36]

Without folders both packages are fetched by name. Only follows between accounts whose own list
is known are kept; public keys become 1…n in their sorted order; names and pictures are dropped.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
OUT = HERE / "nostr"
PACKAGES = ("nostr-social-graph@1.0.5", "nostr-social-graph@1.0.36")
LIST_LIMITS = (float("inf"), 1_000)  # the second crawl was written with at most so many a list

Wave = list[tuple[str, list[str], int | None]]


def fetch_packages(folder: Path) -> list[Path]:
    """Fetch and unpack both packages, returning their folders."""
    found = []
    for package in PACKAGES:
        place = folder / package.rsplit("@", 1)[1]
        place.mkdir()
        subprocess.run(["npm", "pack", "--silent", package], cwd=place, check=True)
        archive = next(place.glob("*.tgz"))
        shutil.unpack_archive(archive, place, filter="data")
        found.append(place / "package")
    return found


def decode(folders: list[Path]) -> tuple[Wave, Wave]:
    """Return both crawls, decoded by the packages' own code."""
    command = ["node", str(HERE / "build_nostr.mjs"), *map(str, folders)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    waves = json.loads(text)
    return waves["wave1"], waves["wave2"]


def make_edges(wave: Wave, number: dict[str, int]) -> pd.DataFrame:
    """Return follower_id, followee_id, list_position between accounts whose list is known."""
    owners = {owner for owner, _, _ in wave}
    rows = [
        (number[owner], number[followed], position)
        for owner, followees, _ in wave
        for position, followed in enumerate(followees)
        if followed in owners and followed != owner
    ]
    return pd.DataFrame(rows, columns=["follower_id", "followee_id", "list_position"])


def make_lists(wave: Wave, number: dict[str, int], limit: float) -> pd.DataFrame:
    """Return one row a list: whose, how long, when signed, and whether it was cut off."""
    rows = [(number[owner], len(followees), signed) for owner, followees, signed in wave]
    lists = pd.DataFrame(rows, columns=["account_id", "followee_count", "signed_at"])
    lists["signed_at"] = pd.to_datetime(lists["signed_at"], unit="s", utc=True)
    lists["is_cut"] = lists["followee_count"] >= limit
    return lists.set_index("account_id").sort_index()


def make_follows(edges: list[pd.DataFrame], lists: list[pd.DataFrame]) -> pd.DataFrame:
    """Return one row a tie, with what the two crawls say about when it began and ended.

    A crawl says something about a tie only where it read both lists: it keeps no tie to an
    account outside it. Where it is silent the bound stays empty, "unknown", never "absent".
    """
    crawls = [crawl["signed_at"].max() for crawl in lists]
    pair = ["follower_id", "followee_id"]
    both = edges[0].merge(edges[1], on=pair, how="outer", suffixes=("_1", "_2"))
    in_1, in_2 = both["list_position_1"].notna(), both["list_position_2"].notna()
    covered_1, covered_2 = (both[pair].isin(crawl.index).all(axis=1) for crawl in lists)
    is_cut = both["follower_id"].isin(lists[1].index[lists[1]["is_cut"]])
    table = both[pair].copy()
    table["followed_after_at"] = pd.Series(crawls[0], both.index).where(~in_1 & covered_1)
    table["followed_before_at"] = pd.Series(crawls[0], both.index).where(in_1, crawls[1])
    table["unfollowed_after_at"] = pd.Series(crawls[1], both.index).where(in_2, crawls[0])
    is_gone = in_1 & ~in_2 & covered_2 & ~is_cut
    table["unfollowed_before_at"] = pd.Series(crawls[1], both.index).where(is_gone)
    position = both["list_position_1"].where(in_1, both["list_position_2"])
    table["list_position"] = position.astype("Int64")
    return table.sort_values(pair, ignore_index=True)


def make_observation(lists: list[pd.DataFrame]) -> pd.DataFrame:
    """Return one row for each list of a crawl, with whether it was read whole."""
    parts = []
    for crawl in lists:
        at = crawl["signed_at"].max()
        parts.append(
            pd.DataFrame(
                {"account_id": crawl.index, "table_name": "follows", "observed_from_at": at,
                 "observed_until_at": at, "list_is_complete": ~crawl["is_cut"].to_numpy(),
                 "sees_unfollows": True}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def make_counts(lists: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the full length of every list at its crawl; unknown where the list was cut off."""
    parts = [
        pd.DataFrame(
            {
                "account_id": crawl.index,
                "counts_at": crawl["signed_at"].max(),
                "followee_count": crawl["followee_count"].where(~crawl["is_cut"]).astype("Int64"),
            }
        )
        for crawl in lists
    ]
    counts = pd.concat(parts, ignore_index=True)
    return counts.sort_values(["account_id", "counts_at"], ignore_index=True)


def write(table: pd.DataFrame, name: str) -> None:
    """Write a table as plain CSV, times as ISO 8601 in UTC."""
    text = table.copy()
    for column in text.columns[text.dtypes.map(lambda dtype: dtype.kind == "M")]:
        text[column] = text[column].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    text.to_csv(OUT / f"{name}.csv", index=False, lineterminator="\n")


def main(arguments: list[str]) -> None:
    """Build the tables."""
    with tempfile.TemporaryDirectory() as folder:
        folders = [Path(item) for item in arguments] or fetch_packages(Path(folder))
        waves = decode(folders)
        shutil.copy(folders[1] / "LICENSE", OUT / "LICENSE.txt")
    keys = sorted({owner for wave in waves for owner, _, _ in wave})
    number = {key: place for place, key in enumerate(keys, start=1)}
    edges = [make_edges(wave, number) for wave in waves]
    lists = [
        make_lists(wave, number, limit) for wave, limit in zip(waves, LIST_LIMITS, strict=True)
    ]
    accounts = pd.DataFrame({"account_id": list(number.values())})
    for wave, crawl in enumerate(lists, start=1):
        accounts[f"list_signed_wave{wave}_at"] = accounts["account_id"].map(crawl["signed_at"])
    write(make_follows(edges, lists), "follows")
    write(accounts, "accounts")
    write(make_counts(lists), "account_counts")
    write(make_observation(lists), "observation")


if __name__ == "__main__":
    main(sys.argv[1:])
