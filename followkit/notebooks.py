"""Notebooks as files: their parameters, and their agreement with their text twins.

`python -m followkit.notebooks sync` writes every `.ipynb` anew from the `.py` beside it;
`… check` says which ones disagree, and fails when any does.
"""

from __future__ import annotations

import ast
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from followkit.errors import InputError, ParameterError, suggest
from followkit.record import SURROGATES

#: The notebook that `followkit report` runs when none is named.
STANDARD = "follow_back"

_WORDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook, as its `parameters` cell declares it.

    Attributes
    ----------
    name
        A Python name.
    kinds
        The types it takes: "str", "int", "float", "bool", "none", "list".
    choices
        The values it may take; empty where any value will do.
    default
        The value in the notebook.
    help
        The comment behind it.
    """

    name: str
    kinds: tuple[str, ...]
    choices: tuple[Any, ...]
    default: Any
    help: str

    @property
    def kind_text(self) -> str:
        """What it takes, in words."""
        if self.choices:
            return " or ".join(str(choice) for choice in self.choices)
        return " or ".join(_WORDS.get(kind, kind) for kind in self.kinds)


def read_parameters(path: str | Path) -> dict[str, Parameter]:
    """Read the parameters of a notebook from its cell tagged `parameters`.

    Nothing is run: names, types and defaults are read from the syntax tree, so that `str | None`
    and `Literal[…]` are understood.

    Parameters
    ----------
    path
        The `.ipynb` file.

    Raises
    ------
    InputError
        For a file that is missing or no notebook, or without exactly one such cell, or with a
        statement in it that does not give a name a plain value.
    """
    where = Path(path)
    tagged = [cell for cell in read_cells(where) if "parameters" in cell_tags(cell)]
    if len(tagged) != 1:
        raise InputError(
            f"{where.name}: a report notebook needs exactly one cell tagged 'parameters'; "
            f"found {len(tagged)}."
        )
    return parse_parameters(cell_source(tagged[0]), where.name)


def parse_parameters(source: str, where: str = "parameters cell") -> dict[str, Parameter]:
    r"""Read parameters from the text of a cell.

    Examples
    --------
    >>> cell = "seed: int = 0  # of the folds\nquestion: Literal['a', 'b'] = 'a'"
    >>> found = parse_parameters(cell)
    >>> found["seed"].default, found["seed"].help, found["question"].choices
    (0, 'of the folds', ('a', 'b'))
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise InputError(f"{where}: the parameters cell is not Python: {error.msg}.") from error
    lines = source.splitlines()
    found = {}
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom | ast.Expr):
            continue
        parameter = _parameter(statement, lines, where)
        found[parameter.name] = parameter
    return found


def _parameter(statement: ast.stmt, lines: Sequence[str], where: str) -> Parameter:
    target: ast.expr | None = None
    value: ast.expr | None = None
    annotation: ast.expr | None = None
    if isinstance(statement, ast.AnnAssign):
        target, value, annotation = statement.target, statement.value, statement.annotation
    elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    try:
        default = ast.literal_eval(value) if value is not None else None
    except ValueError:
        value = None
    if not isinstance(target, ast.Name) or value is None:
        raise InputError(
            f"{where}: line {statement.lineno} of the parameters cell must be "
            f"`name: type = value` with a plain value."
        )
    kinds, choices = _kinds(annotation) if annotation is not None else ((_kind(default),), ())
    last = lines[(statement.end_lineno or statement.lineno) - 1]
    _, _, comment = last[statement.end_col_offset or 0 :].partition("#")
    return Parameter(target.id, kinds, choices, default, comment.strip())


def _kinds(annotation: ast.expr) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    if isinstance(annotation, ast.BinOp):
        left, right = _kinds(annotation.left), _kinds(annotation.right)
        return left[0] + right[0], left[1] + right[1]
    if isinstance(annotation, ast.Constant) and annotation.value is None:
        return ("none",), ()
    if isinstance(annotation, ast.Name):
        return (annotation.id,), ()
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name):
        inside = annotation.slice
        if annotation.value.id == "Literal":
            choices = ast.literal_eval(inside)
            choices = choices if isinstance(choices, tuple) else (choices,)
            return tuple(dict.fromkeys(_kind(choice) for choice in choices)), choices
        if annotation.value.id == "Optional":
            kinds, choices = _kinds(inside)
            return (*kinds, "none"), choices
        return (annotation.value.id,), ()
    return ("str",), ()


def _kind(value: Any) -> str:
    return "none" if value is None else type(value).__name__


# ------------------------------------------------------------------------------ checking of values


def check_parameters(
    given: Mapping[str, Any], schema: Mapping[str, Parameter], where: str = "this notebook"
) -> dict[str, Any]:
    """Return the given values as plain JSON types, or say everything that is wrong with them.

    Paths become text, tuples and sets become lists (sets sorted), NumPy scalars become Python's.
    Names come from the schema only, so nothing but a value can reach the notebook.

    Parameters
    ----------
    given
        Name → value.
    schema
        From `read_parameters`.
    where
        What to call the notebook in a message.

    Raises
    ------
    ParameterError
        Unknown names (with a suggestion), wrong types, values outside the choices, text that no
        file can hold.

    Examples
    --------
    >>> schema = parse_parameters("seed: int = 0")
    >>> check_parameters({"sead": 1}, schema)
    Traceback (most recent call last):
    ...
    followkit.errors.ParameterError: this notebook has no parameter 'sead': did you mean seed? ...
    """
    faults, values = [], {}
    for name, value in given.items():
        if name not in schema:
            shown = repr(name) if len(repr(name)) < 60 else repr(name)[:57] + "…'"
            known = suggest(str(name), list(schema))
            faults.append(f"{where} has no parameter {shown}: {known}")
            continue
        try:
            values[name] = _fit(_plain(value), schema[name])
        except ValueError as error:
            faults.append(f"{where}: {name} must be {schema[name].kind_text}; {error}")
    if faults:
        raise ParameterError("\n".join(faults))
    return values


def parse_value(text: str, parameter: Parameter) -> Any:
    r"""Read a value typed at the command line as its parameter wants it: text stays text.

    Examples
    --------
    >>> schema = parse_parameters("user: str = ''\nseed: int = 0")
    >>> parse_value("007", schema["user"]), parse_value("7", schema["seed"])
    ('007', 7)
    """
    if "str" in parameter.kinds:
        return None if "none" in parameter.kinds and text.lower() == "none" else text
    for kind in parameter.kinds:
        try:
            return _READERS[kind](text)
        except (KeyError, ValueError):
            continue
    raise ParameterError(f"{parameter.name} must be {parameter.kind_text}; got {text!r}.")


def _read_flag(text: str) -> bool:
    word = text.lower()
    if word not in ("true", "false", "yes", "no"):
        raise ValueError(text)
    return word in ("true", "yes")


def _read_none(text: str) -> None:
    if text.lower() != "none":
        raise ValueError(text)


def _read_list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


_READERS: dict[str, Callable[[str], Any]] = {
    "bool": _read_flag, "int": int, "float": float, "none": _read_none, "list": _read_list,
}  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if hasattr(value, "item") and hasattr(value, "dtype"):
        value = value.item() if getattr(value, "ndim", 0) == 0 else value.tolist()
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, str) and (SURROGATES.search(value) or "\0" in value):
        raise ValueError("got text that no file can hold.")
    # Subclasses could write themselves into the notebook in their own way; only the plain types go.
    if value is None or type(value) in (bool, int, float, str):
        return value
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    raise ValueError(f"got a {type(value).__name__}.")


def _fit(value: Any, parameter: Parameter) -> Any:
    kind = _kind(value)
    if kind == "int" and "int" not in parameter.kinds and "float" in parameter.kinds:
        value, kind = float(value), "float"
    if kind not in parameter.kinds:
        raise ValueError(f"got {value!r}.")
    if kind == "float" and not math.isfinite(value):
        raise ValueError(f"got {value!r}.")
    if parameter.choices and value not in parameter.choices:
        raise ValueError(f"got {value!r}.")
    return value


# ---------------------------------------------------------------------------------- reading cells


def read_cells(path: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook file.

    Raises
    ------
    InputError
        When the file is missing or is no notebook.
    """
    if not path.is_file():
        raise InputError(f"There is no notebook {path}.")
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path.name} is not a Jupyter notebook (format 4).") from error
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise InputError(f"{path.name} is not a Jupyter notebook (format 4).")
    return cells


def cell_source(cell: Mapping[str, Any]) -> str:
    """Return the text of a cell."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def cell_tags(cell: Mapping[str, Any]) -> list[str]:
    """Return the tags of a cell."""
    return list(cell.get("metadata", {}).get("tags", []))


# --------------------------------------------------------------------------------------- the twins


def make_notebook(text_path: Path) -> str:
    """Return the `.ipynb` text of a text twin: cell ids c0, c1, …, no outputs, same bytes always.

    Parameters
    ----------
    text_path
        A `.py` file in the percent format.

    Raises
    ------
    InputError
        When jupytext is not installed.
    """
    try:
        import jupytext
    except ImportError as error:
        raise InputError("Text twins need jupytext: pip install jupytext.") from error
    book = jupytext.reads(text_path.read_text(encoding="utf-8"), fmt="py:percent")
    cells = []
    for number, cell in enumerate(book.cells):
        tags = cell_tags(cell)
        made: dict[str, Any] = {"cell_type": cell.cell_type, "id": f"c{number}"}
        made["metadata"] = {"tags": tags} if tags else {}
        made["source"] = cell.source.splitlines(keepends=True)
        if cell.cell_type == "code":
            made |= {"execution_count": None, "outputs": []}
        cells.append(dict(sorted(made.items())))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    whole = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def find_twins(folder: Path) -> Iterator[Path]:
    """Yield every text twin below a folder: `.py` files in the percent format."""
    for path in sorted(folder.rglob("*.py")):
        if ".ipynb_checkpoints" not in path.parts and "\n# %%" in "\n" + path.read_text("utf-8"):
            yield path


def sync_notebooks(folder: Path) -> list[Path]:
    """Write the notebook of every text twin that has changed; return those written."""
    written = []
    for twin in find_twins(folder):
        target, text = twin.with_suffix(".ipynb"), make_notebook(twin)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8", newline="\n")
            written.append(target)
    return written


def check_notebooks(folder: Path) -> list[str]:
    """Return a sentence for every notebook that disagrees with its text twin or keeps outputs."""
    faults = []
    for twin in find_twins(folder):
        target = twin.with_suffix(".ipynb")
        if not target.exists():
            faults.append(f"{target}: missing; run `make notebooks`.")
            continue
        made = [_essence(cell) for cell in json.loads(make_notebook(twin))["cells"]]
        if made != [_essence(cell) for cell in read_cells(target)]:
            faults.append(f"{target}: differs from {twin.name}; run `make notebooks`.")
    for path in sorted(folder.rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        if not path.with_suffix(".py").exists():
            faults.append(f"{path}: has no text twin {path.stem}.py.")
        elif any(cell.get("outputs") for cell in read_cells(path)):
            faults.append(f"{path}: keeps outputs; run `make notebooks`.")
        elif _keeps_a_run(path):
            faults.append(f"{path}: keeps what a run left in it; run `make notebooks`.")
    return faults


def _keeps_a_run(path: Path) -> bool:
    """Say whether parameters, folders or times of a run stand in the metadata."""
    book = json.loads(path.read_text(encoding="utf-8"))
    parts = [book.get("metadata", {}), *(cell.get("metadata", {}) for cell in book["cells"])]
    return any({"papermill", "execution"} & set(part) for part in parts)


def _essence(cell: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    return str(cell.get("cell_type")), cell_source(cell), tuple(cell_tags(cell))


def main(arguments: Sequence[str]) -> int:
    """Run `sync` or `check` on the folders given, or on `notebooks/`; return the exit code."""
    action, *folders = arguments or [""]
    if action not in ("sync", "check"):
        print("usage: python -m followkit.notebooks sync|check [FOLDER …]", file=sys.stderr)
        return 2
    paths = [Path(folder) for folder in folders] or [Path("notebooks")]
    if action == "sync":
        for path in paths:
            for written in sync_notebooks(path):
                print(f"wrote {written}")
        return 0
    faults = [fault for path in paths for fault in check_notebooks(path)]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
