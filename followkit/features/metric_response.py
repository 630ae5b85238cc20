"""Whether an account does more of what worked: engagement, and what it posts next (6e)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from followkit.features.blocks import BLOCK_DAYS, Block, FloatArray
from followkit.features.formats import find_formats
from followkit.features.pooling import of_initiators
from followkit.features.records import SHRINKAGE
from followkit.features.replies import find_end
from followkit.features.texts import IntArray, TextBlock
from followkit.features.ties import DAY_US

WINDOWS = 7
FEWEST_CELLS = 3


def metric_response(block: Block) -> FloatArray:
    """Return how the initiators' shares of topics and formats follow their engagement."""
    text = block.text
    values = text.cached("metric_response", lambda: measure_response(text))
    return of_initiators(block, values)


def measure_response(text: TextBlock) -> FloatArray:
    """Return n r / (n + 10) for each account, 0 with fewer than three cells (last: no posts)."""
    cells = pd.concat([list_cells(text, text.topic), list_cells(text, find_formats(text))])
    owner, size = cells["owner"].to_numpy(np.int64), len(text.ids) + 1
    worked, change = cells["worked"].to_numpy(np.float64), cells["change"].to_numpy(np.float64)
    count, both, worked_squares, change_squares = (
        np.bincount(owner, weights, size).astype(np.float64)
        for weights in (np.ones(len(owner)), worked * change, worked**2, change**2)
    )
    spread = np.sqrt(worked_squares * change_squares)
    r = np.divide(both, spread, out=np.zeros(size), where=(spread > 0) & (count >= FEWEST_CELLS))
    return np.asarray(count * r / (count + SHRINKAGE))


def list_cells(text: TextBlock, group: IntArray) -> pd.DataFrame:
    """Return owner, and the centred ranks `worked` and `change`, of each cell that can be compared.

    A cell is a group (a topic or a format) with a post of known engagement in the earlier of two
    consecutive windows, of an account that posted in both, beside another such group.
    """
    window = (find_end(text) - 1 - text.posts["posted_us"].to_numpy(np.int64)) // (
        BLOCK_DAYS * DAY_US
    )
    posts = pd.DataFrame(
        {"owner": text.owner, "window": window, "group": group, "engagement": text.engagement}
    )[(group >= 0) & (window < WINDOWS)]
    by = ["owner", "window"]
    used = posts.groupby([*by, "group"])["engagement"].agg(["size", "mean"]).reset_index()
    used = used.assign(total=used.groupby(by)["size"].transform("sum"))
    # Windows are counted back from the block's end: the later one has the smaller number.
    later = used.assign(window=used["window"] + 1)
    totals = later.drop_duplicates(by)[[*by, "total"]]
    cells = used.merge(totals, on=by, suffixes=("", "_later"))
    cells = cells.merge(
        later[[*by, "group", "size"]], on=[*by, "group"], how="left", suffixes=("", "_later")
    )
    cells = cells[cells["mean"].notna()]
    # The change of share times both totals: integers, in which equal changes are equal.
    kept = cells["size_later"].fillna(0.0) * cells["total"]
    cells = cells.assign(gain=kept - cells["size"] * cells["total_later"])
    pairs = cells.groupby(by)
    found = pd.DataFrame({"owner": cells["owner"]})
    for name, column in (("worked", "mean"), ("change", "gain")):
        found[name] = pairs[column].rank() - (pairs["group"].transform("size") + 1) / 2
    return found[(pairs["group"].transform("size") > 1).to_numpy(dtype=bool)]
