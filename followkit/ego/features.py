"""What an export knows before a follow: the ego's acts, those of the alter, and the ego's habits.

Only what happened strictly before the first follow counts, and never either tie of the pair itself.
Left out on purpose: the hour and the weekday (an export is in UTC, the zone of the person is not in
it), and anything guessed from a name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.ego.alters import find_times, list_alters
from followkit.ego.checks import EgoExport
from followkit.ego.results import ACT_GROUPS
from followkit.features.ties import to_us
from followkit.tables import Dataset
from followkit.timeline import count_before
from followkit.waiting import DAY

__all__ = ["CONTACTS", "EGO_FEATURES", "EgoFeature", "find_acts_begin", "keep_comparable",
           "knows_threads", "make_ego_features", "name_contacts"]  # fmt: skip

FloatArray = npt.NDArray[np.float64]
DOUBLING = float(np.log(2))
#: Contact fades by half in so many days.
HALF_LIFE_DAYS = 28.0
CADENCE_DAYS = 28
#: Messages are compared with answers only where so many people's threads could be found.
NAMED_SHARE = 0.99


@dataclass(frozen=True)
class EgoFeature:
    """One feature: its words, and the step that its odds ratio is for."""

    label: str
    unit: str
    step: float


def _count(label: str) -> EgoFeature:
    return EgoFeature(label, "per doubling of 1 + count", DOUBLING)


#: In order of priority: a model without penalty takes as many of the first as the answers carry.
EGO_FEATURES: dict[str, EgoFeature] = {
    "ego_likes_log": _count("your likes of theirs before the follow"),
    "ego_comments_log": _count("your comments, replies and mentions before the follow"),
    "ego_messages_log": _count("your messages to them before the follow"),
    "alter_messages_log": _count("their messages to you before the follow"),
    "ego_stories_log": _count("your answers to their stories before the follow"),
    "alter_acts_log": _count("their likes, comments and other acts before the follow"),
    "ego_views_log": _count("your views of theirs before the follow"),
    "ego_others_log": _count("your shares and saves of theirs before the follow"),
    "contact_recency": EgoFeature(
        "how fresh the last contact was (1: just now, 0.5: 28 days ago, 0: none)",
        "from none to just now", 1.0,
    ),
    "posts_log": _count("your own posts in the 28 days before the follow"),
    "day_follows_log": _count("follows you had made in the 24 hours before"),
    "order_log": _count("follows you had made before this one"),
}  # fmt: skip

#: Contact before the follow, the strongest first; every follow belongs to one.
CONTACTS: dict[str, str] = {
    "wrote_both": "you had written to each other before",
    "alter_wrote": "they had written to you before",
    "ego_wrote": "you had written to them before",
    "alter_acted": "they had liked or answered something of yours before",
    "ego_acted": "you had liked, seen or answered something of theirs before",
    "none": "no contact before the follow is in the export",
    "no_acts": "no contact before the follow is in the export, messages left out",
    "unknown": "whether there was contact before the follow is unknown",
}


def make_ego_features(
    alters: pd.DataFrame, acts: pd.DataFrame, dataset: Dataset, export: EgoExport
) -> pd.DataFrame:
    """Return the features of follows whose first moment is known, one row an alter.

    Parameters
    ----------
    alters, acts
        From `make_alters` and `list_acts`.
    dataset, export
        The tables (for the ego's own posts), and whose they are.

    Returns
    -------
    pandas.DataFrame
        Index: that of `alters`, for rows with followed_at. Columns: `EGO_FEATURES`. Features of
        acts are missing for follows made before the export shows any act, and throughout where no
        act has a time; those of messages also where threads could not have been found; posts_log
        where no post has a time.

    Examples
    --------
    >>> from followkit.ego.alters import list_acts, make_alters
    >>> from followkit.ego.checks import read_export
    >>> from followkit.tables import make_dataset
    >>> data = make_dataset({
    ...     "follows": pd.DataFrame({"follower_id": ["me", "me"], "followee_id": ["bo", "cy"],
    ...         "followed_at": ["2024-01-02", "2024-01-02T12:00:00Z"]}),
    ...     "interactions": pd.DataFrame({"actor_id": "me", "target_id": "bo", "kind": "like",
    ...         "at": ["2024-01-01", "2024-01-03"]})},
    ...     about={"export": {"ego": "me", "exported_at": "2024-02-01T00:00:00Z"}})
    >>> export = read_export(data)
    >>> alters, acts = make_alters(data, export), list_acts(data, export)
    >>> table = make_ego_features(alters, acts, data, export)
    >>> table[["ego_likes_log", "day_follows_log"]].round(3).values.tolist()
    [[0.693, 0.0], [0.0, 0.693]]
    """
    rows = alters[alters["followed_at"].notna()]
    table = pd.DataFrame(index=rows.index)
    sums = {
        "ego_likes_log": ("ego", ("like",)), "ego_comments_log": ("ego", ("comment",)),
        "ego_messages_log": ("ego", ("message",)), "alter_messages_log": ("alter", ("message",)),
        "ego_stories_log": ("ego", ("story",)),
        "alter_acts_log": ("alter", tuple(one for one in ACT_GROUPS if one != "message")),
        "ego_views_log": ("ego", ("view",)), "ego_others_log": ("ego", ("other",)),
    }  # fmt: skip
    begin = find_acts_begin(acts, dataset, export)
    is_seen = _is_since(rows["followed_at"], begin)
    has_threads = knows_threads(alters, export).loc[rows.index]
    acts = keep_comparable(acts, alters, export)
    for name, (side, groups) in sums.items():
        total = rows[[f"{side}_{group}_before" for group in groups]].sum(axis=1)
        is_known = is_seen & has_threads if groups == ("message",) else is_seen
        table[name] = np.log1p(total.astype(float)).where(is_known)
    table["contact_recency"] = _measure_recency(rows, acts).where(is_seen)
    table["posts_log"] = _count_posts(rows, dataset, export)
    day, order = _count_follows(rows, alters)
    table["day_follows_log"], table["order_log"] = np.log1p(day), np.log1p(order)
    return table[list(EGO_FEATURES)]


def find_acts_begin(acts: pd.DataFrame, dataset: Dataset, export: EgoExport) -> pd.Timestamp:
    """Return since when acts are in the export: as observation says, else the first of them.

    Missing where no act has a time. A follow made before that moment has an unknown past, not an
    empty one.
    """
    seen = dataset.observation
    is_acts = (seen["table_name"] == "interactions").fillna(False).astype(bool)
    own = is_acts & (list_alters(seen["account_id"]) == export.ego)
    first = acts.loc[acts["group"].notna(), "at"].min()
    if own.any() and not pd.isna(first):
        return min(seen.loc[own, "observed_from_at"].min(), first)
    return first


def name_contacts(alters: pd.DataFrame, begin: pd.Timestamp, export: EgoExport) -> pd.Series:
    """Return the strongest contact before each first follow, a key of `CONTACTS`.

    `begin` is `find_acts_begin`: contact before it cannot be seen, so its absence is unknown.
    Messages count only where they may be compared with answers (`keep_comparable`).
    """
    others = [one for one in ACT_GROUPS if one != "message"]
    has = {
        side: alters[[f"{side}_{one}_before" for one in others]].sum(axis=1) > 0
        for side in ("ego", "alter")
    }
    is_told, is_seen = knows_threads(alters, export), _is_since(alters["followed_at"], begin)
    ego, alter = (is_told & (alters[f"{side}_message_before"] > 0) for side in ("ego", "alter"))
    rules = [ego & alter, alter, ego, has["alter"], has["ego"],
             is_seen & is_told, is_seen & (not is_told.any())]  # fmt: skip
    flags = [rule.to_numpy(dtype=bool) for rule in rules]
    names = np.select(flags, list(CONTACTS)[:-1], "unknown")
    return pd.Series(names, index=alters.index, dtype=object)


def knows_threads(rows: pd.DataFrame, export: EgoExport) -> pd.Series:
    """Return for whom a thread of messages would have been found, and may be compared.

    Instagram's threads show display names, and other lists tell some people's. Without one a thread
    is missing, not empty. Those lists grow with later contact, and so with an answer: both to take
    such a thread as empty and to look only at people with a name would let the answer in. So
    messages are compared only where nearly all people have one. Exports of before 2020-08
    (`messages.json`) show user names.
    """
    files = export.facts.get("files")
    told = [str(one.get("file", "")) for one in files or () if isinstance(one, dict)]
    if export.platform != "instagram" or "messages.json" in told:
        return pd.Series(True, index=rows.index)
    is_named = rows["display_name"].notna()
    return is_named if is_named.mean() >= NAMED_SHARE else is_named & False


def keep_comparable(acts: pd.DataFrame, alters: pd.DataFrame, export: EgoExport) -> pd.DataFrame:
    """Return the acts that may be compared with answers: without messages, where threads lack."""
    if knows_threads(alters, export).any():
        return acts
    return acts[(acts["group"] != "message").to_numpy(dtype=bool)]


def _is_since(at: pd.Series, begin: pd.Timestamp) -> pd.Series:
    if pd.isna(begin):
        return pd.Series(False, index=at.index)
    return (at >= begin).fillna(False).astype(bool)


def _measure_recency(rows: pd.DataFrame, acts: pd.DataFrame) -> pd.Series:
    """Return 2^(−days / 28) since the last act of either before the follow; 0 without any."""
    first = rows.set_index("alter_id")["followed_at"]
    known = acts[acts["group"].notna() & acts["at"].notna()]
    known = known.assign(first=find_times(known["alter_id"], first))
    known = known[(known["at"] < known["first"]).to_numpy(dtype=bool)]
    last = find_times(rows["alter_id"], known.groupby("alter_id")["at"].max())
    days = (rows["followed_at"] - last) / DAY
    return np.exp2(-days.astype(float) / HALF_LIFE_DAYS).fillna(0.0)


def _count_posts(rows: pd.DataFrame, dataset: Dataset, export: EgoExport) -> pd.Series:
    """Return log(1 + the ego's posts in [t − 28 days, t)); missing where no post has a time."""
    if not dataset.has("posts", "posted_at"):
        return pd.Series(np.nan, index=rows.index)
    posts = dataset.posts
    own = (list_alters(posts["account_id"]) == export.ego).to_numpy(dtype=bool)
    events = pd.DataFrame({"account_id": export.ego, "at": posts.loc[own, "posted_at"].dropna()})
    queries = pd.DataFrame({"account_id": export.ego, "at": rows["followed_at"]})
    count = count_before(events, queries, window_days=CADENCE_DAYS)
    return pd.Series(np.log1p(count.astype(float)), index=rows.index)


def _count_follows(rows: pd.DataFrame, alters: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Return how many follows the ego had made in the 24 hours before t, and ever before t.

    The pair's own follow lies at t, so it is not among them.
    """
    made = np.sort(to_us(alters["ego_followed_at"].dropna()))
    at = to_us(rows["followed_at"])
    before = np.searchsorted(made, at, side="left")
    earlier = np.searchsorted(made, at - 86_400_000_000, side="left")
    return (before - earlier).astype(float), before.astype(float)
