"""Which reports a batch makes: a sweep file becomes a list of named runs."""

from __future__ import annotations

import itertools
import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from followkit.errors import InputError, ParameterError, suggest
from followkit.notebooks import Parameter, check_parameters, read_parameters
from followkit.pseudonyms import PRIVATE, mask_account, mask_parameter

KEYS = ("notebook", "out", "parameters", "grid", "each", "report")
EACH_KEYS = ("segment", "fewest")
LONGEST_NAME = 60
EXAMPLE = """\
notebook = "follow_back"
out = "reports/batch"

[parameters]            # of every report
horizon_days = 30

[grid]                  # every combination of these
data = ["data/town", "data/nostr"]
seed = [0, 1]

[each]                  # and a report for each segment that is large enough
segment = "decider.category"

[[report]]              # single reports besides
name = "a-week"
data = "data/town"
horizon_days = 7
"""

FindNotebook = Callable[[str], Path]
ListSegments = Callable[[Mapping[str, Any], str, int], Sequence[str]]
#: Returns parameters that name somebody as they may be shown, of all the parameters of a report.
NameValues = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def show_no_names(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return parameters that name somebody with their values withheld; categories stay."""
    shown = {name: mask_parameter(name, values[name]) for name in PRIVATE if name in values}
    if "segment" in values:
        shown["segment"] = mask_account(str(values["segment"]))
    return shown


@dataclass(frozen=True)
class Run:
    """One report of a batch.

    Attributes
    ----------
    name
        Of the report and its folder.
    notebook, parameters
        What is run.
    shown
        Those parameters that name somebody, as they may be shown.
    """

    name: str
    notebook: Path
    parameters: Mapping[str, Any]
    shown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sweep:
    """All reports of a batch, and the folder that they go to."""

    runs: tuple[Run, ...]
    out: Path


def read_sweep(
    path: str | Path,
    find_notebook: FindNotebook,
    list_segments: ListSegments,
    name_values: NameValues = show_no_names,
) -> Sweep:
    """Read a sweep file.

    Parameters
    ----------
    path
        A TOML file with `notebook`, `out` and the tables `parameters` (of every report), `grid`
        (lists: every combination), `each` (`segment`, a kind of segment as in
        `followkit.segments`, and `fewest` dyads it needs) and `report` (single reports; `name` and
        parameters).
    find_notebook
        Returns the file that a notebook's name stands for.
    list_segments
        Returns the segments of a kind in the data of these parameters.
    name_values
        Returns how parameters that name somebody are shown, in names of reports too.

    Raises
    ------
    InputError
        When there is no such file, or it is no TOML.
    ParameterError
        Unknown keys or parameters, values of a wrong type, two reports of one name, no report.
    """
    where = Path(path)
    try:
        content = tomllib.loads(where.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"There is no sweep file {path}.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{where.name} is not a TOML file: {error}.") from error
    return make_sweep(content, find_notebook, list_segments, where.name, name_values)


def make_sweep(
    content: Mapping[str, Any],
    find_notebook: FindNotebook,
    list_segments: ListSegments,
    where: str = "this sweep",
    name_values: NameValues = show_no_names,
) -> Sweep:
    """Return the runs of a sweep that has been read; see `read_sweep`.

    Examples
    --------
    >>> from followkit.cli import find_notebook
    >>> content = {"grid": {"data": ["data/town", "data/nostr"], "seed": [0, 1]}}
    >>> sweep = make_sweep(content, find_notebook, lambda *_: [])
    >>> [run.name for run in sweep.runs]
    ['town-seed-0', 'town-seed-1', 'nostr-seed-0', 'nostr-seed-1']
    """
    _check_keys(content, KEYS, where)
    notebook = find_notebook(_text(content, "notebook", "", where))
    schema = read_parameters(notebook)
    shared = _table(content, "parameters", where)
    grid = {name: _as_list(value) for name, value in _table(content, "grid", where).items()}
    each = _table(content, "each", where)
    _check_keys(each, EACH_KEYS, f"{where}, [each]")
    if each and not isinstance(each.get("segment"), str):
        raise ParameterError(f'{where}: [each] needs `segment`, such as "decider.category"')
    if type(each.get("fewest", 0)) is not int:
        raise ParameterError(f"{where}: [each] fewest must be a whole number of dyads")
    wanted: list[tuple[str, dict[str, Any]]] = []
    if grid or each or not content.get("report"):
        for values in itertools.product(*grid.values()):
            point = dict(zip(grid, values, strict=True))
            base = {**shared, **point}
            for segment in _list_each(each, base, list_segments):
                told = name_values({**base, **segment})
                known = {name: told.get(name, value) for name, value in point.items()}
                part = {name: str(told.get(name, value)) for name, value in segment.items()}
                wanted.append((_name(known, grid, part), {**base, **segment}))
    for number, single in enumerate(_list_reports(content, where), start=1):
        own = {name: value for name, value in single.items() if name != "name"}
        known = {**own, **{name: told for name, told in name_values({**shared, **own}).items()
                           if name in own}}  # fmt: skip
        name = str(single.get("name", "")) or _name(known, known, {}) or f"report-{number}"
        wanted.append((name, {**shared, **own}))
    runs = [_make_run(name, notebook, values, schema, name_values) for name, values in wanted]
    _check_names(runs, where)
    return Sweep(tuple(runs), Path(_text(content, "out", "reports/batch", where)))


def _list_each(
    each: Mapping[str, Any], values: Mapping[str, Any], list_segments: ListSegments
) -> list[dict[str, str]]:
    if not each:
        return [{}]
    found = list_segments(values, each["segment"], each.get("fewest", 0))
    return [{"segment": segment} for segment in found]


def _make_run(
    name: str,
    notebook: Path,
    values: Mapping[str, Any],
    schema: Mapping[str, Parameter],
    name_values: NameValues,
) -> Run:
    checked = check_parameters(values, schema, f"{notebook.name} (report {name})")
    shown = name_values(checked)
    if "title" in schema and "title" not in checked:
        checked["title"] = _title(schema["title"].default, {**checked, **shown})
    return Run(_slug(name), notebook, checked, shown)


def _title(usual: Any, values: Mapping[str, Any]) -> str:
    """Return a heading that tells reports of one batch apart."""
    parts = [Path(str(values["data"])).name] if values.get("data") else []
    parts += [str(values["segment"])] if values.get("segment") else []
    return f"{usual} ({', '.join(parts)})" if parts else str(usual)


def _name(point: Mapping[str, Any], grid: Mapping[str, Any], extra: Mapping[str, str]) -> str:
    """Name a point by what sets it apart: data by their folder, other parameters by name."""
    parts = []
    for name, value in point.items():
        text = Path(str(value)).stem if name == "data" else f"{name}-{value}"
        if name == "data" or len(_as_list(grid[name])) > 1 or grid is point:
            parts.append(text)
    return "-".join([*parts, *(value.replace("=", "-") for value in extra.values())])


def _slug(name: str) -> str:
    """Return a folder's name: small letters, digits and hyphens; long ones end in a hash."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(slug) <= LONGEST_NAME and slug == re.sub(r"[ ._]+", "-", name.lower()).strip("-"):
        return slug or "report"
    # Names that differ only in what was cut away stay apart.
    ending = blake2b(name.encode(), digest_size=3).hexdigest()
    return f"{slug[: LONGEST_NAME - 7].strip('-') or 'report'}-{ending}"


def _check_names(runs: Sequence[Run], where: str) -> None:
    if not runs:
        raise ParameterError(f"{where}: no report is asked for; see followkit batch --help")
    names = [run.name for run in runs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParameterError(
            f"{where}: {len(twice)} names of reports come twice, such as {twice[0]}; give each "
            "[[report]] a name of its own"
        )


def _check_keys(table: Mapping[str, Any], valid: Sequence[str], where: str) -> None:
    unknown = [name for name in table if name not in valid]
    if unknown:
        raise ParameterError(f"{where}: {unknown[0]!r} is unknown; {suggest(unknown[0], valid)}")


def _table(content: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    value = content.get(name, {})
    if not isinstance(value, Mapping):
        raise ParameterError(f"{where}: {name} must be a table, [{name}]; got {value!r}")
    return dict(value)


def _text(content: Mapping[str, Any], name: str, usual: str, where: str) -> str:
    value = content.get(name, usual)
    if not isinstance(value, str) or "\0" in value:
        raise ParameterError(f"{where}: {name} must be text; got {value!r}")
    return value


def _list_reports(content: Mapping[str, Any], where: str) -> list[Mapping[str, Any]]:
    reports = content.get("report", [])
    if not isinstance(reports, list) or not all(isinstance(one, Mapping) for one in reports):
        raise ParameterError(f"{where}: report must be tables, [[report]]; got {reports!r}")
    return reports


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
