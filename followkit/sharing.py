"""What stands around a report's results, made fit to pass on: parameters, code, paths, causes.

The results themselves name nobody (`followkit.pseudonyms`). Here it is the values that somebody
typed: an account's id, the folder that data lie in; they stand in the summary, in the command that
repeats a report and in the cell that sets the parameters.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from followkit.notebooks import Parameter
from followkit.pseudonyms import mask_parameter
from followkit.record import clean

#: Parts of a path outside the project that are shown.
PARTS_SHOWN = 2
#: What stands for a folder of this computer.
HIDDEN = "…"
#: Typed values that are found in a sentence without quotes around them.
SHORTEST_TOLD = 4
#: Whether names are shown is itself a parameter.
SHOW_NAMES = "show_names"


# ------------------------------------------------------------------------------------- parameters


def show_parameters(
    values: Mapping[str, Any],
    schema: Mapping[str, Parameter],
    said: Mapping[str, Any],
    root: Path,
) -> dict[str, Any]:
    """Return every parameter of a notebook as a report may show it.

    Parameters
    ----------
    values, schema
        What was given, and what the notebook declares.
    said
        How the notebook itself names accounts (`Record.show_as`). What it does not say of a
        parameter that may name somebody is withheld, unless names are shown.
    root
        The project: paths in it stay, of others the last two parts are shown.
    """
    raw = {name: values.get(name, parameter.default) for name, parameter in schema.items()}
    names_are_shown = raw.get(SHOW_NAMES) is True
    shown = {}
    for name, value in raw.items():
        if name in said and value:
            shown[name] = said[name]
        else:
            shown[name] = value if names_are_shown else mask_parameter(name, value)
        if name != "title":
            shown[name] = shorten_paths(shown[name], root)
    if isinstance(shown.get("title"), str):
        shown["title"] = _hide_in_title(shown["title"], raw, shown)
    return shown


def _hide_in_title(title: str, raw: Mapping[str, Any], shown: Mapping[str, Any]) -> str:
    """Return a title without a segment that names somebody: batches put it there."""
    segment = str(raw.get("segment") or "")
    return title.replace(segment, str(shown["segment"])) if segment else title


def shorten_paths(value: Any, root: Path) -> Any:
    """Return a path (or several, with ; between) as it may be shown; anything else as it is.

    Examples
    --------
    >>> root = Path("/folder/ann/project")
    >>> shorten_paths("/folder/ann/project/data/town", root), shorten_paths("data/town", root)
    ('data/town', 'data/town')
    >>> shorten_paths("/folder/ann/mine/export; ../mine/export", root)
    '…/mine/export; …/mine/export'
    """
    if isinstance(value, list):
        return [shorten_paths(inner, root) for inner in value]
    if not isinstance(value, str):
        return value
    parts = value.split(";")
    shortened = [_shorten(part.strip(), root) for part in parts]
    same = [part.strip() for part in parts] == shortened
    return value if same else "; ".join(shortened)


def _shorten(text: str, root: Path) -> str:
    is_windows = bool(PureWindowsPath(text).drive) and len(PureWindowsPath(text).drive) == 2
    path = PureWindowsPath(text) if is_windows else PurePosixPath(text)
    if not (path.is_absolute() or is_windows or path.parts[:1] in (("..",), ("~",))):
        return text
    with suppress(ValueError):
        return path.relative_to(root.as_posix()).as_posix() or "."
    kept = [part for part in path.parts if part not in ("..", "~", path.anchor)]
    return "/".join([HIDDEN, *kept[-PARTS_SHOWN:]])


# ---------------------------------------------------------------------------------------- the code


def hide_in_code(
    book: Any,
    values: Mapping[str, Any],
    schema: Mapping[str, Parameter],
    shown: Mapping[str, Any],
    root: Path,
) -> None:
    """Put shown values for typed ones into the cells of a notebook that set its parameters."""
    defaults = {name: shorten_paths(mask_parameter(name, parameter.default), root)
                for name, parameter in schema.items()}  # fmt: skip
    for name in set(schema) - set(values):
        defaults[name] = shown[name]
    for cell in book.cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            # In the notebook's order, however they were typed.
            lines = [f"{name} = {shown[name]!r}" for name in schema if name in values]
            cell.source = "\n".join(["# Parameters", *lines])
        elif "parameters" in tags:
            cell.source = _replace_values(cell.source, defaults)


def _replace_values(source: str, values: Mapping[str, Any]) -> str:
    """Return the text of a parameters cell with other values, where they differ."""
    lines = source.splitlines()
    # From the last to the first, so that the places of the others stay true.
    for statement in reversed(ast.parse(source).body):
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if isinstance(statement, ast.AnnAssign):
            target = statement.target
        value = getattr(statement, "value", None)
        if not isinstance(target, ast.Name) or value is None or target.id not in values:
            continue
        if ast.literal_eval(value) == values[target.id]:
            continue
        first, last = value.lineno - 1, (value.end_lineno or value.lineno) - 1
        start = lines[first].encode()[: value.col_offset].decode()
        end = lines[last].encode()[value.end_col_offset or 0 :].decode()
        lines[first : last + 1] = [f"{start}{values[target.id]!r}{end}"]
    return "\n".join(lines)


def make_command(notebook: str, values: Mapping[str, Any], out: str = "") -> str:
    """Return what to type to make a report again.

    Examples
    --------
    >>> make_command("latency", {"data": "data/town"}, "reports/latency")
    'followkit report latency -p data data/town --out reports/latency'
    """
    words = ["followkit", "report", *([notebook] if notebook else [])]
    for name, value in values.items():
        words += ["-p", name, str(value)]
    words += ["--out", out] if out else []
    return " ".join(shlex.quote(clean(word)) for word in words)


def hide_in_command(command: str, values: Mapping[str, Any], shown: Mapping[str, Any]) -> str:
    """Return a command with its parameters as they may be shown.

    Examples
    --------
    >>> hide_in_command("followkit report -p initiator 7 -p seed 7", {"initiator": "7", "seed": 7},
    ...                 {"initiator": "user-k7m2qx", "seed": 7})
    'followkit report -p initiator user-k7m2qx -p seed 7'
    """
    for name, value in values.items():
        typed, told = (shlex.quote(clean(str(one))) for one in (value, shown[name]))
        command = command.replace(f"-p {name} {typed}", f"-p {name} {told}")
    return command


# --------------------------------------------------------------------------------- text and paths


def list_folders(root: Path) -> list[str]:
    """Return the folders of this computer that no report may name, the longest first."""
    temporary = tempfile.gettempdir()
    found = {str(root), str(root.resolve()), temporary, os.path.realpath(temporary), sys.prefix,
             sys.base_prefix, str(Path(__file__).resolve().parents[1])}  # fmt: skip
    with suppress(RuntimeError):
        found.add(str(Path.home()))
    return sorted({folder for folder in found if len(Path(folder).parts) > 1},
                  key=lambda folder: (-len(folder), folder))  # fmt: skip


def hide_folders(value: Any, folders: Sequence[str]) -> Any:
    """Return text, or whatever holds text, without the names of folders of this computer.

    Examples
    --------
    >>> hide_folders({"note": "read /folder/ann/x.csv"}, ["/folder/ann"])
    {'note': 'read …/x.csv'}
    >>> hide_folders("/folder/anna and a/folder/ann", ["/folder/ann"])
    '/folder/anna and a/folder/ann'
    """
    if isinstance(value, str):
        for folder in folders:
            if folder in value:
                value = re.sub(rf"(?<![\w+/.-]){re.escape(folder)}(?![\w.-])", HIDDEN, value)
        return value
    if isinstance(value, Mapping):
        return {key: hide_folders(inner, folders) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [hide_folders(inner, folders) for inner in value]
    return value


def hide_in_outputs(book: Any, folders: Sequence[str]) -> None:
    """Take the names of folders out of everything that a notebook's cells put out."""
    for cell in book.cells:
        for output in cell.get("outputs", []):
            for part in ("text", "data"):
                if part in output:
                    output[part] = hide_folders(output[part], folders)


def hide_in_cause(cause: str, raw: Mapping[str, Any], shown: Mapping[str, Any], root: Path) -> str:
    """Return why a report failed without typed values that may not be shown, row keys and folders.

    Examples
    --------
    >>> cause = "follows: ids must differ in 2 rows, first: row 1 zoe; row 2 ann. Remove one."
    >>> hide_in_cause(cause, {}, {}, Path("/nowhere"))
    'follows: ids must differ in 2 rows. Remove one.'
    >>> hide_in_cause("account 'zoe' is not here", {"initiator": "zoe"},
    ...               {"initiator": "user-k7m2qx"}, Path("/nowhere"))
    "account 'user-k7m2qx' is not here"
    """
    cause = re.sub(r", first: row \d+.*?(?=\. [A-Z]|$)", "", cause, flags=re.MULTILINE)
    for name, value in raw.items():
        if isinstance(value, str) and value and shown.get(name, value) != value:
            told = str(shown[name])
            cause = cause.replace(repr(value), repr(told))
            # A short number may be anything: it is told from a count by its quotes alone.
            if len(value) >= SHORTEST_TOLD:
                cause = cause.replace(value, told)
    return str(hide_folders(cause, list_folders(root)))
