"""A simulated life → Instagram's export in any of its eras, formats and languages, with faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from followkit.errors import ParameterError, suggest
from followkit.simulate.exports.instagram_html import write_html_files
from followkit.simulate.exports.instagram_json import BRAND, write_json_files, write_old_files
from followkit.simulate.exports.instagram_paths import ERAS, find_path
from followkit.simulate.exports.instagram_sheets import (
    MARK_LISTS,
    Row,
    Talk,
    draw_sheets,
    draw_talks,
    find_pairs,
)
from followkit.simulate.exports.instagram_words import LOCALES, WORDS
from followkit.simulate.exports.life import EGO, Deed, Expected, Life, make_life
from followkit.simulate.exports.packing import PACKINGS, pack
from followkit.simulate.exports.threads import make_threads_files

__all__ = ["FAULTS", "LAYOUTS", "expected_instagram", "write_instagram"]

LAYOUTS = ("json", "html", "both")
FAULTS = ("curly_apostrophe", "date_cut", "deleted", "duplicates", "empty", "hashtags_neighbour",
          "impossible_times", "junk", "missing_followers", "ms_times", "single_object", "split",
          "threads_neighbour", "truncated_html", "unreadable_json", "upper_case")  # fmt: skip
#: The lists whose rows are the ego's acts towards the owner of a post, with the kind of act.
_ACT_LISTS = {
    "liked_posts": "like",
    "liked_comments": "like",
    "post_comments": "comment",
    "reels_comments": "comment",
    "hype": "story",
    "story_likes": "story",
    "emoji_quick_reactions": "story",
    "polls": "story",
    "saved_posts": "save",
    "posts_viewed": "view",
}
_OLD_PEOPLE = ("pending", "recent", "blocked", "restricted", "close_friends", "dismissed")
_OLD_ACTS = ("liked_posts", "liked_comments", "post_comments")


@dataclass(frozen=True, slots=True)
class _Variant:
    """Which of the many forms of the export is meant; checked when made."""

    era: str = "C"
    layout: str = "json"
    locale: str = "en"
    packing: str = "zip"
    faults: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known = {"era": ERAS, "layout": LAYOUTS, "locale": LOCALES, "packing": PACKINGS}
        for name, values in known.items():
            if getattr(self, name) not in values:
                came = getattr(self, name)
                raise ParameterError(f"{name}: {came!r} came, not one of {', '.join(values)}")
        for fault in self.faults:
            if fault not in FAULTS:
                raise ParameterError(
                    f"faults: no fault is called {fault}; {suggest(fault, FAULTS)}"
                )
        if self.era == "A" and self.layout != "json":
            raise ParameterError("layout: era A had JSON only")


def write_instagram(
    life: Life,
    path: Path,
    *,
    era: str = "C",
    layout: str = "json",
    locale: str = "en",
    packing: str = "zip",
    faults: Collection[str] = (),
) -> list[Path]:
    """Write a life as Instagram's export and return the paths to hand to a reader.

    Parameters
    ----------
    path
        Folder in which the export is made.
    era
        `A` (2018-20), `B` (2021-23), `C-early` (2023), `C` (2023-25), `D` (2025-26), `E` (2026).
    layout
        `json`, `html`, or `both`, where each list lies there twice.
    locale
        Language of labels, months and titles: en, es, nl, ja, ru.
    packing
        `folder`, `zip`, `split` (two zips), `wrapped` (a zip with one folder around all).
    faults
        Any of `FAULTS`. `deleted` lets accounts that are gone stand in following, `split` writes
        the same list into both zips of a split export.

    Raises
    ------
    ParameterError
        For a value that is not one of those above.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = write_instagram(make_life(1, 20), Path(folder), era="E", packing="split")
    ...     len(made)
    2
    """
    variant = _Variant(era, layout, locale, packing, tuple(faults))
    sheets, talks = draw_sheets(life, faults), _draw_talks(life, variant)
    files = _make_files(life, sheets, talks, variant)
    second = None
    if "split" in faults:
        files, second = _divide(life, sheets, talks, variant)
    return pack(
        files,
        path,
        name=_name(life, era),
        packing=packing,
        wrapper=f"meta-{life.exported_at:%Y-%b-%d}-12-34-56",
        second=second,
        junk="junk" in faults,
    )


def _draw_talks(life: Life, variant: _Variant) -> list[Talk]:
    """Return the threads, and one with an account that is gone and has no name left."""
    if {"empty", "single_object"} & {*variant.faults}:
        return []
    if variant.era == "A":
        return draw_talks(life)
    gone = WORDS[variant.locale]["Instagram User"]
    said = tuple(
        (name, handle, life.exported_at - timedelta(days=300 + turn), ())
        for turn, (name, handle) in enumerate([(gone, gone), (life.ego.name, life.ego.account)])
    )
    names, handles = (gone, life.ego.name), (gone, life.ego.account)
    return [*draw_talks(life), Talk("instagramuser_19999999999", gone, names, handles, said)]


def _name(life: Life, era: str) -> str:
    who = life.ego.account
    if era == "A":
        return f"{who}_{life.exported_at:%Y%m%d}"
    return f"instagram-{who}-{life.exported_at:%Y-%m-%d}-Ab3dE9xY"


def _make_files(
    life: Life,
    sheets: Mapping[str, Sequence[Row]],
    talks: Sequence[Talk],
    variant: _Variant,
) -> dict[str, bytes]:
    era, locale, faults = variant.era, variant.locale, variant.faults
    if era == "A":
        files = write_old_files(life, sheets, talks, faults=faults)
        return _spoil_files(files, variant)
    files = {}
    if variant.layout in ("json", "both"):
        files.update(write_json_files(life, sheets, talks, era=era, locale=locale, faults=faults))
    if variant.layout in ("html", "both"):
        files.update(write_html_files(life, sheets, talks, era=era, locale=locale, faults=faults))
    if "threads_neighbour" in faults:
        files.update(_threads_files(life))
    return _spoil_files(files, variant)


def _threads_files(life: Life) -> dict[str, bytes]:
    """Return the lists of Threads, of other people, as they lie beside Instagram's."""
    other = make_life(life.seed + 7_919, 20, exported_at=life.exported_at)
    return make_threads_files(replace(other, ego=life.ego))


def _spoil_files(files: dict[str, bytes], variant: _Variant) -> dict[str, bytes]:
    """Take out or cut the file of followers where a fault says so."""
    if variant.era == "A":
        if "unreadable_json" in variant.faults:
            files["connections.json"] = files["connections.json"][:-200]
        return files
    base = find_path("followers", variant.era).removesuffix("_1")
    ours = [name for name in files if name.startswith(base)]
    if "missing_followers" in variant.faults:
        files = {name: content for name, content in files.items() if name not in ours}
    if "unreadable_json" in variant.faults:
        for name in ours:
            if name.endswith(".json"):
                files[name] = files[name][: len(files[name]) // 2]
    return files


def _divide(
    life: Life, sheets: Mapping[str, list[Row]], talks: Sequence[Talk], variant: _Variant
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return two halves of an export: each has every list, with half of its rows."""
    first = _make_files(life, {name: rows[::2] for name, rows in sheets.items()},
                        [_part(talk, 0) for talk in talks], variant)  # fmt: skip
    second = _make_files(life, {name: rows[1::2] for name, rows in sheets.items()},
                         [_part(talk, 1) for talk in talks], variant)  # fmt: skip
    return first, second


def _part(talk: Talk, place: int) -> Talk:
    return replace(talk, said=talk.said[place::2])


# ------------------------------------------------------------------------------------- expected


def expected_instagram(
    life: Life,
    *,
    era: str = "C",
    layout: str = "json",
    locale: str = "en",
    packing: str = "zip",
    faults: Collection[str] = (),
) -> Expected:
    """Return what a right reader finds in the export of the same variant.

    Pages give times to the minute. A `recent` request that is not pending may be told or not: it
    is not part of `ties`. Messages are `acts` where the export ties the name to one account, and
    `maybe_acts` otherwise.

    Raises
    ------
    ParameterError
        For a variant that `write_instagram` does not know.
    """
    variant = _Variant(era, layout, locale, packing, tuple(faults))
    sheets = draw_sheets(life, faults)
    ego = life.ego.account
    truth = Expected(ego, life.exported_at)
    _expect_ties(truth, sheets, variant)
    for name, mark in MARK_LISTS.items():
        if era != "A" or name in _OLD_PEOPLE:
            truth.marks |= {(row.who.account, mark, _time(row.at, variant)) for row in sheets[name]}
    _expect_acts(truth, sheets, variant)
    _expect_messages(truth, life, sheets, variant)
    if era != "A" and layout != "html" and "empty" not in faults:
        posts = life.posts[:1] if "single_object" in faults else life.posts
        truth.posts = {(post.at, post.text or None) for post in posts}
    truth.deleted = {
        row.who.account for row in sheets["following"] if row.who.account.startswith("__deleted__")
    }
    truth.states = _expect_states(sheets, variant)
    return truth


def _time(at: datetime | None, variant: _Variant) -> datetime | None:
    if at is None or variant.layout != "html":
        return at
    return at.replace(second=0)


def _expect_ties(truth: Expected, sheets: Mapping[str, Sequence[Row]], variant: _Variant) -> None:
    ego, faults = truth.ego, variant.faults
    unread = {"missing_followers", "unreadable_json", "truncated_html"} & {*faults}
    lists = [
        ("followers", "follow", False),
        ("following", "follow", True),
        ("pending", "request", True),
        ("received", "request", False),
        ("unfollowed", "unfollow", True),
    ]
    for name, kind, by_ego in lists:
        if (name == "followers" and unread) or (variant.era == "A" and name in
                                                ("received", "unfollowed")):  # fmt: skip
            continue
        for row in sheets[name]:
            pair = (ego, row.who.account) if by_ego else (row.who.account, ego)
            truth.ties.add((*pair, kind, _time(row.at, variant)))
    has_brand = variant.era in ("D", "E") and variant.layout != "html"
    if has_brand and len(sheets["following"]) > 1:
        truth.ties.add((ego, BRAND, "follow", None))


def _expect_acts(truth: Expected, sheets: Mapping[str, Sequence[Row]], variant: _Variant) -> None:
    for name, kind in _ACT_LISTS.items():
        if variant.era == "A" and name not in _OLD_ACTS:
            continue
        always = (
            name == "post_comments"
            and variant.era in ("A", "B", "C-early")
            and variant.layout != "html"
        )
        for row in sheets[name]:
            if row.has_owner or always:
                truth.acts.add((truth.ego, row.who.account, kind, _time(row.at, variant)))


def _expect_messages(
    truth: Expected, life: Life, sheets: Mapping[str, list[Row]], variant: _Variant
) -> None:
    """Add messages and reactions; a reaction has no time of its own, and pages show none."""
    if {"empty", "single_object"} & {*variant.faults}:
        return
    people = life.by_number()
    bridges = _bridges(life, sheets, variant)
    for deed in life.deeds:
        if deed.kind not in ("message", "reaction"):
            continue
        other = people[_other(deed)]
        at = None if deed.kind == "reaction" else _time(deed.at, variant)
        named = {(other.account, variant.era == "A"), *bridges.get(other.name, ())}
        for account, is_sure in named:
            actor, target = (truth.ego, account) if deed.actor == EGO else (account, truth.ego)
            no_reactions = variant.era == "A" or variant.layout == "html"
            strict = is_sure and not (no_reactions and deed.kind == "reaction")
            held = truth.acts if strict else truth.maybe_acts
            held.add((actor, target, deed.kind, at))


def _bridges(
    life: Life, sheets: Mapping[str, list[Row]], variant: _Variant
) -> dict[str, set[tuple[str, bool]]]:
    """Return display name → (account, whether a reader can be sure of it).

    Where two have one name and the export pairs it with one account only, no reader can know.
    Era A names its people by user name and needs no bridge.
    """
    if variant.era != "E":
        return {}
    names = Counter(alter.name for alter in life.alters)
    # How a page nests the owner of a post is not known well, so its names are no sure bridge.
    sure = find_pairs(sheets, of_acts=variant.layout != "html")
    return {
        name: {(account, names[name] == 1 and name in sure) for account in accounts}
        for name, accounts in find_pairs(sheets, of_acts=True).items()
        if len(accounts) == 1
    }


def _other(deed: Deed) -> int:
    return deed.target if deed.actor == EGO else deed.actor


def _expect_states(sheets: Mapping[str, Sequence[Row]], variant: _Variant) -> dict[str, str]:
    lists = {"requests_sent": "pending", "requests_received": "received",
             "unfollowed": "unfollowed"}  # fmt: skip
    states = {"followers": "whole", "following": "whole"}
    states |= {kind: "whole" if sheets[name] else "absent" for kind, name in lists.items()}
    if variant.era == "A":
        # One file holds all lists, and those it has no row for are there and empty.
        states |= {"requests_sent": "whole", "requests_received": "absent",
                   "unfollowed": "absent"}  # fmt: skip
    faults = {*variant.faults}
    if "date_cut" in faults:
        states["followers"] = "cut"
    if "missing_followers" in faults:
        states["followers"] = "absent"
    if "unreadable_json" in faults or "truncated_html" in faults:
        states["followers"] = "unreadable"
    return states
