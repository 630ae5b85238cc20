"""What leaves in a report: no name, no text, no folder, no small group; the same bytes anywhere."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from followkit import describe as say
from followkit import sections, small_cells
from followkit.analysis import analyse, make_influence, make_sensitivity
from followkit.batch import JOURNAL
from followkit.batch_console import NamedValues, list_segments
from followkit.cli import find_notebook, main
from followkit.dyads import make_dyads
from followkit.errors import InputError
from followkit.features import make_features
from followkit.kernels import ForkServer, can_fork
from followkit.notebooks import (
    cell_source,
    check_notebooks,
    make_notebook,
    parse_parameters,
    read_cells,
)
from followkit.pseudonyms import KEY_VARIABLE, load_key, make_pseudonyms, name_accounts
from followkit.report import ReportResult, render_report
from followkit.segments import select_segment
from followkit.sharing import list_folders, shorten_paths, show_parameters
from followkit.simulate import make_town, write_dataset
from followkit.sources import load_dataset
from followkit.sweeps import make_sweep, show_no_names
from followkit.tables import Dataset, make_dataset

ROOT = Path(__file__).parents[1]
REPORTS = ROOT / "notebooks" / "report"
FOLLOW_BACK = REPORTS / "follow_back.ipynb"
#: What both whole reports are asked for beside the data and the account.
FULL = {"horizon_days": 14.0, "with_mutuality": False}
SECRET = "zqsecret"
#: The shortest id or handle that is looked for: shorter ones turn up in any text.
SHORTEST = 4
LIGHT = """\
# %% [markdown]
# # Light

# %% tags=["parameters"]
data: str = ""  # folder
initiator: str = ""  # account
segment: str = ""  # part
note: str = ""  # any text
show_names: bool = False  # names
title: str = "Light"  # heading

# %%
import sys

from followkit.html import Record, show
from followkit.pseudonyms import name_accounts
from followkit.sources import find_data, load_dataset

# %%
dataset = load_dataset(find_data(data))
names = name_accounts(dataset, show_names=show_names)
initiator = names.find(initiator)
numbers = Record({"followees": int((dataset.follows["follower_id"] == initiator).sum())})
print(find_data(data).absolute(), file=sys.stderr)

# %%
if note != "says nothing":
    numbers.show_as(initiator=names.name(initiator), segment=names.name_segment(segment))
show(f"Of {names.name(initiator)}, read from {find_data(data).absolute()}.")

# %%
numbers
"""


def make_export(accounts: int, weeks: int, follows: float, *, tables: Any = None) -> Dataset:
    """Return a town of people with ids, handles, bios and posts that are theirs alone."""
    town = make_town(accounts, seed=1, weeks=weeks, follows_per_account=follows)
    new = {}
    for name, table in town.tables.items():
        made = table.copy()
        for column in [one for one in made if str(one).endswith(("account_id", "er_id", "ee_id"))]:
            made[column] = made[column].map(lambda one: f"acct{one:05d}x", na_action="ignore")
        for column in [one for one in made if one in ("actor_id", "target_id")]:
            made[column] = made[column].map(lambda one: f"acct{one:05d}x", na_action="ignore")
        if "text" in made:
            made["text"] = made["text"].map(lambda one: f"{one} {SECRET}", na_action="ignore")
        new[name] = made
    people = new["accounts"]
    people["handle"] = [f"@Hndl.{row:04d}" for row in range(len(people))]
    people["display_name"] = [f"Dís <b>{row:04d}</b>" for row in range(len(people))]
    people["bio"] = [f"bio number {row:04d} {SECRET}" for row in range(len(people))]
    return make_dataset({name: new[name] for name in tables or new})


def list_secrets(dataset: Dataset) -> set[str]:
    """Return every id, handle, name, bio and sentence that no report may hold."""
    follows, people = dataset.follows, dataset.accounts
    found = {*follows["follower_id"], *follows["followee_id"], *people["account_id"]}
    for column in ("handle", "display_name", "bio"):
        found |= set(people[column].dropna())
    for table in (dataset.posts, dataset.interactions):
        found |= set(table["text"].dropna())
    return {str(one) for one in found if len(str(one)) >= SHORTEST} | {SECRET}


def read_everything(folder: Path) -> str:
    """Return all text below a folder, names of files included, pictures and markup read through."""
    texts = []
    for path in sorted(folder.rglob("*")):
        texts.append(str(path.relative_to(folder)))
        if path.is_file():
            text = path.read_text("utf-8")
            texts += [text, unescape(text), unquote(text)]
            for found in re.findall(r"base64,([A-Za-z0-9+/=]+)", text):
                texts.append(base64.b64decode(found).decode("latin-1"))
            if path.suffix == ".html":
                texts.append(BeautifulSoup(text, "html.parser").get_text())
            if path.suffix in (".json", ".jsonl"):
                texts.append(text.encode().decode("unicode_escape", "replace"))
    return "\n".join(texts)


def find_secrets(text: str, secrets: set[str]) -> list[str]:
    return sorted(one for one in secrets if one in text)


def list_own_folders(*more: Path) -> set[str]:
    """Return folders of this computer that a report could let slip."""
    own = {str(ROOT), str(Path.home()), tempfile.gettempdir(), sys.prefix}
    return own | {str(path) for path in more}


def split_made(folder: Path) -> tuple[dict[str, list[bytes]], list[bytes]]:
    """Return the lines of all files but those that say when, and these."""
    lines, made = {}, []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes().splitlines()
            marked = [line for line in content if b'class="fk-made"' in line]
            lines[str(path.relative_to(folder))] = [one for one in content if one not in marked]
            made += marked
    return lines, made


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks")
    (folder / "light.py").write_text(LIGHT)
    (folder / "light.ipynb").write_text(make_notebook(folder / "light.py"))
    return folder / "light.ipynb"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Path]:
    """Return an export of follows and profiles only, and where it lies."""
    folder = tmp_path_factory.mktemp("home") / "private" / "export"
    dataset = make_export(60, 10, 6.0, tables=("follows", "accounts", "observation"))
    write_dataset(dataset, folder)
    return load_dataset(folder), folder


# ------------------------------------------------------------------------------- a whole report


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer | None]:
    """Return what kernels are forked from, so that each starts at once."""
    if not can_fork():
        yield None
        return
    with ForkServer(ROOT) as started:
        yield started


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Path]:
    """Return an export with everything in it, and where it lies."""
    folder = tmp_path_factory.mktemp("home") / "private" / "export"
    write_dataset(make_export(90, 10, 6.0), folder)
    return load_dataset(folder), folder


@pytest.fixture(scope="module")
def full(
    export: tuple[Dataset, Path],
    server: ForkServer | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> ReportResult:
    """Return a whole report on one account's follows, asked for by its id."""
    dataset, place = export
    values = {
        **FULL,
        "data": str(place),
        "initiator": str(dataset.follows["follower_id"].mode()[0]),
    }
    page = tmp_path_factory.mktemp("out") / "made" / "one" / "one.html"
    return render_report(FOLLOW_BACK, page, values, server=server)


def test_a_report_holds_no_name_no_text_and_no_folder(
    full: ReportResult, export: tuple[Dataset, Path]
) -> None:
    """Everything in it: page, page with code, pictures, numbers, tables."""
    dataset, place = export
    names, secrets = name_accounts(dataset), list_secrets(dataset)
    initiator = str(dataset.follows["follower_id"].mode()[0])
    raw = "".join(path.read_text() for path in place.iterdir())
    assert len(find_secrets(raw, secrets)) == len(secrets), "they are all there to be found"
    everything = read_everything(full.page.parent)
    assert find_secrets(everything, secrets) == []
    assert find_secrets(everything, list_own_folders(place, *place.parents[:2])) == []
    assert load_key().hex() not in everything.lower()
    assert "papermill" not in everything
    # What stands there instead is the right thing.
    summary = json.loads(full.summary.read_text("utf-8"))
    assert summary["parameters"]["initiator"] == names.name(initiator)
    assert summary["parameters"]["data"] == "…/private/export"
    page = unescape(full.page.read_text("utf-8"))
    assert f"-p initiator {names.name(initiator)}" in page
    assert f"for the follows of {names.name(initiator)}" in page
    code = BeautifulSoup(full.code_page.read_text("utf-8"), "html.parser").get_text()
    assert f"initiator = '{names.name(initiator)}'" in code
    pictured = set(re.findall(r"without (user-\w+)", everything))
    assert pictured
    assert pictured <= set(names.names.values())
    assert sections.USES in page
    assert sections.NO_USES in page


def test_two_folders_and_two_hash_seeds_give_the_same_bytes(
    full: ReportResult, export: tuple[Dataset, Path], tmp_path: Path
) -> None:
    """Here by the command line, with the pseudonym that the report shows, in another process."""
    dataset, _ = export
    pseudonym = json.loads(full.summary.read_text("utf-8"))["parameters"]["initiator"]
    place = tmp_path / "another" / "home" / "private" / "export"
    write_dataset(dataset, place)
    work = tmp_path / "work"
    work.mkdir()
    given = [str(word) for name, value in FULL.items() for word in ("-p", name, value)]
    words = [sys.executable, "-m", "followkit", "report", str(FOLLOW_BACK), "--data", str(place),
             *given, "-p", "initiator", pseudonym, "--out", "made/one"]  # fmt: skip
    done = subprocess.run(words, cwd=work, capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONHASHSEED": "77"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = split_made(full.page.parent), split_made(work / "made" / "one")
    assert first[0].keys() == second[0].keys()
    assert [name for name in first[0] if first[0][name] != second[0][name]] == []
    assert len(first[1]) == len(second[1]) == 2, "one line in each of the two pages"


# ------------------------------------------------------------------------- parameters, by hand


def run_light(
    light: Path, folder: Path, server: ForkServer | None, **values: Any
) -> tuple[str, dict[str, Any]]:
    result = render_report(light, folder / "out" / "light" / "light.html", values, server=server)
    return read_everything(folder / "out"), json.loads(result.summary.read_text("utf-8"))


def test_names_are_there_for_whoever_asks(
    light: Path, small: tuple[Dataset, Path], tmp_path: Path, server: ForkServer | None
) -> None:
    dataset, place = small
    handle = str(dataset.accounts["handle"].iloc[3])
    values = {"data": str(place), "initiator": handle, "segment": f"decider.handle={handle}"}
    everything, summary = run_light(light, tmp_path, server, **values, show_names=True)
    assert f"Of {handle}" in everything
    assert summary["parameters"]["initiator"] == handle
    assert summary["parameters"]["segment"] == f"decider.handle={handle}"
    assert summary["numbers"]["followees"] > 0, "found by its handle"
    # Folders stay out all the same.
    assert find_secrets(everything, list_own_folders(place)) == []


@pytest.mark.parametrize("option", ["--names", "--show-names"])
def test_either_option_shows_names(
    option: str, light: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, Any]] = []

    def render(notebook: Path, page: Path, values: dict[str, Any], **_: Any) -> ReportResult:
        given.append(values)
        return ReportResult(page, page, page, (), "t", {})

    monkeypatch.setattr("followkit.report.render_report", render)
    for words in ([option], []):
        assert main(["report", str(light), *words, "--out", str(tmp_path / "x")]) == 0
    assert given == [{"show_names": True}, {}]


def test_what_a_notebook_does_not_say_is_withheld(
    light: Path, small: tuple[Dataset, Path], tmp_path: Path, server: ForkServer | None
) -> None:
    dataset, place = small
    account = str(dataset.accounts["account_id"].iloc[3])
    values = {"data": str(place), "initiator": account, "segment": f"initiator={account}",
              "title": f"All of initiator={account}", "note": "says nothing"}  # fmt: skip
    everything, summary = run_light(light, tmp_path, server, **values)
    assert find_secrets(everything, {account}) == []
    assert summary["parameters"]["initiator"] == "withheld"
    assert summary["parameters"]["segment"] == "initiator=withheld"
    assert summary["title"] == "All of initiator=withheld"
    assert find_secrets(everything, list_own_folders(place, tmp_path)) == []
    assert f"read from {shorten_paths(str(place), ROOT)[:1]}" in everything


def test_defaults_that_name_somebody_stay_out_of_the_code(
    light: Path, small: tuple[Dataset, Path], tmp_path: Path, server: ForkServer | None
) -> None:
    """A notebook of one's own may hold an account and a folder."""
    dataset, place = small
    account = str(dataset.accounts["account_id"].iloc[5])
    text = LIGHT.replace('data: str = ""', f"data: str = {str(place)!r}")
    text = text.replace('initiator: str = ""  # account', f'initiator: str = (\n    "{account}")')
    own = tmp_path / "own.py"
    own.write_text(text)
    own.with_suffix(".ipynb").write_text(make_notebook(own))
    for values in ({}, {"initiator": "nobody", "data": str(place)}):
        everything, _ = run_light(own.with_suffix(".ipynb"), tmp_path, server, **values)
        assert find_secrets(everything, list_secrets(dataset)) == []
        assert find_secrets(everything, list_own_folders(place)) == []
        assert "data: str = '…/private/export'  # folder" in everything


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("data/town", "data/town"),
        ("", ""),
        (str(ROOT / "data" / "town"), "data/town"),
        ("/home/ann/export", "…/ann/export"),
        ("/export", "…/export"),
        ("~/mine/export", "…/mine/export"),
        ("../../ann/mine/export/", "…/mine/export"),
        (r"C:\Users\ann\mine\export", "…/mine/export"),
        ("data/town; /home/ann/mine/export", "data/town; …/mine/export"),
        ("a;b", "a;b"),
        (["/x/y/z"], ["…/y/z"]),
        (3, 3),
    ],
)
def test_paths_outside_the_project_show_their_last_two_parts(path: Any, shown: Any) -> None:
    assert shorten_paths(path, ROOT) == shown


def test_the_project_and_the_home_are_among_the_folders() -> None:
    folders = list_folders(ROOT)
    assert {str(ROOT), str(Path.home())} <= set(folders)
    assert "/" not in folders
    assert folders == sorted(folders, key=lambda folder: (-len(folder), folder))


def test_a_title_keeps_what_names_nobody() -> None:
    schema = parse_parameters('segment: str = ""\ntitle: str = ""')
    values = {"segment": "month=2025-03", "title": "Report (town, month=2025-03)"}
    assert show_parameters(values, schema, {}, ROOT) == values


# ------------------------------------------------------------------------------------------ batches


def test_a_batch_names_nobody_in_folders_lists_journal_or_causes(
    light: Path,
    small: tuple[Dataset, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    dataset, place = small
    first, second = dataset.accounts["account_id"].astype(str).iloc[[3, 4]]
    broken = tmp_path / "private" / "broken"
    broken.mkdir(parents=True)
    (broken / "follows.csv").write_text(f"follower_id,followee_id\n{first},\n{second},{first}\n")
    monkeypatch.chdir(tmp_path)
    Path("sweep.toml").write_text(
        f"notebook = {str(light)!r}\nout = 'made'\n[parameters]\ndata = {str(place)!r}\n"
        f"[grid]\ninitiator = ['{first}', '{second}']\nsegment = ['decider={second}']\n"
        f"[[report]]\ninitiator = '{second}'\ndata = {str(broken)!r}\n"
        f"[[report]]\nname = 'gone'\ninitiator = '{second}'\ndata = '/home/nobody/mine/export'\n"
    )
    assert main(["batch", "sweep.toml", "--workers", "1"]) == 2
    names = make_pseudonyms([first, second], load_key())
    everything = read_everything(Path("made"))
    assert find_secrets(everything, list_secrets(dataset)) == []
    assert find_secrets(everything, list_own_folders(place, broken, tmp_path)) == []
    folders = {path.name for path in Path("made").iterdir() if path.is_dir()}
    assert folders == {f"initiator-{name}" for name in names.values()}
    rows = json.loads(Path("made", "summaries.json").read_text())
    assert {row["parameters"]["initiator"] for row in rows} == set(names.values())
    assert {row["segment"] for row in rows} == {f"decider={names[second]}"}
    assert rows[0]["title"].endswith(f"decider={names[second]})")
    said = capsys.readouterr().err
    assert f"-p initiator {second}" in said, "on one's own terminal it is repeated as typed"
    causes = [json.loads(line)["cause"] for line in Path("made", JOURNAL).read_text().splitlines()]
    assert any("followee_id must not be empty" in cause for cause in causes), "still of use"


def test_a_report_for_each_account_is_called_by_pseudonyms(small: tuple[Dataset, Path]) -> None:
    dataset, place = small
    content = {"parameters": {"data": str(place)}, "each": {"segment": "decider", "fewest": 9}}
    sweep = make_sweep(content, find_notebook, list_segments, name_values=NamedValues())
    assert len(sweep.runs) > 1
    names = name_accounts(dataset)
    for run in sweep.runs:
        account = run.parameters["segment"].removeprefix("decider=")
        assert run.shown["segment"] == f"decider={names.name(account)}"
        assert names.name(account) in run.name
        assert run.parameters["title"].endswith(f"decider={names.name(account)})")
    open_names = make_sweep(
        {**content, "parameters": {"data": str(place), "show_names": True}}, find_notebook,
        list_segments, name_values=NamedValues(),
    )  # fmt: skip
    assert all(run.parameters["segment"].partition("=")[2] in run.name for run in open_names.runs)


def test_names_of_reports_are_withheld_where_the_data_are_gone() -> None:
    values = {"data": "no/such/data", "initiator": "zoe", "segment": "decider.handle=zoe"}
    assert NamedValues()(values) == {"initiator": "withheld", "segment": "decider.handle=withheld"}
    assert show_no_names({"segment": "decider.category=art"}) == {"segment": "decider.category=art"}


# ------------------------------------------------------------------------------- small groups


def test_no_count_under_five_is_shown_or_can_be_worked_out() -> None:
    """Every way to choose sizes and answers of a group of 60 dyads."""
    for size in (1, 4, 5, 30, 55, 56, 59, 60):
        for answered in {0, 1, 4, 5, size} & set(range(size + 1)):
            table = pd.DataFrame(
                {"label": ["all", "some"], "deciders": [60, size], "n": [60, size],
                 "answered": [20, answered], "rate": [1 / 3, answered / size],
                 "ci_low": [0.2, 0.0], "ci_high": [0.5, 1.0]}
            )  # fmt: skip
            row = sections.hide_small_choices(table).iloc[1]
            is_size_small = 0 < size < 5 or 0 < 60 - size < 5
            if is_size_small:
                assert row["n"] in (None, "under 5")
                assert row["answered"] in (None, "under 5")
            if 0 < answered < 5:
                assert row["answered"] == "under 5"
            hides = is_size_small or 0 < answered < 5
            assert pd.isna(row["rate"]) == hides
            assert hides or row["n"] == size
            assert sections.hide_small_choices(table).iloc[0].equals(table.astype(object).iloc[0])


def test_the_published_table_stays_as_it_is(nostr: Dataset) -> None:
    """No group of the nostr census is small, so nothing of it is hidden."""
    late = analyse(nostr, "late_answer", names=["decider_ratio_log"], with_ladder=False)
    table = make_sensitivity(late)
    assert sections.hide_small_choices(table) is table
    influence = sections.name_deciders(make_influence(late, most=60), name_accounts(nostr))
    labels = influence["label"].iloc[1:]
    assert labels.str.contains("under 5 answers").any()
    assert not labels.str.contains(r"\([1-4] answer").any()
    assert labels.str.fullmatch(r"without user-\w{6,} \((\d+|under 5) answers\)").all()


@pytest.mark.parametrize("counts", [(40, 3, 2, 1), (4, 3), (2,), (40, 4), (10, 10, 1), (3, 1, 60)])
def test_states_of_a_segment_are_joined_until_none_is_small(counts: tuple[int, ...]) -> None:
    total = sum(counts) + 9
    states = pd.DataFrame(
        {"state": ["answered", *(f"s{row}" for row in range(len(counts)))],
         "label": ["answered", *(f"s{row}" for row in range(len(counts)))],
         "count": [9, *counts], "share": [9 / total, *(one / total for one in counts)],
         "is_answer": [True] + [False] * len(counts)}
    )  # fmt: skip
    made = small_cells.merge_small_states(states)
    assert made["count"].sum() == total
    assert made["share"].sum() == pytest.approx(1)
    others = made[~made["is_answer"]]
    assert (others["count"] >= 5).all() or len(others) == 1
    assert set(" or ".join(others["label"]).split(" or ")) == set(states["label"].iloc[1:])
    mixed = states.sample(frac=1, random_state=3)
    assert set(small_cells.merge_small_states(mixed)["count"]) == set(made["count"])


def test_a_part_of_four_dyads_gets_no_report() -> None:
    dataset = make_town(150, seed=3, weeks=12, follows_per_account=10)
    dyads = make_dyads(dataset, "follow_back", horizon_days=30)
    features = make_features(dyads, dataset, names=["decider_ratio_log"])
    counts = dyads.table["decider_id"].value_counts()
    few, enough = (counts.index[counts == size][0] for size in (3, 5))
    with pytest.raises(InputError, match=r"fewer than 5 of .* too few to hide in"):
        select_segment(dyads, features, dataset, f"decider={few}")
    chosen, _ = select_segment(dyads, features, dataset, f"decider={enough}")
    assert len(chosen.table) == 5
    assert str(enough) not in " ".join(chosen.census["step"])


# ----------------------------------------------------------------------------------- the card


def test_the_card_says_what_a_report_is_for() -> None:
    card = sections.show_uses("Counted here: 3 follows.").html
    text = BeautifulSoup(card, "html.parser").get_text(" ")
    for said in ("Use it to", "Do not use it to rank people", "by machine", "a single person",
                 "not effects", "Counted here: 3 follows.", "pseudonyms"):  # fmt: skip
        assert said in text, said
    shown = BeautifulSoup(sections.show_uses("", names_are_shown=True).html, "html.parser")
    assert "shows real names" in shown.get_text()
    assert "pseudonyms" not in shown.get_text()


@pytest.mark.parametrize("path", sorted(REPORTS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_report_notebook_carries_the_card_once(path: Path) -> None:
    code = [cell_source(cell) for cell in read_cells(path) if cell["cell_type"] == "code"]
    calls = [source for source in code if re.search(r"\bshow_uses\(", source)]
    assert len(calls) == 1, f"{path.name}: end with followkit.sections.show_uses(…)"


def test_counted_people_are_those_of_the_dyads(nostr: Dataset) -> None:
    dyads = make_dyads(nostr, "late_answer").table
    text = say.describe_people(dyads, "tie")
    initiators, deciders = dyads["initiator_id"].nunique(), dyads["decider_id"].nunique()
    assert text.startswith(f"Counted here: 8,147 ties of {initiators} initiators")
    assert f"with {deciders} deciders" in text


# ---------------------------------------------------------------------------------- notebooks


def test_a_notebook_that_was_run_elsewhere_is_found_out(light: Path, tmp_path: Path) -> None:
    """papermill leaves values and folders in a notebook's metadata."""
    (tmp_path / "light.py").write_text(LIGHT)
    clean = json.loads(make_notebook(tmp_path / "light.py"))
    target = tmp_path / "light.ipynb"
    target.write_text(json.dumps(clean))
    assert check_notebooks(tmp_path) == []
    papermill = {"parameters": {"initiator": "acct00001x"}, "input_path": "/home/ann/x.ipynb"}
    target.write_text(json.dumps({**clean, "metadata": {**clean["metadata"],
                                                        "papermill": papermill}}))  # fmt: skip
    assert ["keeps what a run left in it" in one for one in check_notebooks(tmp_path)] == [True]
    cells = [{**clean["cells"][0], "metadata": {"papermill": {"duration": 1}}}, *clean["cells"][1:]]
    target.write_text(json.dumps({**clean, "cells": cells}))
    assert ["keeps what a run left in it" in one for one in check_notebooks(tmp_path)] == [True]


def test_the_tests_do_not_use_the_key_of_whoever_runs_them() -> None:
    assert Path(os.environ[KEY_VARIABLE]).is_relative_to(Path(tempfile.gettempdir()))
