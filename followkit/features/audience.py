"""Factor 9, audience targeting: whether the initiator speaks to somebody in particular.

Precise words and a record of success (9a), an audience that B belongs to (9b), hashtags that reach
beyond one's followers (9c). What is fitted is taken at the end of the last 28-day block before t.
"""

from __future__ import annotations

from followkit.features.claim import Claim
from followkit.features.context import (
    DECIDER_POSTS,
    INITIATOR_ACTS,
    INITIATOR_POSTS,
    FeatureFunction,
    of_blocks,
)
from followkit.features.feature import (
    PER_TEN_POINTS,
    PER_TENTH,
    Feature,
    Product,
    dated_feature,
    graph_feature,
)
from followkit.features.hashtags import hashtag_mix, tag_relevance
from followkit.features.pooling import of_initiators
from followkit.features.targeting import (
    audience_community_share,
    audience_topic_likelihood,
    outside_engagers_share,
    resonance_share,
    topic_specificity,
)

FEATURES: dict[str, FeatureFunction] = {
    "initiator_topic_specificity": of_blocks(topic_specificity, INITIATOR_POSTS),
    "initiator_resonance_share": of_blocks(resonance_share, INITIATOR_POSTS, INITIATOR_ACTS),
    "initiator_success_rate": lambda c: c.record("initiator").shrunk(),
    "dyad_audience_topic_likelihood": of_blocks(audience_topic_likelihood, DECIDER_POSTS),
    "dyad_audience_community_share": of_blocks(audience_community_share, needs_posts=False),
    "initiator_hashtag_mix": of_blocks(
        lambda block: of_initiators(block, hashtag_mix(block.text)), INITIATOR_POSTS
    ),
    "initiator_tag_relevance": of_blocks(
        lambda block: of_initiators(block, tag_relevance(block.text)), INITIATOR_POSTS
    ),
    "initiator_outside_engagers_share": of_blocks(
        outside_engagers_share, INITIATOR_POSTS, INITIATOR_ACTS
    ),
}

TAGS = ("posts.posted_at+posts.hashtags", "posts.posted_at+posts.text")

ENTRIES: tuple[Feature, ...] = (
    dated_feature(
        "initiator_topic_specificity",
        "9a",
        1,
        "how few accounts use the topical words of the initiator",
        "(Σ log((1 + N) / (1 + m)) + 10 p) / (n + 10) over the initiator's n uses of topical words "
        "in posts up to the last 28-day block that ends before t; N accounts with words, m of "
        "them using the word; topical: 2 ≤ m ≤ N / 2; p = the mean over all uses of all accounts, "
        "0 while there are none",
        unit=PER_TENTH,
        tables=("posts.text",),
        in_snapshots=True,
    ),
    dated_feature(
        "initiator_resonance_share",
        "9a",
        1,
        "share of the reactions to the initiator that come from accounts of the post's topic",
        "(k + 10 p) / (n + 10): n likes, comments, replies, shares and saves of others on the "
        "initiator's posts that have a topic, up to the last 28-day block that ends before t; k of "
        "them by accounts whose main topic is that of the post (an account without words has "
        "none); p = (K + 1) / (N + 2) over all accounts",
        unit=PER_TEN_POINTS,
        tables=("posts.text+interactions.post_id",),
        in_snapshots=True,
        in_model=False,
    ),
    graph_feature(
        "initiator_success_rate",
        "9a",
        1,
        "share of the initiator's earlier follows that were answered",
        "(k + 10 p) / (n + 10): n accounts that the initiator was the first to follow, H or more "
        "before t (strictly), k of them answered within H while the follow stood; p = (K + 1) / "
        "(N + 2) over all follows so old. Without times: n followees, k of them mutual, without "
        "the pair (crawl) or the fold (snapshot)",
        unit=PER_TEN_POINTS,
        in_model=False,
    ),
    dated_feature(
        "dyad_audience_topic_likelihood",
        "9b",
        1,
        "how much of what the initiator's audience is about is what the decider is about",
        "Σ_k a_k b_k over topics k: b = the mean topic mix of the decider's posts; a = (Σ m + "
        "10 p) / (n + 10) over the topic mixes m of the n accounts with words that the initiator "
        "follows at the end of the last 28-day block before t, or acted towards up to then, the "
        "decider left out; p = mean of m over all accounts with words; 0 where the decider has no "
        "words",
        unit=PER_TENTH,
        tables=("posts.text+follows",),
        in_snapshots=True,
    ),
    graph_feature(
        "dyad_audience_community_share",
        "9b",
        1,
        "share of the initiator's followees in the decider's community",
        "(k + 10 p) / (n + 10): n followees of the initiator, k of them in the decider's community "
        "(Louvain), p = the share of all ties whose followee is in it; ties and communities as in "
        "dyad_shared_community, so that the decider is not among the followees; 0 for a decider "
        "without ties",
        unit=PER_TEN_POINTS,
        in_model=False,
    ),
    dated_feature(
        "initiator_hashtag_mix",
        "9c",
        1,
        "how evenly the initiator mixes hashtags of a niche and of a trend",
        "4 p (1 − p), p = (k + 10 q) / (n + 10): n uses of niche or trending hashtags by the "
        "initiator up to the last 28-day block that ends before t, k of them trending, q = "
        "(K + 1) / (N + 2) over all accounts; 0 where n = 0. A use (each tag once a post) is "
        "trending where all accounts together used the tag at least 3 times in the 7 days before "
        "the post, strictly, and at least 3 times a quarter of its uses in the 28 days before. "
        "Niche: any other use of a tag that, by the end of the block, two or more accounts use, "
        "but no more than 5 % of the accounts with tags (two are never too many)",
        unit=PER_TENTH,
        tables=TAGS,
        in_snapshots=True,
    ),
    dated_feature(
        "initiator_tag_relevance",
        "9c",
        1,
        "how well the initiator's posts fit what others post with the same hashtags",
        "(Σ c + 10 p) / (n + 10) over n uses of hashtags by the initiator, up to the last 28-day "
        "block that ends before t; c = cosine of the post's vector and the mean vector of other "
        "accounts' posts with the tag (0 where either has no words); tags that no other account "
        "uses do not count; p = mean c of all uses of all accounts, 0 while there are none",
        unit=PER_TENTH,
        tables=("posts.text",),
        in_snapshots=True,
        in_model=False,
    ),
    dated_feature(
        "initiator_outside_engagers_share",
        "9c",
        1,
        "share of those who react to the initiator that do not follow it",
        "(k + 10 p) / (n + 10): n accounts, the decider left out, with a like, comment, reply, "
        "share or save on a post of the initiator's up to the last 28-day block that ends before "
        "t; k of them without a follow of the initiator that stands then (in a crawl or snapshot: "
        "among the ties without the fold's); p = (K + 1) / (N + 2) over all accounts and whoever "
        "reacted to them",
        unit=PER_TEN_POINTS,
        tables=("posts.post_id+interactions.post_id+follows",),
        in_snapshots=True,
        in_model=False,
    ),
)

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "9a",
        "Precise segments beat one vague public: the fewer accounts share the topical words of "
        "the initiator, the more often the decider answers.",
        1,
        # Relevance stays among the adjusters: rare words are shared with few, so they lower the
        # cosine with almost any decider by construction, and without it the claim would be judged
        # by that. What aiming gains by reaching people whom it concerns is credited to 2a, 7a, 9b.
        ("initiator_topic_specificity",),
    ),
    Claim(
        "9b",
        "An initiator whose audience is about what the decider is about aims at it, and is "
        "answered by it more often.",
        1,
        # Adjusted for the topic cosine, the rival explanation: an audience is mostly about what
        # the initiator itself posts about, and the claim would be 2a over again.
        ("dyad_audience_topic_likelihood",),
    ),
    Claim(
        "9c",
        "An initiator whose hashtags mix a niche with what is trending reaches beyond its "
        "followers, and the decider answers more often.",
        1,
        ("initiator_hashtag_mix",),
    ),
    Claim(
        "9d",
        "An initiator who pays for targeting or studies the market is answered by the decider "
        "more often.",
        1,
        (),
        "none",
        grade="none",
        needs="advertising records",
    ),
)
