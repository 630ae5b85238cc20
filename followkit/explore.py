"""Exploring in JupyterLab: what there is to look at, a question made ready, controls for views.

A view is a plain function that returns what it shows. `choose` puts controls above it where
ipywidgets is installed; without it, and on a rendered page, the same view stands there with a
sentence that says what to call for another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from followkit.analysis import Analysis, analyse, choose_question
from followkit.errors import FollowkitError, InputError, ParameterError, suggest
from followkit.factors import list_claim_features
from followkit.html import Shown, callout, details, esc, name_html, show, table
from followkit.notebooks import cell_source, read_cells
from followkit.record import TABLES_MIME
from followkit.schema import SCHEMAS
from followkit.sources import find_data
from followkit.sources.mapping import read_toml
from followkit.tables import Dataset

#: More options than that are typed, not scrolled through.
MOST_IN_DROPDOWN = 60
#: Options that are listed where there are no controls.
MOST_LISTED = 150
DATABASES = (".duckdb", ".db")

View = Callable[..., Shown]


def prepare(
    dataset: Dataset,
    question: str = "auto",
    *,
    horizon_days: float = 30.0,
    seed: int = 0,
    confidence: float = 0.95,
    with_claims: bool = False,
) -> Analysis:
    """Make one question ready to be looked at: dyads, features, model; no ladder.

    As `followkit.analysis.analyse`, but nothing is scored, which is what takes longest there.

    Parameters
    ----------
    dataset, question, horizon_days, seed, confidence
        As in `analyse`; "auto" takes the most telling question that the data can answer.
    with_claims
        Also compute what verdicts on claims need.

    Raises
    ------
    ParameterError, InputError
        If there is no such question, or the data cannot answer it.
    """
    return analyse(
        dataset, choose_question(dataset, question), horizon_days=horizon_days, seed=seed,
        confidence=confidence, also=list_claim_features() if with_claims else (),
        with_ladder=False,
    )  # fmt: skip


# -- controls ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pick:
    """What one argument of a view may be: words and value of each option, and the first choice."""

    options: tuple[tuple[str, Any], ...]
    start: Any


def pick(options: Iterable[Any], start: Any = None) -> Pick:
    """Return the options of one control.

    Parameters
    ----------
    options
        Values, or `(words, value)` pairs.
    start
        The value to begin with; the first without it. It may be one that is not listed.

    Raises
    ------
    InputError
        If there is nothing to choose from.

    Examples
    --------
    >>> pick(["a", "b"], "b")
    Pick(options=(('a', 'a'), ('b', 'b')), start='b')
    """
    pairs = tuple(one if isinstance(one, tuple) else (str(one), one) for one in options)
    if not pairs:
        raise InputError("options: there is nothing to choose from; give at least one")
    begin = pairs[0][1] if start is None else start
    if begin not in [value for _, value in pairs]:
        pairs = ((str(begin), begin), *pairs)
    return Pick(_tell_apart(pairs), begin)


def _tell_apart(pairs: Sequence[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    """Return the options with words that differ: a control finds a value by its words."""
    seen: dict[str, int] = {}
    told = []
    for text, value in pairs:
        seen[text] = seen.get(text, 0) + 1
        told.append((text if seen[text] == 1 else f"{text} ({seen[text]})", value))
    return tuple(told)


class Choice:
    """A view with a control for each argument that may be chosen.

    Shows itself with controls in JupyterLab where ipywidgets is installed, and everywhere else as
    the view of the first choice with a sentence on how to get another.
    """

    def __init__(self, view: View, fixed: tuple[Any, ...], picks: Mapping[str, Pick]) -> None:
        self.view, self.fixed, self.picks = view, fixed, dict(picks)
        self.values = {name: one.start for name, one in self.picks.items()}
        # Made at once: a wrong first choice should stop the cell with its sentence.
        self.shown = view(*fixed, **self.values)

    def select(self, **values: Any) -> Shown:
        """Return the view with some arguments chosen anew, and keep it.

        Raises
        ------
        ParameterError
            If there is no such argument to choose.
        """
        unknown = [name for name in values if name not in self.picks]
        if unknown:
            hint = suggest(unknown[0], list(self.picks))
            raise ParameterError(f"{unknown[0]}: there is nothing of that name to choose; {hint}")
        wanted = {**self.values, **values}
        self.shown = self.view(*self.fixed, **wanted)
        self.values = wanted
        return self.shown

    def make_widget(self) -> Any:
        """Return the controls above the view, as an ipywidgets box; None without ipywidgets."""
        try:
            ipywidgets = import_module("ipywidgets")
        except ImportError:
            return None
        place = ipywidgets.HTML(value=self.shown.html)
        # JupyterLab's own look for tables and pictures in outputs.
        place.add_class("jp-RenderedHTMLCommon")
        controls = [_make_control(ipywidgets, name, one) for name, one in self.picks.items()]
        for name, control in zip(self.picks, controls, strict=True):
            control.observe(self._follow(name, place), names="value")
        return ipywidgets.VBox([*controls, place])

    def _follow(self, name: str, place: Any) -> Callable[[Mapping[str, Any]], None]:
        """Return what a control calls when its value changes."""
        by_words = dict(self.picks[name].options)

        def change(event: Mapping[str, Any]) -> None:
            if event["new"] not in by_words:
                return  # Still being typed.
            try:
                place.value = self.select(**{name: by_words[event["new"]]}).html
            except FollowkitError as error:
                place.value = callout(str(error), "stop").html

        return change

    def _tell_how(self) -> Shown:
        names = ", ".join(self.picks)
        call = ", ".join([*["…"] * len(self.fixed), *(f"{name}=…" for name in self.picks)])
        how = (
            f"To look at another one, change {names} in the parameters and run again, or call "
            f"{self.view.__name__}({call})."
        )
        lists = [_list_options(name, one) for name, one in self.picks.items()]
        return details("Look at another one", how, *lists)

    def _repr_html_(self) -> str:
        return show(self.shown, self._tell_how()).html

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/html": self._repr_html_(), "text/plain": repr(self)}
        if self.shown.tables:
            bundle[TABLES_MIME] = dict(self.shown.tables)
        box = self.make_widget()
        if box is None:
            return bundle
        live: Mapping[str, Any] = box._repr_mimebundle_()
        return {**{kind: data for kind, data in live.items() if kind not in bundle}, **bundle}

    def __repr__(self) -> str:
        """Return what is chosen."""
        chosen = ", ".join(f"{name}={value!r}" for name, value in self.values.items())
        return f"<followkit view {self.view.__name__}: {chosen}>"


def choose(view: View, /, *fixed: Any, **picks: Pick) -> Choice:
    """Put controls above a view, one for each argument that may be chosen.

    Parameters
    ----------
    view
        A function that returns what it shows.
    *fixed
        Its first arguments, which stay.
    **picks
        Argument → `pick(options, start)`.

    Raises
    ------
    ParameterError
        If nothing may be chosen.

    Examples
    --------
    >>> choice = choose(lambda word: show(word), word=pick(["a", "b"]))
    >>> choice.shown.html, choice.select(word="b").html
    ('<p>a</p>', '<p>b</p>')
    """
    if not picks:
        raise ParameterError("choose: give at least one argument to choose, name=pick(options)")
    return Choice(view, fixed, picks)


def _make_control(widgets: Any, name: str, one: Pick) -> Any:
    """Return a control whose values are the words of the options."""
    told = [text for text, _ in one.options]
    first = next(text for text, value in one.options if value == one.start)
    look = {
        "options": told,
        "value": first,
        "description": name.replace("_", " "),
        "style": {"description_width": "initial"},
        "layout": {"width": "min(46rem, 98%)"},
    }
    if len(told) <= MOST_IN_DROPDOWN:
        return widgets.Dropdown(**look)
    return widgets.Combobox(**look, ensure_option=True, continuous_update=False,
                            placeholder="type to find")  # fmt: skip


def _list_options(name: str, one: Pick) -> Shown:
    rows = [(text, repr(value)) for text, value in one.options[:MOST_LISTED]]
    more = len(one.options) - MOST_LISTED
    notes = [f"{more:,} more are not listed."] if more > 0 else []
    frame = pd.DataFrame(rows, columns=["what", name])
    return table(frame, f"What {name} may be", notes=notes, names=["what", name])


# -- the start page ----------------------------------------------------------------------------


def list_datasets(folder: str = "data") -> pd.DataFrame:
    """Return the data sets in a folder, which is looked for in the working folder and upwards.

    Returns
    -------
    pandas.DataFrame
        data (what to write for the parameter `data`), title (from dataset.toml), tables (names).
        In the order of names; empty where the folder is not there.
    """
    try:
        place = find_data(folder)
    except InputError:
        return pd.DataFrame(columns=["data", "title", "tables"])
    rows = [
        (f"{folder.rstrip('/')}/{item.name}", _read_title(item), ", ".join(tables))
        for item in sorted(place.iterdir())
        if (tables := _find_tables(item))
    ]
    return pd.DataFrame(rows, columns=["data", "title", "tables"])


def _find_tables(item: Path) -> list[str]:
    """Return the canonical tables of a data set; empty for what is none."""
    if item.is_file():
        return ["one database"] if item.suffix.lower() in DATABASES else []
    if not item.is_dir():
        return []
    names = {file.name.split(".")[0] for file in item.iterdir() if file.is_file()}
    if (item / "followkit.toml").is_file():
        return ["as its followkit.toml says"]
    return [name for name in SCHEMAS if name in names] if "follows" in names else []


def _read_title(item: Path) -> str | None:
    try:
        return str(read_toml(item / "dataset.toml").get("title") or "") or None
    except (InputError, OSError):
        return None


def list_notebooks(folder: str = "notebooks") -> pd.DataFrame:
    """Return the notebooks in a folder, which is looked for in the working folder and upwards.

    Returns
    -------
    pandas.DataFrame
        part (report, explore, learn, …), title (its first heading), path (from the folder). What
        is no notebook is left out, and so are those directly in the folder; empty where it is not
        there.
    """
    columns = ["part", "title", "path"]
    try:
        place = find_data(folder)
    except InputError:
        return pd.DataFrame(columns=columns)
    rows = []
    for path in sorted(place.glob("*/*.ipynb")):
        title = _find_heading(path)
        if title and not path.parent.name.startswith("."):
            rows.append((path.parent.name, title, path.relative_to(place).as_posix()))
    return pd.DataFrame(rows, columns=columns)


def _find_heading(path: Path) -> str:
    try:
        cells = read_cells(path)
    except InputError:
        return ""
    texts = [cell_source(cell) for cell in cells if cell.get("cell_type") == "markdown"]
    lines = (line for text in texts for line in text.splitlines())
    return next((line[2:].strip() for line in lines if line.startswith("# ")), path.stem)


def show_datasets(found: pd.DataFrame) -> Shown:
    """Show the data sets that were found."""
    if found.empty:
        return show("No data set was found. Put a folder with follows.csv into data/.")
    return table(found, "Data sets", labels={"data": "write as data"}, names=["data", "title"])


def show_notebooks(found: pd.DataFrame) -> Shown:
    """Show links to the notebooks that were found, part by part, as seen from their folder."""
    if found.empty:
        return show("No notebook was found.")
    parts = []
    for part, rows in found.groupby("part", sort=False):
        links = "".join(
            f'<li><a href="{esc(quote(row.path))}">{name_html(row.title)}</a>, {esc(row.path)}</li>'
            for row in rows.itertuples(name="Row")
        )
        parts.append(f"<p>{esc(part)}</p><ul>{links}</ul>")
    return Shown("".join(parts))
