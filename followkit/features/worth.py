"""Factor 1, perceived account worth: what the initiator itself puts out, and how it answers.

Original and rare content (1a), one voice and a filled profile (the details of 1b; its pictures are
in `looks`), answers and discussions (1c), authority in a niche (1d). All but the profile is taken
at the end of the last 28-day block before t. Shares of few events are drawn to the pool: with k of
n, (k + 10 p) / (n + 10), and p the same share over all accounts with one event counted for and one
against.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from followkit.communities import page_rank
from followkit.duplicates import find_duplicates
from followkit.features.blocks import BLOCK_DAYS, Block
from followkit.features.claim import Claim
from followkit.features.context import (
    INITIATOR_ACTS,
    INITIATOR_POSTS,
    FeatureContext,
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
    profile_feature,
)
from followkit.features.formats import find_latest
from followkit.features.literature import AJZENMAN
from followkit.features.pooling import (
    NOTHING,
    mean_of_initiators,
    of_initiators,
    shrink_likeness,
)
from followkit.features.replies import (
    find_end,
    question_reply_rate,
    reply_delay_log,
    reply_rate,
    returning_share,
    threads_per_week_log,
)
from followkit.features.texts import FlagArray, Library, TextBlock
from followkit.features.ties import DAY_US, UNKNOWN_US, IntArray, get_table
from followkit.voice import (
    MARKS,
    choose_widespread,
    count_function_words,
    make_style_vectors,
    measure_marks,
)

PRAISE = ("share", "mention")
RARE_SHARE = 0.01
LATEST_POSTS = 30
FEWEST_FUNCTION_WORDS, MOST_FUNCTION_WORDS = 10, 50
PROFILE_TEXTS = ("display_name", "bio", "url")


# -- 1a: original, rare, not repeated --------------------------------------------------------------


def find_copies(library: Library, *, own: bool) -> IntArray:
    """Return for each post the earliest post (of its own account) that it nearly repeats, or −1.

    Posts without a time come after all others: one that may be later is nobody's original.
    """

    def make() -> IntArray:
        posts = library.posts
        order = np.argsort((posts["posted_us"] == UNKNOWN_US).to_numpy(), kind="stable")
        owners = pd.factorize(posts["account_id"])[0].astype(np.int64)[order] if own else None
        found = find_duplicates(posts["text"].to_numpy(object)[order].tolist(), owners)
        copies = np.full(len(posts), -1, dtype=np.int64)
        copies[order] = np.where(found >= 0, order[found], -1)
        return copies

    copies: IntArray = library.cached("own_duplicates" if own else "duplicates", make)
    return copies


def originality(block: Block) -> FloatArray:
    """Return the share of the initiators' posts that are neither reposts nor copies."""
    text = block.text
    is_copy = find_copies(text.library, own=False)[text.rows] >= 0
    originals = ~(is_copy | find_reposts(text))
    return mean_of_initiators(block, text.owner, originals.astype(np.float64))


def find_reposts(text: TextBlock) -> FlagArray:
    """Return which posts are said to be reposts."""
    if "is_repost" not in text.posts:
        return np.zeros(len(text.posts), dtype=bool)
    return np.asarray(text.posts["is_repost"].to_numpy(dtype=bool, na_value=False))


def self_repetition(block: Block) -> FloatArray:
    """Return the share of the initiators' posts that nearly repeat an earlier one of their own."""
    text = block.text
    is_copy = find_copies(text.library, own=True)[text.rows] >= 0
    return mean_of_initiators(block, text.owner, is_copy.astype(np.float64))


def rare_words(block: Block) -> FloatArray:
    """Return the mean share of rare words in the initiators' posts."""
    text = block.text
    tokens = text.library.tokens
    by_account = tokens.count_words(text.rows, by_account=True)
    users = np.bincount(by_account.indices, minlength=by_account.shape[1])
    is_rare = users < max(RARE_SHARE * by_account.shape[0], 2.0)
    words = tokens.count_words(text.rows)
    length = np.asarray(words.sum(axis=1), dtype=np.float64)
    rare = np.asarray(words @ is_rare.astype(np.float64))
    has_words = length > 0
    share = rare[has_words] / length[has_words]
    return mean_of_initiators(block, text.owner[has_words], share, NOTHING)


# -- 1b: one voice, a filled profile ---------------------------------------------------------------


def voice_consistency(block: Block) -> FloatArray:
    """Return how alike the style of the initiators' last 30 posts of their own is."""
    text = block.text
    post = choose_own_posts(text)
    vectors = make_style_vectors(*measure_style(text, post))
    return of_initiators(block, shrink_likeness(vectors, text.owner[post], len(text.ids)))


def choose_own_posts(text: TextBlock) -> IntArray:
    """Return the places of each account's last 30 posts that have words and are no reposts."""
    has_words = find_marks(text.library)[text.rows, MARKS.index("word_count_log")] > 0
    return find_latest(text, has_words & ~find_reposts(text), LATEST_POSTS)


def find_marks(library: Library) -> FloatArray:
    """Return the marks of style of all posts (`followkit.voice.measure_marks`)."""
    marks: FloatArray = library.cached(
        "voice_marks", lambda: measure_marks(library.posts["text"].tolist())
    )
    return marks


def measure_style(text: TextBlock, post: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the shares of function words in these posts, and their other marks of style."""
    library, rows = text.library, text.rows[post]
    marks = find_marks(library)[rows]
    listed = library.cached(
        "function_words", lambda: count_function_words(library.posts["text"].tolist())
    )
    counts = listed[rows]
    chosen = choose_widespread(counts, text.owner[post], MOST_FUNCTION_WORDS)
    if len(chosen) < FEWEST_FUNCTION_WORDS:
        # A language that is not listed: its most widespread words carry the grammar.
        counts = library.tokens.count_words(rows)
        chosen = choose_widespread(counts, text.owner[post], MOST_FUNCTION_WORDS)
    length = np.expm1(marks[:, MARKS.index("word_count_log")])
    return counts[:, chosen].toarray() / length[:, None], marks


def profile_completeness(context: FeatureContext) -> FloatArray:
    """Return the share of the initiator's profile fields that are filled."""
    accounts = get_table(context.dataset, "accounts")
    given = [name for name in PROFILE_TEXTS if context.dataset.has("accounts", name)]
    fields = {
        name: (context.profile("initiator", name).astype("string").str.strip().fillna("") != "")
        .astype("Float64")
        for name in given
    }  # fmt: skip
    if context.dataset.has("accounts", "has_picture"):
        fields["has_picture"] = context.profile("initiator", "has_picture").astype("Float64")
    filled = pd.DataFrame(fields).mean(axis=1)
    known = context.rows["initiator_id"].isin(accounts["account_id"]).to_numpy(dtype=bool)
    if context.is_dated and context.dataset.has("accounts", "counts_at"):
        known = known & context.profile("initiator", "counts_at").notna().to_numpy(dtype=bool)
    return np.where(known, filled.to_numpy(dtype=np.float64, na_value=np.nan), np.nan)


# -- 1d: authority in a niche ----------------------------------------------------------------------


def topic_mentions_log(block: Block) -> FloatArray:
    """Return log(1 + shares and mentions of the initiators by accounts of the same main topic)."""
    text = block.text
    acts = text.acts
    is_praise = acts["kind"].isin(PRAISE) & (acts["at_us"] >= find_end(text) - BLOCK_DAYS * DAY_US)
    acts = acts[is_praise.to_numpy(dtype=bool)]
    actor, target = text.code(acts["actor_id"]), text.code(acts["target_id"])
    topic = np.append(text.main_topic, -1)
    counts = (topic[actor] == topic[target]) & (topic[target] >= 0) & (actor != target)
    amount = acts["amount"].to_numpy(np.float64)[counts]
    received = np.bincount(target[counts], amount, len(text.ids))
    return of_initiators(block, np.log1p(np.append(received, 0.0)))


def topic_page_rank_log(block: Block) -> FloatArray:
    """Return log(1 + PageRank of the initiators with jumps to accounts of their main topic)."""
    node_topic = np.append(block.text.main_topic, -1)[block.node_account]
    node = block.node("initiator")
    mine = np.append(node_topic, -1)[node]
    values = np.zeros(len(node))
    for topic in np.unique(mine[mine >= 0]):
        jumps = (node_topic == topic).astype(np.float64)
        rank = page_rank(
            block.graph.source, block.graph.target, block.graph.node_count, weights=jumps
        )
        values[mine == topic] = rank[node[mine == topic]]
    return np.log1p(values)


FEATURES: dict[str, FeatureFunction] = {
    "initiator_originality_share": of_blocks(originality, INITIATOR_POSTS),
    "initiator_self_repetition_share": of_blocks(self_repetition, INITIATOR_POSTS),
    "initiator_rare_words_share": of_blocks(rare_words, INITIATOR_POSTS),
    "initiator_voice_consistency": of_blocks(voice_consistency, INITIATOR_POSTS),
    "initiator_profile_completeness": profile_completeness,
    "initiator_reply_rate": of_blocks(reply_rate, INITIATOR_POSTS, INITIATOR_ACTS),
    "initiator_question_reply_rate": of_blocks(
        question_reply_rate, INITIATOR_POSTS, INITIATOR_ACTS
    ),
    "initiator_reply_delay_log": of_blocks(reply_delay_log, INITIATOR_POSTS, INITIATOR_ACTS),
    "initiator_threads_per_week_log": of_blocks(threads_per_week_log, INITIATOR_ACTS),
    "initiator_returning_commenters_share": of_blocks(
        returning_share, INITIATOR_POSTS, INITIATOR_ACTS
    ),
    "initiator_topic_mentions_log": of_blocks(topic_mentions_log, INITIATOR_POSTS, INITIATOR_ACTS),
    "initiator_topic_page_rank_log": of_blocks(topic_page_rank_log, INITIATOR_POSTS),
}

ANSWERS = (
    "posts.posted_at+interactions.post_id+interactions.interaction_id+interactions.reply_to_id"
)
COMMENTS = (
    "comments and replies of others on the initiator's posts that are 48 h old or older at the end "
    "of the last 28-day block before t and have an interaction_id"
)
ANSWERED = (
    "a comment or reply by the initiator whose reply_to_id is that interaction_id came within 48 h"
)

ENTRIES: tuple[Feature, ...] = (
    dated_feature(
        "initiator_originality_share",
        "1a",
        1,
        "share of the initiator's posts that are original",
        "(k + 10 p) / (n + 10): n posts of the initiator up to the last 28-day block that ends "
        "before t; k of them are no repost and no near-duplicate (Jaccard similarity of word "
        "triples, below three words of words, ≥ .8) of an earlier post of anyone; p = (K + 1) / "
        "(N + 2) over all accounts; posts without words are no copies, posts without a time come "
        "last",
        unit=PER_TEN_POINTS,
        tables=("posts.text",),
        in_snapshots=True,
    ),
    dated_feature(
        "initiator_self_repetition_share",
        "1a",
        -1,
        "share of the initiator's posts that repeat an earlier one of its own",
        "(k + 10 p) / (n + 10): n posts of the initiator up to the last 28-day block that ends "
        "before t; k of them near-duplicate (as in initiator_originality_share) an earlier post of "
        "the initiator itself; p = (K + 1) / (N + 2) over all accounts",
        unit=PER_TEN_POINTS,
        tables=("posts.text",),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "initiator_rare_words_share",
        "1a",
        1,
        "share of rare words in the initiator's posts",
        "(Σ s + 10 p) / (n + 10): s = uses of rare words / words of a post, over the initiator's n "
        "posts with words up to the last 28-day block that ends before t; rare: used by one "
        "account only or by fewer than 1 % of the accounts with words; p = mean s of all posts "
        "with words; missing while nobody has any",
        unit=PER_TEN_POINTS,
        tables=("posts.text",),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "initiator_voice_consistency",
        "1b",
        1,
        "how alike the style of the initiator's posts is, whatever they are about",
        "c = mean cosine between the style vectors of two different posts of the initiator's last "
        "30 (n) with words that are no reposts, up to the last 28-day block that ends before t; "
        "(n c + 10 p) / (n + 10), p = Σ n c / Σ n over all accounts with two such posts or more; p "
        "with fewer than two; missing while nobody has two. Style, each part standardised over "
        "these posts of all accounts: the shares of the 50 listed function words that most "
        "accounts use (of any words while fewer than 10 listed ones are used) by the root of their "
        "number, emoji and punctuation per character, letters per word, log(1 + words)",
        unit=PER_TENTH,
        tables=("posts.text",),
        in_snapshots=True,
        in_model=False,
    ),
    profile_feature(
        "initiator_profile_completeness",
        "1b",
        1,
        "how much of the initiator's profile is filled",
        "share of display name, bio, link and picture that are filled, of those that the data "
        "hold; a picture of which nothing is known is left out; missing for an account without a "
        "profile",
        unit=PER_TEN_POINTS,
        tables=("accounts.display_name", "accounts.bio", "accounts.url", "accounts.has_picture"),
        in_model=False,
    ),
    dated_feature(
        "initiator_reply_rate",
        "1c",
        1,
        "share of comments that the initiator answers within two days",
        f"(k + 10 p) / (n + 10): n {COMMENTS}; k of them where {ANSWERED}; p = (K + 1) / (N + 2) "
        "over all accounts",
        unit=PER_TEN_POINTS,
        tables=(ANSWERS,),
    ),
    dated_feature(
        "initiator_question_reply_rate",
        "1c",
        1,
        "share of questions that the initiator answers within two days",
        "the same as initiator_reply_rate, of the comments whose text has a question mark (?, ？, "
        "¿ or ؟)",
        unit=PER_TEN_POINTS,
        tables=(f"{ANSWERS}+interactions.text",),
        in_model=False,
    ),
    dated_feature(
        "initiator_reply_delay_log",
        "1c",
        -1,
        "hours until the initiator answers a comment",
        f"(Σ log(1 + d) + 10 p) / (n + 10) over n {COMMENTS}; d = hours to the first answer, 48 "
        "where none came by then; p = the mean over all accounts with one more comment answered at "
        "once and one never",
        unit=PER_DOUBLING,
        tables=(ANSWERS,),
        in_model=False,
    ),
    dated_feature(
        "initiator_threads_per_week_log",
        "1c",
        1,
        "discussions of others in which the initiator speaks more than once, per week",
        "log(1 + posts of others with two or more comments or replies by the initiator in the 28 "
        "days before the end of the last 28-day block before t / 4)",
        unit=PER_DOUBLING,
        tables=("posts.posted_at+interactions.post_id",),
        in_model=False,
    ),
    dated_feature(
        "initiator_returning_commenters_share",
        "1c",
        1,
        "share of the initiator's commenters who come back",
        "(k + 10 p) / (n + 10): n other accounts with a comment or reply on the initiator's posts "
        "up to the last 28-day block that ends before t; k of them on three posts or more; p = "
        "(K + 1) / (N + 2) over all accounts",
        unit=PER_TEN_POINTS,
        tables=("posts.post_id+interactions.post_id",),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "initiator_topic_mentions_log",
        "1d",
        1,
        "shares and mentions of the initiator by accounts of its topic",
        "log(1 + shares and mentions of the initiator by other accounts with the same main topic "
        "in the 28 days before the end of the last 28-day block before t); 0 without a topic",
        unit=PER_DOUBLING,
        tables=("posts.text+interactions.at",),
    ),
    dated_feature(
        "initiator_topic_page_rank_log",
        "1d",
        1,
        "the initiator's PageRank within its topic",
        "log(1 + PageRank × accounts with ties), jumps landing on the accounts whose main topic is "
        "the initiator's; ties and topics at the end of the last 28-day block before t (at a crawl "
        "and in a snapshot without any tie of the fold's pairs); 0 without a topic or without ties",
        unit=PER_DOUBLING,
        tables=("follows+posts.text",),
        in_snapshots=True,
        in_model=False,
    ),
)

PRODUCTS: tuple[Product, ...] = (
    Product(
        "dyad_topic_mentions_cosine",
        "1d",
        1,
        "shares and mentions within the topic, of an initiator who is relevant to the decider",
        ("initiator_topic_mentions_log", "dyad_topic_cosine"),
    ),
    Product(
        "dyad_topic_page_rank_cosine",
        "1d",
        1,
        "PageRank within the topic, of an initiator who is relevant to the decider",
        ("initiator_topic_page_rank_log", "dyad_topic_cosine"),
    ),
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "1a",
        "The more of the initiator's posts are original, neither reposted nor copied nor "
        "repeated, the more often the decider answers.",
        1,
        ("initiator_originality_share",),
        grade="randomised",
        source=AJZENMAN,
    ),
    Claim(
        "1c",
        "The more of the comments on its posts the initiator answers, the more often the decider "
        "answers the initiator.",
        1,
        ("initiator_reply_rate",),
        # Answers to the decider's own comments are acts towards the decider.
        not_adjusted=("dyad_acts_to_decider_log",),
    ),
    Claim(
        "1d",
        "The more the initiator is shared and mentioned by accounts of its own topic, the more "
        "often the decider answers.",
        1,
        ("initiator_topic_mentions_log",),
    ),
)
