"""Notebooks run in the process of the tests: what cells show, and what they must look like."""

from __future__ import annotations

import ast
import hashlib
import json
from html import unescape
from pathlib import Path
from typing import Any

from followkit.notebooks import cell_source, cell_tags, read_cells
from followkit.record import Record


def run_cells(notebook: Path, parameters: dict[str, Any]) -> list[Any]:
    """Run the code cells and return the values that they end in."""
    scope: dict[str, Any] = {}
    values = []
    for cell in read_cells(notebook):
        if cell["cell_type"] == "code":
            values.append(run_cell(cell_source(cell), scope))
            if "parameters" in cell_tags(cell):
                scope.update(parameters)
    return values


def run_cell(source: str, scope: dict[str, Any]) -> Any:
    """Run a cell and return the value of its last line, if that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), scope)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), scope) if last else None


def read_page(values: list[Any]) -> str:
    """Return what values show, entities and hard blanks as plain text."""
    shown = "".join(value._repr_html_() for value in values if hasattr(value, "_repr_html_"))
    return unescape(shown).replace("\u00a0", " ")


def run_notebook(notebook: Path, parameters: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return what a report notebook shows, and the numbers that it records."""
    values = run_cells(notebook, parameters)
    record = next((value for value in values if isinstance(value, Record)), None)
    numbers = json.loads(json.dumps(record.values)) if record is not None else {}
    return read_page([value for value in values if value is not record]), numbers


def check_cells(notebook: Path) -> None:
    """Assert that cells are short and define nothing, and that the first holds the parameters."""
    cells = [cell for cell in read_cells(notebook) if cell["cell_type"] == "code"]
    tagged = ["parameters" in cell_tags(cell) for cell in cells]
    assert tagged == [True] + [False] * (len(cells) - 1)
    sources = [cell_source(cell) for cell in cells]
    # Parameters are a list of names, one a line.
    assert all(len(source.splitlines()) <= 10 for source in sources[1:])
    assert not any("def " in source or "lambda" in source for source in sources)


def digest_picture(plot: Any, *args: Any, **options: Any) -> str:
    """Return a digest of what would be drawn; drawing takes most of a notebook's run."""
    content = repr([getattr(plot, "__qualname__", ""), sorted(options), *map(_as_text, args)])
    return f"data:image/png;base64,{hashlib.sha256(content.encode()).hexdigest()}"


def _as_text(value: Any) -> str:
    return str(value.to_csv()) if hasattr(value, "to_csv") else repr(value)


def write_mapping(folder: Path) -> str:
    """Write a mapping file for a town in the folder that hides all but its follows."""
    mapping = folder / "mapping.toml"
    mapping.write_text(
        'name = "mapped"\n[tables.follows]\nfile = "follows.csv"\n[tables.follows.columns]\n'
        'follower_id = "follower_id"\nfollowee_id = "followee_id"\nfollowed_at = "followed_at"\n'
    )
    return str(mapping)
