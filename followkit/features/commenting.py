"""Factor 6, engagement strategy: what is said to others, or only sent to them (6b).

Specific comments against generic, repeated and automated ones. All of it is taken at the end of
the last 28-day block before t.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from followkit.features.acting import match_pairs, of_actors
from followkit.features.blocks import BLOCK_DAYS, Block
from followkit.features.claim import Claim
from followkit.features.context import (
    ACT_KINDS,
    DECIDER_POSTS,
    INITIATOR_ACTS,
    INITIATOR_POSTS,
    FeatureFunction,
    FloatArray,
    of_blocks,
)
from followkit.features.feature import (
    PER_DOUBLING,
    PER_TEN_POINTS,
    PER_TENTH,
    Feature,
    Product,
    dated_feature,
)
from followkit.features.liking import sum_products
from followkit.features.pooling import of_initiators
from followkit.features.records import SHRINKAGE
from followkit.features.replies import TALK, WEEKS, find_end, list_talk
from followkit.features.texts import FlagArray, TextBlock
from followkit.features.ties import DAY_US, IntArray
from followkit.text import tokenise

MENTION = re.compile(r"@[\w.]+")
RUN_GAP_US = 5_000_000
RUN_ACTS = 10
#: One more comment, of no specificity: a pool without comments has a mean as well.
ONE_AT_CHANCE = (0.0, 1.0)


# -- specific to the post --------------------------------------------------------------------------


def has_text(acts: pd.DataFrame) -> FlagArray:
    """Return which acts come with a text that is not blank."""
    return np.asarray(acts["text"].str.strip().ne("").to_numpy(dtype=bool))


def weigh_posts(text: TextBlock) -> sparse.csr_array:
    """Return unit word vectors of the posts, whatever else their topics are made from."""
    if text.library.embeddings is None:
        return text.vectors
    return text.library.tokens.weigh_texts(text.rows, text.rows)


def weigh_comments(text: TextBlock, comments: pd.Series) -> sparse.csr_array:
    """Return unit word vectors of comments, weighed as the posts are."""
    library = text.library

    def make() -> tuple[pd.Index, sparse.csr_array]:
        acts = library.acts
        said = pd.Index(acts.loc[acts["kind"].isin(TALK), "text"].unique())
        return said, library.tokens.count_foreign(said.tolist())

    said, counts = library.cached("comment_words", make)
    return library.tokens.weigh_foreign(counts[said.get_indexer(comments)], text.rows)


def list_specificity(text: TextBlock) -> pd.DataFrame:
    """Return comments on known posts of others with words: actor_id, owner, specificity.

    Specificity: the cosine to the post commented on, less the mean cosine to all other posts by
    accounts other than the commenter (0 where there are none).
    """

    def make() -> pd.DataFrame:
        posts = weigh_posts(text)
        is_told = np.diff(posts.indptr) > 0
        talk = list_talk(text)
        talk = talk[has_text(talk) & is_told[talk["post"].to_numpy(np.int64)]]
        comments = weigh_comments(text, talk["text"])
        to_post = sum_products(
            comments, np.arange(len(talk)), posts, talk["post"].to_numpy(np.int64)
        )
        rest, count = _compare_to_others(text, posts, comments, talk["actor_id"])
        mean = np.divide(rest - to_post, count - 1.0, out=np.zeros(len(talk)), where=count > 1.0)
        return talk[["actor_id", "owner"]].assign(specificity=to_post - mean)

    found: pd.DataFrame = text.cached("comment_specificity", make)
    return found


def _compare_to_others(
    text: TextBlock, posts: sparse.csr_array, comments: sparse.csr_array, actor_ids: pd.Series
) -> tuple[FloatArray, FloatArray]:
    """Return the sum of each comment's cosines to all posts of others, and how many those are."""
    size, actor = len(text.ids), text.code(actor_ids)
    is_told = np.diff(posts.indptr) > 0
    own_count = np.append(np.bincount(text.owner[is_told], minlength=size), 0)
    shape = (size + 1, len(text.owner))
    wrote = sparse.csr_array((np.ones(shape[1]), (text.owner, np.arange(shape[1]))), shape=shape)
    whole = np.bincount(posts.indices, posts.data, posts.shape[1]).astype(np.float64)
    own = np.where(actor < 0, size, actor)
    to_own = sum_products(comments, np.arange(len(own)), wrote @ posts, own)
    return comments @ whole - to_own, is_told.sum() - own_count[own].astype(np.float64)


def comment_specificity(block: Block) -> FloatArray:
    """Return the shrunk mean specificity of the initiators' comments."""
    found = list_specificity(block.text)
    return of_actors(block, found["actor_id"], found["specificity"], ONE_AT_CHANCE)


def specificity_to_decider(block: Block) -> FloatArray:
    """Return the same of the initiators' comments on posts of the decider."""
    found = list_specificity(block.text)
    values = found["specificity"].to_numpy(np.float64)
    group, pair, size = match_pairs(block, found)
    # The group after the last, of pairs without a comment, gets the pool's mean, as it should.
    pooled = values.sum() / (len(values) + ONE_AT_CHANCE[1])
    total, count = np.bincount(group, values, size + 1), np.bincount(group, minlength=size + 1)
    return np.asarray((total[pair] + SHRINKAGE * pooled) / (count[pair] + SHRINKAGE))


# -- wordless, repeated, in haste ------------------------------------------------------------------


def list_comments(text: TextBlock) -> pd.DataFrame:
    """Return comments and replies towards others that come with a text, on whatever post."""

    def make() -> pd.DataFrame:
        acts = text.acts
        is_talk = acts["kind"].isin(TALK) & (acts["actor_id"] != acts["target_id"])
        return acts[is_talk.to_numpy(dtype=bool) & has_text(acts)].reset_index(drop=True)

    comments: pd.DataFrame = text.cached("texts_to_others", make)
    return comments


def _share(block: Block, actor_ids: pd.Series, flags: npt.ArrayLike) -> FloatArray:
    """Return the shrunk share of the initiators' acts with a flag; NaN before anybody's first."""
    if actor_ids.empty:
        return np.full(len(block.pairs), np.nan)
    return of_actors(block, actor_ids, flags)


def wordless_share(block: Block) -> FloatArray:
    """Return the shrunk share of the initiators' comments that have no word."""
    comments = list_comments(block.text)
    is_wordless = [not tokenise(said) for said in comments["text"]]
    return _share(block, comments["actor_id"], is_wordless)


def repeated_share(block: Block) -> FloatArray:
    """Return the shrunk share of the initiators' comments that went to another account before."""
    text = block.text
    flags = text.cached("repeated_comments", lambda: find_repeated(list_comments(text)))
    return _share(block, list_comments(text)["actor_id"], flags)


def simplify(said: str) -> str:
    """Return a text in small letters, without mentions, with single blanks.

    Examples
    --------
    >>> simplify("  Nice ONE,  @a.friend !")
    'nice one, !'
    """
    return " ".join(MENTION.sub(" ", said).casefold().split())


def find_repeated(comments: pd.DataFrame) -> FlagArray:
    """Return which comments say what their author said to another target at an earlier moment.

    Examples
    --------
    >>> said = {"actor_id": list("aaaa"), "target_id": list("bbcb"), "at_us": [1, 2, 3, 4]}
    >>> find_repeated(pd.DataFrame(said | {"text": ["Nice!", "nice!", "NICE!", "nice!"]})).tolist()
    [False, False, True, True]
    """
    said = pd.factorize(comments["text"].map(simplify))[0]
    table = comments[["actor_id", "target_id", "at_us"]].assign(said=said)
    by = ["actor_id", "said"]
    first = table.groupby([*by, "target_id"], as_index=False)["at_us"].min()
    first = first.sort_values("at_us", kind="stable")
    place = first.groupby(by).cumcount()
    found = table.merge(first[place == 0], on=by, suffixes=("", "_first"), how="left")
    second = first.loc[place == 1, [*by, "at_us"]].rename(columns={"at_us": "at_us_second"})
    found = found.merge(second, on=by, how="left")
    # The earliest moment of the same text to anyone else; that of the first, but for itself.
    is_first = found["target_id"] == found["target_id_first"]
    earlier = found["at_us_first"].where(~is_first, found["at_us_second"])
    return np.asarray((earlier < found["at_us"]).to_numpy(dtype=bool, na_value=False))


def rapid_share(block: Block) -> FloatArray:
    """Return the shrunk share of the initiators' acts that lie in quick runs."""
    acts = block.text.acts
    is_act = acts["kind"].isin(ACT_KINDS) & (acts["actor_id"] != acts["target_id"])
    acts = acts[is_act.to_numpy(dtype=bool)]
    actor = pd.factorize(acts["actor_id"])[0].astype(np.int64)
    at_us = acts["at_us"].to_numpy(np.int64)
    order = np.lexsort((at_us, actor))
    is_rapid = np.zeros(len(acts), dtype=bool)
    is_rapid[order] = find_runs(actor[order], at_us[order])
    return _share(block, acts["actor_id"], is_rapid)


def find_runs(actor: IntArray, at_us: IntArray) -> FlagArray:
    """Return which acts, in order of actor and time, lie in a run of ten or more under 5 s apart.

    Examples
    --------
    >>> seconds = np.r_[np.arange(10) * 4, 41, 46] * 1_000_000
    >>> find_runs(np.zeros(12), seconds).sum()
    np.int64(10)
    """
    begins = np.ones(len(actor), dtype=bool)
    begins[1:] = (np.diff(actor) != 0) | (np.diff(at_us) >= RUN_GAP_US)
    run = np.cumsum(begins) - 1
    return np.asarray(np.bincount(run, minlength=1)[run] >= RUN_ACTS)


def topic_shares_per_week_log(block: Block) -> FloatArray:
    """Return log(1 + shares of others' posts of the initiators' own main topic, per week)."""
    text = block.text
    acts = text.acts_on_posts(("share",))
    actor = text.code(acts["actor_id"])
    is_recent = acts["at_us"].to_numpy(np.int64) >= find_end(text) - BLOCK_DAYS * DAY_US
    topic = text.topic[acts["post"].to_numpy(np.int64)]
    kept = is_recent & (topic >= 0) & (np.append(text.main_topic, -1)[actor] == topic)
    amount = acts["amount"].to_numpy(np.float64)[kept]
    shared = np.bincount(actor[kept], amount, len(text.ids) + 1)
    return of_initiators(block, np.log1p(shared / WEEKS))


FEATURES: dict[str, FeatureFunction] = {
    "initiator_comment_specificity": of_blocks(comment_specificity, INITIATOR_ACTS),
    "initiator_wordless_comments_share": of_blocks(
        wordless_share, INITIATOR_ACTS, needs_posts=False
    ),
    "initiator_repeated_comments_share": of_blocks(
        repeated_share, INITIATOR_ACTS, needs_posts=False
    ),
    "initiator_rapid_acts_share": of_blocks(rapid_share, INITIATOR_ACTS, needs_posts=False),
    "initiator_topic_shares_per_week_log": of_blocks(
        topic_shares_per_week_log, INITIATOR_POSTS, INITIATOR_ACTS
    ),
    "dyad_comment_specificity": of_blocks(specificity_to_decider, INITIATOR_ACTS, DECIDER_POSTS),
}

COMMENTS_ON_POSTS = ("posts.text+interactions.post_id+interactions.text",)
UP_TO_BLOCK = "up to the last 28-day block that ends before t"
POOLED = "p = (K + 1) / (N + 2) over all accounts; missing while N = 0"

ENTRIES: tuple[Feature, ...] = (
    dated_feature(
        "initiator_comment_specificity",
        "6b",
        1,
        "how much the initiator's comments are about the post",
        "(Σ s + 10 p) / (n + 10) over n comments and replies with text by the initiator "
        f"{UP_TO_BLOCK}, on known posts of others that have words; s = cosine of comment and post, "
        "less the mean cosine of the comment and every other known post with words by accounts "
        "other than the initiator (0 without any). Words weigh as in dyad_topic_cosine, words that "
        "no known post uses are left out, and a comment without any other has s = 0; "
        "p = Σ s / (N + 1) over the N such comments of all accounts",
        unit=PER_TENTH,
        tables=COMMENTS_ON_POSTS,
        in_snapshots=True,
    ),
    dated_feature(
        "initiator_wordless_comments_share",
        "6b",
        -1,
        "share of the initiator's comments without a word",
        f"(k + 10 p) / (n + 10): n comments and replies with text by the initiator towards others "
        f"{UP_TO_BLOCK}; k of them have no word (emoji, punctuation, digits, links or mentions "
        f"only); {POOLED}",
        unit=PER_TEN_POINTS,
        tables=("interactions.text",),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "initiator_repeated_comments_share",
        "6b",
        -1,
        "share of the initiator's comments that it wrote to somebody else before",
        "(k + 10 p) / (n + 10): n as in initiator_wordless_comments_share; k of them have the "
        "text (small letters, without mentions, blanks made single) of a comment or reply that "
        f"the initiator wrote to another target at an earlier moment; {POOLED}",
        unit=PER_TEN_POINTS,
        tables=("interactions.text",),
        in_model=False,
    ),
    dated_feature(
        "initiator_rapid_acts_share",
        "6b",
        -1,
        "share of the initiator's acts that come in quick runs",
        f"(k + 10 p) / (n + 10): n likes, comments, replies, mentions, shares, saves and messages "
        f"by the initiator towards others {UP_TO_BLOCK}; k of them lie in a run of ten or more, "
        "each less than 5 s after the one before; a row that stands for several acts counts once, "
        f"because only its own moment is known; {POOLED}",
        unit=PER_TEN_POINTS,
        tables=("interactions.at",),
        in_model=False,
    ),
    dated_feature(
        "initiator_topic_shares_per_week_log",
        "6b",
        1,
        "posts of its own topic that the initiator shares, per week",
        "log(1 + shares by the initiator of known posts of others whose main topic is its own, in "
        "the 28 days before the end of the last 28-day block before t / 4); 0 without a topic",
        unit=PER_DOUBLING,
        tables=("posts.text+interactions.post_id",),
        in_model=False,
    ),
    dated_feature(
        "dyad_comment_specificity",
        "6b",
        1,
        "how much the initiator's comments on the decider's posts are about them",
        "as initiator_comment_specificity, over the comments on posts of the decider alone; p is "
        "the same, over the comments on anyone's posts",
        unit=PER_TENTH,
        tables=COMMENTS_ON_POSTS,
        in_snapshots=True,
        in_model=False,
    ),
)

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "6b",
        "The more the initiator's comments say about the post they stand under, rather than "
        "anything that would fit anywhere, the more often the decider answers.",
        1,
        # Acts towards the decider stay among what is adjusted for: how many there were is another
        # claim than what they say.
        ("initiator_comment_specificity",),
    ),
)
