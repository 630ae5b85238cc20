"""One page that lists all reports of a folder, each with its answer; the same as CSV and JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from followkit.html import clean
from followkit.page import TEMPLATES
from followkit.record import csv_text
from followkit.report import SUMMARY, write_all

Row = dict[str, Any]

#: Numbers of a report that the list shows and sorts by: heading, key in a row, how it is written.
COLUMNS = (
    ("dyads", "dyads", "{:,.0f}"),
    ("answered, %", "percent", "{:.1f}"),
    ("AUC", "auc", "{:.2f}"),
)


def read_reports(folder: str | Path) -> list[Row]:
    """Read what the index shows of every report.

    Parameters
    ----------
    folder
        The folder whose subfolders hold one report each; what is no report is passed over.

    Returns
    -------
    list of dict
        name, title, headline, data, segment, question, href; dyads, answered, rate, ci_low,
        ci_high, percent and auc (of the full model on the first split) where the report has them,
        else None; parameters. In order of the folders' names.
    """
    rows = []
    for path in sorted(Path(folder).glob(f"*/{SUMMARY}")):
        try:
            summary = json.loads(path.read_text(encoding="utf-8"))
            page = path.parent / Path(str(summary["page"])).name
            row = _row(summary, path.parent.name, page.name)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        if page.is_file():
            rows.append(row)
    return rows


def _row(summary: Mapping[str, Any], name: str, page: str) -> Row:
    parameters = summary.get("parameters", {})
    main = summary.get("numbers", {}).get("main", {})
    rate = main.get("rate") or {}
    value = _number(rate.get("value"))
    return {
        "name": name,
        "title": clean(summary["title"]),
        "headline": clean(summary.get("headline") or ""),
        "data": clean(parameters.get("data", "")),
        "segment": clean(parameters.get("segment", "")),
        "question": clean(main.get("question", "")),
        "href": f"{quote(name)}/{quote(page)}",
        "dyads": _number(main.get("dyads")),
        "answered": _number(main.get("answered")),
        "rate": value,
        "ci_low": _number(rate.get("ci_low")),
        "ci_high": _number(rate.get("ci_high")),
        "percent": None if value is None else 100 * value,
        "auc": _find_auc(main.get("auc") or {}),
        "parameters": parameters,
    }


def _find_auc(by_split: Mapping[str, Any]) -> float | None:
    """Return the AUC of the full model on the first split, which is the main one."""
    for rungs in by_split.values():
        return _number(rungs.get("full_logistic", {}).get("value"))
    return None


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def write_index(folder: str | Path, *, failures: Sequence[Mapping[str, Any]] = ()) -> Path:
    """Write `index.html`, `summaries.csv` and `summaries.json`: the same bytes every time.

    The page sorts and filters by one script of its own, which its content security policy names by
    hash; without it the list is complete.

    Parameters
    ----------
    folder
        The folder whose subfolders hold one report each.
    failures
        Reports that could not be made: name, cause, command.

    Returns
    -------
    pathlib.Path
        The page.
    """
    rows = read_reports(folder)
    target = Path(folder) / "index.html"
    files = {
        Path(folder) / "summaries.json": json.dumps(rows, indent=2, ensure_ascii=False) + "\n",
        Path(folder) / "summaries.csv": _list_as_csv(rows),
        target: _make_page(rows, failures),
    }
    write_all({path: text.encode("utf-8") for path, text in files.items()})
    return target


def read_script() -> str:
    """Return the script of the index, the only one that it may hold."""
    return (TEMPLATES / "followkit" / "index.js").read_text(encoding="utf-8")


def _list_as_csv(rows: Sequence[Row]) -> str:
    import pandas as pd

    flat = []
    for row in rows:
        own = {key: value for key, value in row.items() if key not in ("parameters", "percent")}
        given = {f"parameter_{name}": value for name, value in row["parameters"].items()}
        flat.append(own | given)
    return csv_text(pd.DataFrame(flat))


def _make_page(rows: Sequence[Row], failures: Sequence[Mapping[str, Any]]) -> str:
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup

    templates = TEMPLATES / "followkit"
    environment = Environment(loader=FileSystemLoader(templates), autoescape=True)
    style, script = (templates / "style.css").read_text(encoding="utf-8"), read_script()
    shown = [column for column in COLUMNS if any(row[column[1]] is not None for row in rows)]
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    return environment.get_template("index_page.html.j2").render(
        rows=[{**row, "cells": [_cell(row, *column[1:]) for column in shown]} for row in rows],
        headings=[heading for heading, _, _ in shown],
        failures=[{key: clean(one[key]) for key in ("name", "cause", "command")}
                  for one in failures],
        style=Markup(style), script=Markup(script), digest=digest,
    )  # fmt: skip


def _cell(row: Row, key: str, form: str) -> dict[str, str]:
    """Return the text of a number and its value for sorting."""
    value = row[key]
    return {"text": "–" if value is None else form.format(value),
            "value": "" if value is None else repr(value)}  # fmt: skip
