"""A town whose every text tries to break out of the page, the picture or the spreadsheet."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from followkit.schema import SCHEMAS
from followkit.simulate import make_town, write_dataset
from followkit.tables import Dataset

#: Set by every payload that manages to run.
MARK = "window.__ran=1"
PAYLOADS = (
    f"<img src=x onerror={MARK}>",
    f"</script><script>{MARK}</script>",
    f"</title></style></svg><svg onload={MARK}>",
    f"javascript:{MARK}",
    f'" autofocus onfocus="{MARK}" x="',
    f"' onmouseover='{MARK}' x='",
    f"--></textarea><iframe src=javascript:{MARK}></iframe>",
    "<img src=http://outside.invalid/a.png><link rel=stylesheet href=//outside.invalid/b.css>",
    "[a](javascript:alert(1)) **b** `c` {{7*7}} {% raw %} ${7*7}",
    "$_$",
    r"$\frac$ \$ $^$ \bad",
    "a\x00b\x1b[31mc\u202egnp.exe\u2066",
    "😀👩‍👩‍👧 日本語 中文 עברית العربية",
    "_leads with an underscore",
    "=1+1",
    "@SUM(A1)",
    "ｆｕｌｌ＝ＷＩＤＴＨ z̷̧̛a̸l͝g̶o",
    "Ω" * 300,
)
#: Words that the tables allow in these columns; anything else is refused when they are read.
KEPT = ("status", "kind", "format", "table_name")


def make_hostile_town(folder: Path, account_count: int = 150) -> Path:
    """Write a simulated town with every text and every account id replaced; return its folder.

    The folder's own name is a payload too, and so is what its `mapping.toml` says of the data.
    """
    town = make_town(account_count, seed=3, weeks=14, follows_per_account=12)
    place = folder / f"<svg onload={MARK}>$_$ 日 data"
    tables = {name: _spoil(name, table) for name, table in town.tables.items()}
    write_dataset(Dataset(tables, name="hostile"), place)
    lines = {"title": PAYLOADS[0], "source": PAYLOADS[1], "licence": PAYLOADS[9], "name": "$_$"}
    toml = "".join(f"{key} = {json.dumps(text)}\n" for key, text in lines.items())
    for name, table in tables.items():
        toml += f'[tables.{name}]\nfile = "{name}.csv"\n[tables.{name}.columns]\n'
        toml += "".join(f'{column} = "{column}"\n' for column in table.columns)
    (place / "mapping.toml").write_text(toml, encoding="utf-8")
    return place


def _spoil(name: str, table: pd.DataFrame) -> pd.DataFrame:
    spoiled = table.copy()
    for column in SCHEMAS[name].columns:
        if column.name not in table or column.name in KEPT:
            continue
        values = table[column.name]
        if column.kind == "account":
            spoiled[column.name] = [_name_account(one) for one in values]
        elif column.kind in ("text", "list"):
            start = len(column.name)
            spoiled[column.name] = [
                PAYLOADS[(start + place) % len(PAYLOADS)] for place in range(len(values))
            ]
    return spoiled


def _name_account(number: object) -> str | None:
    """Give an account an id that is a payload, the same one in every table."""
    if pd.isna(number):
        return None
    return f"{PAYLOADS[int(str(number).partition('.')[0]) % len(PAYLOADS)]} {number}"
