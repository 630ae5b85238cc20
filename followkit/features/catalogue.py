"""The catalogue of features: what each one is, what it needs, and what is expected of it.

A feature is one entry here and one function of the same name in the module of its factor.
The order is the order of priority: when data can carry only three features, the first three
that can be computed are taken. Entries with `in_model=False` are exact sums of others and are
shown, not fitted.
"""

from __future__ import annotations

from collections.abc import Iterable

from followkit.features.feature import (
    ALL_MODES,
    DATED_MODES,
    DOUBLING,
    FACTORS,
    Feature,
    Mode,
    Side,
    dated_feature,
    graph_feature,
    untimed_feature,
)

__all__ = [
    "ALL_MODES",
    "CATALOGUE",
    "DATED_MODES",
    "FACTORS",
    "Feature",
    "Mode",
    "Side",
    "make_catalogue",
]

CHENG = (
    "Cheng, Romero, Meeder & Kleinberg (2011), Predicting reciprocity in social networks, "
    "IEEE SocialCom"
)
HOPCROFT = (
    "Hopcroft, Lou & Tang (2011), Who will follow you back? Reciprocal relationship prediction, "
    "CIKM"
)
ADAMIC = "Adamic & Adar (2003), Friends and neighbors on the Web, Social Networks 25"

_TENTH = ("per 0.1", 0.1)
_POINTS = ("per 10 percentage points", 0.1)
_FLAG = ("yes against no", 1.0)
_ONE = ("per unit", 1.0)
_DOUBLE = ("per doubling", DOUBLING)
_COUNTS = ("follows", "account_counts")
_ACTIONS = ("posts.posted_at", "interactions.at")

_ENTRIES: tuple[Feature, ...] = (
    graph_feature(
        "decider_ratio_log",
        "3a",
        -1,
        "decider's followers per followee",
        "log((followers + 1) / (followees + 1)) of the decider",
        tables=_COUNTS,
        source=CHENG,
    ),
    graph_feature(
        "dyad_common_followees_log",
        "4c",
        1,
        "accounts that both follow",
        "log(1 + number of x with A→x and B→x)",
        source=HOPCROFT,
    ),
    graph_feature(
        "initiator_ratio_log",
        "3f",
        1,
        "initiator's followers per followee",
        "log((followers + 1) / (followees + 1)) of the initiator",
        tables=_COUNTS,
        source=CHENG,
    ),
    dated_feature(
        "dyad_topic_cosine",
        "2a",
        1,
        "topic similarity of their posts",
        "cosine of the two accounts' TF-IDF vectors over all posts up to the last 28-day block "
        "that ends before t; 0 where a watched account has no words yet",
        unit=_TENTH,
        tables=("posts.text",),
        in_snapshots=True,
    ),
    graph_feature(
        "decider_follow_back_rate",
        "3a",
        1,
        "decider's past follow-back rate",
        "(answered + 10 p) / (received + 10): follows that the decider received before t − H, and "
        "those of them answered within H while they stood (equal stamps count as answered); p is "
        "the pooled rate "
        "(answered + 1) / (received + 2) over all deciders as of t. Crawl and snapshot: mutual "
        "ties over follows received, on the graph without the pair (crawl) or the fold (snapshot)",
        unit=_POINTS,
        source=CHENG,
    ),
    graph_feature(
        "has_decider_history",
        "3a",
        0,
        "decider has received follows before",
        "1 where the past follow-back rate rests on at least one follow received, else 0",
        unit=_FLAG,
    ),
    dated_feature(
        "initiator_posts_per_week_log",
        "5a",
        1,
        "initiator's posts per week",
        "log(1 + posts in [t − 28 days, t) / 4)",
        unit=_DOUBLE,
        tables=("posts.posted_at",),
    ),
    dated_feature(
        "initiator_days_since_action_log",
        "5b",
        -1,
        "days since the initiator last did anything",
        "log(1 + days from the last post or act towards others to t); with none yet, the days "
        "since watching began",
        unit=_DOUBLE,
        tables=_ACTIONS,
    ),
    dated_feature(
        "dyad_acts_to_decider_log",
        "6a",
        1,
        "initiator's acts towards the decider",
        "log(1 + likes, comments, replies, mentions, shares, saves and messages A→B in "
        "[t − 28 days, t))",
        unit=_DOUBLE,
        tables=("interactions.at",),
    ),
    dated_feature(
        "dyad_acts_from_decider_log",
        "4c",
        1,
        "decider's acts towards the initiator",
        "log(1 + likes, comments, replies, mentions, shares, saves and messages B→A in "
        "[t − 28 days, t))",
        unit=_DOUBLE,
        tables=("interactions.at",),
    ),
    dated_feature(
        "initiator_posting_weeks_share",
        "6d",
        1,
        "share of the last 12 weeks in which the initiator posted",
        "weeks [t − 7k days, t − 7(k − 1) days), k = 1…12, with a post / 12",
        unit=_POINTS,
        tables=("posts.posted_at",),
    ),
    dated_feature(
        "decider_actions_log",
        "5e",
        1,
        "decider's actions in four weeks",
        "log(1 + posts, acts towards others and follows made in [t − 28 days, t)), from the "
        "tables there are",
        unit=_DOUBLE,
        tables=("posts.posted_at", "interactions.at", "follows.followed_at"),
    ),
    graph_feature(
        "initiator_ratio_log_squared",
        "3e",
        -1,
        "initiator's follower ratio, squared",
        "square of initiator_ratio_log (0 at balance)",
        unit=_ONE,
        tables=_COUNTS,
    ),
    graph_feature(
        "initiator_followee_count_log",
        "3f",
        -1,
        "accounts that the initiator follows",
        "log(1 + followees of the initiator)",
        tables=_COUNTS,
        source=CHENG,
    ),
    graph_feature(
        "dyad_follower_gap_log",
        "3g",
        -1,
        "how far the decider stands above the initiator",
        "log(1 + followers of the decider) − log(1 + followers of the initiator)",
        tables=_COUNTS,
        source=HOPCROFT,
    ),
    graph_feature(
        "dyad_common_followers_log",
        "4c",
        1,
        "accounts that follow both",
        "log(1 + number of x with x→A and x→B)",
        source=HOPCROFT,
    ),
    graph_feature(
        "dyad_paths_out_log",
        "4c",
        1,
        "initiator's followees who follow the decider",
        "log(1 + number of x with A→x and x→B)",
        source=CHENG,
    ),
    graph_feature(
        "dyad_paths_back_log",
        "4c",
        1,
        "decider's followees who follow the initiator",
        "log(1 + number of x with B→x and x→A)",
        source=CHENG,
    ),
    graph_feature(
        "dyad_adamic_adar",
        "4c",
        1,
        "shared neighbours, rare ones counting more",
        "sum of 1 / log(d(x)) over x tied in any direction to both; d(x) = distinct neighbours",
        unit=_ONE,
        source=ADAMIC,
    ),
    dated_feature(
        "dyad_has_contact_7d",
        "6a",
        1,
        "initiator approached the decider in the week before",
        "1 where any act A→B lies in [t − 7 days, t), else 0",
        unit=_FLAG,
        tables=("interactions.at",),
    ),
    dated_feature(
        "initiator_acts_per_week_log",
        "5c",
        1,
        "initiator's acts towards others per week",
        "log(1 + acts towards others in [t − 28 days, t) / 4)",
        unit=_DOUBLE,
        tables=("interactions.at",),
    ),
    dated_feature(
        "decider_days_since_action_log",
        "5e",
        -1,
        "days since the decider last did anything",
        "log(1 + days from the last post, act towards others or follow made to t); with none "
        "yet, the days since watching began",
        unit=_DOUBLE,
        tables=("posts.posted_at", "interactions.at", "follows.followed_at"),
    ),
    dated_feature(
        "dyad_hashtag_jaccard",
        "2a",
        1,
        "share of hashtags in common",
        "hashtags used by both / hashtags used by either, up to the last 28-day block that ends "
        "before t; 0 where neither uses any",
        unit=_TENTH,
        tables=("posts.hashtags", "posts.text"),
        in_snapshots=True,
    ),
    dated_feature(
        "dyad_same_language",
        "2a",
        1,
        "posts mostly in the same language",
        "1 where the commonest language of the posts up to the last 28-day block that ends before "
        "t agrees (ties: the first in the alphabet), else 0; 0 where a watched account has no post "
        "with a language yet",
        unit=_FLAG,
        tables=("posts.language",),
        in_snapshots=True,
    ),
    dated_feature(
        "initiator_acting_weeks_share",
        "6d",
        1,
        "share of the last 12 weeks in which the initiator acted towards others",
        "weeks [t − 7k days, t − 7(k − 1) days), k = 1…12, with an act towards others / 12",
        unit=_POINTS,
        tables=("interactions.at",),
    ),
    graph_feature(
        "dyad_ratio_gap",
        "3g",
        -1,
        "how far the decider's ratio lies above the initiator's",
        "decider_ratio_log − initiator_ratio_log",
        tables=_COUNTS,
        in_model=False,
    ),
    graph_feature(
        "initiator_follower_count_log",
        "8a",
        1,
        "initiator's followers",
        "log(1 + followers of the initiator)",
        tables=_COUNTS,
        in_model=False,
        source=CHENG,
    ),
    graph_feature(
        "decider_follower_count_log",
        "3g",
        -1,
        "decider's followers",
        "log(1 + followers of the decider)",
        tables=_COUNTS,
        in_model=False,
        source=CHENG,
    ),
    untimed_feature(
        "dyad_bio_cosine",
        "2b",
        "similarity of the two bios",
        "cosine of the TF-IDF vectors of the two bios; missing where a bio is missing",
        unit=_TENTH,
        tables=("accounts.bio",),
    ),
    untimed_feature(
        "dyad_same_category",
        "2b",
        "same declared category",
        "1 where both accounts declare the same category, else 0; missing where one declares none",
        unit=_FLAG,
        tables=("accounts.category",),
    ),
    untimed_feature(
        "dyad_untimed_contact_log",
        "4c",
        "contact, order unknown",
        "log(1 + acts between the two accounts, both ways, that carry no time)",
        unit=_DOUBLE,
        tables=("interactions",),
    ),
)


def make_catalogue(entries: Iterable[Feature]) -> dict[str, Feature]:
    """Return the entries by name, refusing a name that comes twice."""
    catalogue: dict[str, Feature] = {}
    for entry in entries:
        if entry.name in catalogue:
            raise ValueError(f"two catalogue entries are named {entry.name}")
        catalogue[entry.name] = entry
    return catalogue


CATALOGUE: dict[str, Feature] = make_catalogue(_ENTRIES)
