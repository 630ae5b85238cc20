"""Exploring: notebooks run with and without controls, controls change what is shown, all found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hostile import MARK, PAYLOADS, make_hostile_town
from notebook_runs import digest_picture, read_page, run_cells, write_mapping

from followkit import cli, explore, histories, portraits, remember, style
from followkit import explore_sections as see
from followkit.errors import InputError, ParameterError
from followkit.factors import judge
from followkit.html import Shown, show
from followkit.notebooks import cell_source, cell_tags, check_notebooks, read_cells, read_parameters
from followkit.page import take_out_what_runs
from followkit.simulate import make_town, write_dataset
from followkit.sources import find_data, load_dataset

ROOT = Path(__file__).parents[1]
START = ROOT / "notebooks" / "00_start_here.ipynb"
NOTEBOOKS = {
    path.stem: path for path in (START, *sorted((START.parent / "explore").glob("*.ipynb")))
}
VIEW_KIND = "application/vnd.jupyter.widget-view+json"


def run_notebook(name: str, parameters: dict[str, Any]) -> tuple[str, list[Any]]:
    """Run the cells in this process; return what they show and the values themselves."""
    values = [value for value in run_cells(NOTEBOOKS[name], parameters)
              if hasattr(value, "_repr_html_")]  # fmt: skip
    return read_page(values), values


# -- stand-ins for ipywidgets 8, in as much of its interface as is used ------------------------


class FakeWidget:
    """A widget with a value that can be observed."""

    def __init__(self, *, value: Any = None, options: Any = (), **look: Any) -> None:
        assert not options or value in options, "ipywidgets refuses a value that is no option"
        self._value, self.options, self.look = value, list(options), look
        self.classes: list[str] = []
        self._callbacks: list[Callable[[dict[str, Any]], None]] = []

    @property
    def value(self) -> Any:
        return self._value

    @value.setter
    def value(self, new: Any) -> None:
        old, self._value = self._value, new
        for callback in self._callbacks:
            callback({"name": "value", "old": old, "new": new, "owner": self})

    def observe(self, callback: Callable[[dict[str, Any]], None], names: str) -> None:
        assert names == "value"
        self._callbacks.append(callback)

    def add_class(self, name: str) -> None:
        self.classes.append(name)


class FakeBox(FakeWidget):
    """Widgets below each other."""

    def __init__(self, children: Any) -> None:
        super().__init__()
        self.children = list(children)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": "VBox(…)", VIEW_KIND: {"model_id": "0"}}


def make_fake_widgets() -> ModuleType:
    module = ModuleType("ipywidgets")
    for name, kind in (("HTML", FakeWidget), ("VBox", FakeBox)):
        setattr(module, name, kind)
    for name in ("Dropdown", "Combobox"):
        setattr(module, name, type(name, (FakeWidget,), {}))
    return module


@pytest.fixture(params=["with ipywidgets", "without ipywidgets"])
def widgets(request, monkeypatch) -> bool:
    is_there = request.param == "with ipywidgets"
    # None in sys.modules makes an import fail as if it were not installed.
    monkeypatch.setitem(sys.modules, "ipywidgets", make_fake_widgets() if is_there else None)
    return is_there


@pytest.fixture
def fake(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", make_fake_widgets())


@pytest.fixture
def quick_pictures(monkeypatch) -> None:
    """Put a digest of what would be drawn in place of each picture: drawing takes most of a run."""
    monkeypatch.setattr(style, "draw", digest_picture)


@pytest.fixture(scope="module", autouse=True)
def remembering() -> Iterator[None]:
    """Compute features and verdicts of the same data once, as a batch of reports does."""
    remember.start()
    yield
    remember.stop()


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> dict[str, str]:
    """Two small towns, and a mapping file for the first."""
    folder = tmp_path_factory.mktemp("towns")
    for name, seed in (("one", 1), ("two", 2)):
        write_dataset(make_town(160, seed=seed, weeks=14, follows_per_account=12), folder / name)
    mapping = write_mapping(folder)
    near = folder / "books" / "part"
    near.mkdir(parents=True)
    (near / "a.ipynb").write_text((ROOT / "tests" / "notebooks" / "demo.ipynb").read_text())
    return {
        "one": str(folder / "one"), "two": str(folder / "two"), "mapping": mapping,
        "folder": str(folder), "notebooks": str(folder / "books"),
    }  # fmt: skip


# -- the notebooks -----------------------------------------------------------------------------

COMMON: dict[str, Any] = {
    "data": "two", "mapping": "mapping", "question": "mutuality", "horizon_days": 14.0,
    "seed": 5, "confidence": 0.8,
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "00_start_here": {"folder": "folder", "notebooks": "notebooks", "data": "two"},
    "data_quality": {"data": "two", "mapping": "mapping", "table": "posts", "confidence": 0.8},
    "one_factor": {**COMMON, "delta": 0.9, "factor": 5, "feature": "dyad_topic_cosine"},
    "one_account": {**COMMON, "account": "7"},
    "one_dyad": {**COMMON, "initiator": None, "decider": None, "days": 7.0},
}
CASES = [(notebook, name) for notebook, changes in CHANGES.items() for name in changes]
_plain: dict[tuple[str, str], str] = {}


def run_plain(notebook: str, places: dict[str, str], **first: Any) -> str:
    """Return what a notebook shows as it is, once for all tests."""
    key = notebook, repr(first)
    if key not in _plain:
        _plain[key] = run_notebook(notebook, {"data": places["one"], **first})[0]
    return _plain[key]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_every_parameter_is_tried(notebook) -> None:
    assert set(CHANGES[notebook]) == set(read_parameters(NOTEBOOKS[notebook]))


@pytest.mark.parametrize(("notebook", "name"), CASES)
def test_a_changed_parameter_changes_the_output(notebook, name, places, quick_pictures) -> None:
    value = CHANGES[notebook][name]
    value = places.get(value, value) if isinstance(value, str) else value
    # Folds play no part but in a snapshot.
    first = {"question": "mutuality"} if name == "seed" else {}
    if name == "delta":
        first = {"feature": "dyad_topic_cosine"}  # Its claim can be tested in this town.
    if name in ("initiator", "decider"):
        busiest, other = find_follows(places["one"])
        first = {"initiator": busiest} if name == "decider" else {}
        value = other if name == "decider" else busiest
    changed = run_notebook(notebook, {"data": places["one"], **first, name: value})[0]
    assert changed != run_plain(notebook, places, **first)


def find_follows(data: str) -> tuple[str, str]:
    """Return an initiator and a decider of its own that are not shown at first."""
    main = explore.prepare(load_dataset(find_data(data)))
    rows = main.dyads.table
    shown = histories.get_row(main.dyads, histories.find_dyad(main))
    others = rows.loc[rows["initiator_id"] != shown["initiator_id"], "initiator_id"]
    initiator = others.value_counts().index[0]
    mine = rows[rows["initiator_id"] == initiator]
    known = histories.find_dyad(main, str(initiator))
    return str(initiator), str(mine.loc[mine["dyad_id"] != known, "decider_id"].iloc[0])


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_notebooks_show_the_same_with_and_without_controls(
    notebook, places, widgets, quick_pictures
) -> None:
    shown, values = run_notebook(notebook, {"data": places["one"]})
    assert shown == run_plain(notebook, places)
    choices = [value for value in values if isinstance(value, explore.Choice)]
    assert choices
    for choice in choices:
        bundle = choice._repr_mimebundle_()
        assert (VIEW_KIND in bundle) is widgets
        assert choice.shown.html in bundle["text/html"]
        assert "Look at another one" in bundle["text/html"]
        assert f"{choice.view.__name__}(" in bundle["text/html"]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_cells_are_short_and_define_no_functions(notebook) -> None:
    cells = read_cells(NOTEBOOKS[notebook])
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell for cell in code if "parameters" in cell_tags(cell)] == code[:1]
    sources = [cell_source(cell) for cell in code]
    assert all(len(source.splitlines()) <= 10 for source in sources)
    assert not any("def " in source or "lambda" in source for source in sources)


def test_twins_agree_and_hold_no_outputs() -> None:
    faults = check_notebooks(START.parent)
    assert [fault for fault in faults if "explore" in fault or START.stem in fault] == []


# -- controls ----------------------------------------------------------------------------------


def tell(prefix: str, *, word: str, number: int = 1) -> Shown:
    if word == "wrong":
        raise InputError("word: <b>wrong</b> cannot be shown; choose another")
    return show(f"{prefix} {word} {number}")


def test_a_control_changes_what_is_shown(fake) -> None:
    words, numbers = explore.pick(["one", "two"]), explore.pick([("a few", 3), ("many", 9)], 9)
    choice = explore.choose(tell, "say", word=words, number=numbers)
    first, second, place = choice.make_widget().children
    assert place.value == "<p>say one 9</p>"
    assert "jp-RenderedHTMLCommon" in place.classes
    first.value = "two"
    assert place.value == tell("say", word="two", number=9).html
    second.value = "a few"
    assert place.value == tell("say", word="two", number=3).html
    assert choice.values == {"word": "two", "number": 3}
    assert choice._repr_html_().startswith("<p>say two 3</p>")


def test_what_is_still_being_typed_changes_nothing(fake) -> None:
    options = [str(number) for number in range(explore.MOST_IN_DROPDOWN + 1)]
    choice = explore.choose(tell, "say", word=explore.pick(options, "7"))
    control, place = choice.make_widget().children
    assert type(control).__name__ == "Combobox"
    assert control.look["ensure_option"] is True
    before = place.value
    control.value = "nothing of the kind"
    assert place.value == before
    control.value = "60"
    assert place.value == tell("say", word="60").html


def test_a_view_that_fails_says_why_and_the_last_choice_stays(fake) -> None:
    choice = explore.choose(tell, "say", word=explore.pick(["fine", "wrong"]))
    control, place = choice.make_widget().children
    control.value = "wrong"
    assert "fk-stop" in place.value
    assert "&lt;b&gt;wrong" in place.value
    assert choice.values == {"word": "fine"}
    control.value = "fine"
    assert place.value == "<p>say fine 1</p>"


def test_a_wrong_first_choice_stops_the_cell() -> None:
    with pytest.raises(InputError, match="cannot be shown"):
        explore.choose(tell, "say", word=explore.pick(["fine"], "wrong"))


def test_choices_are_checked() -> None:
    choice = explore.choose(tell, "say", word=explore.pick(["a"]))
    with pytest.raises(ParameterError, match="nothing of that name to choose"):
        choice.select(wort="b")
    with pytest.raises(ParameterError, match="at least one argument"):
        explore.choose(tell, "say")
    with pytest.raises(InputError, match="nothing to choose from"):
        explore.pick([])


def test_options_with_the_same_words_are_told_apart(fake) -> None:
    choice = explore.choose(tell, "say", word=explore.pick([("x", "one"), ("x", "two")], "two"))
    control, place = choice.make_widget().children
    assert control.options == ["x", "x (2)"]
    assert control.value == "x (2)"
    control.value = "x"
    assert place.value == "<p>say one 1</p>"


def test_hostile_options_are_text(widgets) -> None:
    choice = explore.choose(tell, PAYLOADS[0], word=explore.pick(PAYLOADS))
    page = choice._repr_mimebundle_()["text/html"]
    soup = BeautifulSoup(page, "html.parser")
    take_out_what_runs(soup)
    assert str(soup) == str(BeautifulSoup(page, "html.parser"))


def test_a_rendered_page_shows_the_view_of_a_control(fake, tmp_path) -> None:
    """nbconvert prefers the live view, which a page without a kernel cannot show."""
    import nbformat

    from followkit.page import PageText, make_page

    choice = explore.choose(tell, "say", word=explore.pick(["here"]))
    output = nbformat.v4.new_output("execute_result", choice._repr_mimebundle_(),
                                    execution_count=1)  # fmt: skip
    assert VIEW_KIND in output.data
    cell = nbformat.v4.new_code_cell("x", outputs=[output], id="c0")
    page = make_page(nbformat.v4.new_notebook(cells=[cell]), PageText("Title"))
    assert "say here 1" in page


def test_controls_of_the_real_ipywidgets() -> None:
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed")
    many = [str(number) for number in range(200)]
    choice = explore.choose(tell, "say", word=explore.pick(many, "5"),
                            number=explore.pick([1, 2]))  # fmt: skip
    first, second, place = choice.make_widget().children
    first.value, second.value = "9", "2"
    assert place.value == tell("say", word="9", number=2).html
    assert VIEW_KIND in choice._repr_mimebundle_()


# -- views -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory) -> Path:
    return make_hostile_town(tmp_path_factory.mktemp("hostile"), 120)


def test_hostile_data_run_nowhere(spoiled, quick_pictures) -> None:
    data = load_dataset(spoiled)
    main = explore.prepare(data, with_claims=True)
    claims = judge(main)
    account = portraits.list_accounts(main)[0]
    views = [view(data) for view in (see.show_questions, see.show_steps, see.show_unknown,
                                     see.show_times, see.show_watched, see.show_churn,
                                     see.show_degrees, see.show_horizons)]  # fmt: skip
    views += [see.show_table(data, name) for name in data.tables]
    views += [see.show_account(main, account), see.show_account_changes(main, account),
              see.show_feature(main, claims, "decider_ratio_log"),
              see.show_dyad(main, 0), see.show_history(main, 84.0, 0)]  # fmt: skip
    choice = explore.choose(see.show_account, main,
                            account=explore.pick(portraits.list_accounts(main)))  # fmt: skip
    page = "".join(view.html for view in views) + choice._repr_html_()
    soup = BeautifulSoup(page, "html.parser")
    take_out_what_runs(soup)
    assert str(soup) == str(BeautifulSoup(page, "html.parser"))
    assert MARK in soup.get_text()


@pytest.fixture
def one_look(monkeypatch) -> None:
    """Draw each picture once instead of four times, for light pages on a screen."""
    real = style.draw

    def draw(plot: Any, *args: Any, dark: bool, width: float, **options: Any) -> str:
        is_first = not dark and width == style.WIDE_INCHES
        return real(plot, *args, width=width, **options) if is_first else "data:,"

    monkeypatch.setattr(style, "draw", draw)


def test_every_picture_can_be_drawn(spoiled, one_look) -> None:
    """Hostile account ids and formulas in names must not stop matplotlib."""
    data = load_dataset(spoiled)
    main = explore.prepare(data, with_claims=True)
    claims = judge(main)
    account = portraits.list_accounts(main)[0]
    pages = [see.show_unknown(data), see.show_times(data), see.show_watched(data),
             see.show_degrees(data), see.show_horizons(data), see.show_account(main, account),
             see.show_dyad(main, 0), see.show_history(main, 84.0, 0),
             see.show_feature(main, claims, "dyad_topic_cosine")]  # fmt: skip
    assert all("data:image/svg+xml" in page.html for page in pages)


def test_unknown_names_are_refused(places) -> None:
    data = load_dataset(places["one"])
    with pytest.raises(ParameterError, match="have no table 'follow'"):
        see.show_table(data, "follow")
    main = explore.prepare(data)
    with pytest.raises(ParameterError, match="from 1 to 9"):
        see.show_factor(main, pd.DataFrame(), 12)
    with pytest.raises(ParameterError, match="above 0"):
        see.show_history(main, 0.0, 0)


# -- the start page ----------------------------------------------------------------------------


def test_data_sets_are_found_from_below(tmp_path, monkeypatch) -> None:
    (tmp_path / "pyproject.toml").touch()
    for name in ("b", "a"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "follows.csv").write_text("follower_id,followee_id\n1,2\n")
    (tmp_path / "data" / "a" / "dataset.toml").write_text('title = "<b>A</b>"\n')
    (tmp_path / "data" / "b" / "dataset.toml").write_text("title = [broken")
    (tmp_path / "data" / "empty").mkdir()
    (tmp_path / "data" / "c.duckdb").touch()
    below = tmp_path / "notebooks" / "explore"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    found = explore.list_datasets()
    assert found["data"].tolist() == ["data/a", "data/b", "data/c.duckdb"]
    assert found["title"].iloc[0] == "<b>A</b>"
    assert found["title"].iloc[1:].isna().all()
    assert "<b>A" not in explore.show_datasets(found).html
    assert load_dataset(found["data"].iloc[0]).follows.shape == (1, 2)
    assert explore.list_datasets("nowhere").empty
    assert "No data set" in explore.show_datasets(explore.list_datasets("nowhere")).html


def test_links_lead_to_every_notebook(monkeypatch) -> None:
    monkeypatch.chdir(START.parent)
    found = explore.list_notebooks()
    links = BeautifulSoup(explore.show_notebooks(found).html, "html.parser").find_all("a")
    paths = [START.parent / link["href"] for link in links]
    assert set(paths) == set(START.parent.glob("*/*.ipynb"))
    assert {"One follow", "Who follows back?"} <= {link.get_text() for link in links}
    assert "No notebook" in explore.show_notebooks(explore.list_notebooks("nowhere")).html


def test_the_start_page_holds_no_absolute_path(places, quick_pictures) -> None:
    shown, _ = run_notebook("00_start_here", {})
    assert str(ROOT) not in shown
    assert "data/nostr" in shown
    assert "explore/one_factor.ipynb" in shown


def test_lab_opens_at_the_start_page(monkeypatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("followkit.cli.subprocess.call", lambda words: started.append(words) or 0)
    monkeypatch.chdir(START.parent)
    assert cli.main(["lab"]) == 0
    assert Path(started[0][-1]).resolve() == START
