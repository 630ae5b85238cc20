"""One page that lists all reports of a folder, each with its answer in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from followkit.html import clean
from followkit.page import TEMPLATES
from followkit.report import write_all


def read_reports(folder: str | Path) -> list[dict[str, str]]:
    """Read what the index shows of every report: title, headline, data and address.

    Parameters
    ----------
    folder
        The folder whose subfolders hold one report each; what is no report is passed over.

    Returns
    -------
    list of dict
        `title`, `headline`, `data`, `href`; in order of the folders' names.
    """
    rows = []
    for path in sorted(Path(folder).glob("*/summary.json")):
        try:
            summary = json.loads(path.read_text(encoding="utf-8"))
            page = path.parent / Path(str(summary["page"])).name
            row = _row(summary, f"{quote(path.parent.name)}/{quote(page.name)}")
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        if page.is_file():
            rows.append(row)
    return rows


def _row(summary: dict[str, Any], href: str) -> dict[str, str]:
    parameters = summary.get("parameters", {})
    return {
        "title": clean(summary["title"]),
        "headline": clean(summary.get("headline") or ""),
        "data": clean(parameters.get("data", "")),
        "href": href,
    }


def write_index(folder: str | Path) -> Path:
    """Write `index.html` into a folder of reports: a plain table, the same bytes every time.

    Parameters
    ----------
    folder
        The folder whose subfolders hold one report each.

    Returns
    -------
    pathlib.Path
        The page.
    """
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup

    templates = TEMPLATES / "followkit"
    environment = Environment(loader=FileSystemLoader(templates), autoescape=True)
    style = Markup((templates / "style.css").read_text(encoding="utf-8"))
    page = environment.get_template("index_page.html.j2").render(
        rows=read_reports(folder), style=style
    )
    target = Path(folder) / "index.html"
    write_all({target: page.encode("utf-8")})
    return target
