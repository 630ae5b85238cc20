"""What was posted and done before a moment, and what is fitted to it: words, topics, originals.

A `TextBlock` is the same for every part of the dyads, so a `Library` keeps one a moment. Posts are
in order of time and text, never of account names, so that fits do not depend on names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from followkit.features.memo import Memo
from followkit.features.ties import UNKNOWN_US, get_table, to_us
from followkit.tables import Dataset
from followkit.text import Tokens, TopicSpace, find_hashtags
from followkit.topics import choose_topic_count, cluster_vectors, score_topics
from followkit.vectors import to_unit_rows

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
FlagArray = npt.NDArray[np.bool_]
Vectors = Literal["auto", "words", "columns", "wordllama"]

EMBEDDING, TOPIC = "embedding_", "topic_"
#: Reactions to a post that count as engagement with it.
ENGAGEMENT_KINDS = ("like", "comment", "reply", "share", "save")
#: Engagement with posts that is known by a moment: acts that name their post, or counts with a
#: moment of their own.
ENGAGED = (
    "interactions.post_id",
    *(f"posts.{kind}_count+posts.counts_at" for kind in ("like", "comment", "share", "save")),
)


@dataclass
class Library(Memo):
    """What a dataset says in words and acts, and its blocks by moment, each made once.

    Attributes
    ----------
    dataset
        The tables.
    vectors
        How posts become vectors: words (TF-IDF), columns (embeddings of the user's own, declared as
        made from text), wordllama (static word embeddings, an extra), or auto (columns where
        declared, else words).
    """

    dataset: Dataset
    vectors: Vectors = "auto"
    _blocks: dict[int | None, TextBlock] = field(default_factory=dict, repr=False)

    def block(self, end_us: int | None) -> TextBlock:
        """Return what was known strictly before a moment; None: everything, order unknown."""
        if end_us not in self._blocks:
            self._blocks[end_us] = TextBlock(self, end_us)
        return self._blocks[end_us]

    @cached_property
    def posts(self) -> pd.DataFrame:
        """All posts with `posted_us` (smallest integer: unknown), in order of time and text."""
        posts = get_table(self.dataset, "posts")
        text = posts["text"] if "text" in posts else pd.Series("", index=posts.index)
        posts = posts.assign(posted_us=to_us(posts["posted_at"]), text=text.fillna("").astype(str))
        order = ["posted_us", "text", "post_id"]
        return posts.sort_values(order, kind="stable", ignore_index=True)

    @cached_property
    def acts(self) -> pd.DataFrame:
        """All interactions in order of time, with `at_us`, `amount` and the row of the post.

        Columns actor_id, target_id, kind, at_us (smallest integer: unknown), amount, post_row (−1:
        none or not among the posts), text, interaction_id, reply_to_id.
        """
        acts = get_table(self.dataset, "interactions")
        empty = pd.Series(pd.NA, index=acts.index, dtype="string")
        optional = {
            name: acts.get(name, empty)
            for name in ("post_id", "text", "interaction_id", "reply_to_id")
        }
        table = pd.DataFrame(
            {
                "actor_id": acts["actor_id"],
                "target_id": acts["target_id"],
                "kind": acts["kind"],
                "at_us": to_us(acts["at"]),
                "amount": acts["count"].fillna(1).to_numpy(dtype=np.int64),
                "post_row": pd.Index(self.posts["post_id"]).get_indexer(
                    pd.Index(optional["post_id"])
                ),
                "text": optional["text"].fillna("").astype(str),
                "interaction_id": optional["interaction_id"],
                "reply_to_id": optional["reply_to_id"],
            }
        )
        table.loc[optional["post_id"].isna().to_numpy(dtype=bool), "post_row"] = -1
        return table.sort_values(["at_us", "kind", "text"], kind="stable", ignore_index=True)

    @cached_property
    def tag_uses(self) -> pd.DataFrame:
        """Every use of a hashtag, each once a post: row (of `posts`) and tag."""
        uses = pd.DataFrame({"row": np.arange(len(self.posts)), "tag": list_hashtags(self.posts)})
        uses = uses.explode("tag").dropna(subset="tag").drop_duplicates(ignore_index=True)
        return uses.assign(row=uses["row"].to_numpy(np.int64))

    @cached_property
    def tokens(self) -> Tokens:
        """The words of all posts, split once."""
        return Tokens(self.posts["account_id"], self.posts["text"])

    @cached_property
    def embeddings(self) -> FloatArray | None:
        """Dense unit vectors of posts where they are asked for or declared, else None."""
        if self.vectors == "wordllama":
            return to_unit_rows(embed_texts(self.posts["text"]))
        columns = [name for name in self.posts if str(name).startswith(EMBEDDING)]
        declared = self.dataset.about.get("embeddings", {}).get("made_from") == "text"
        if self.vectors == "words" or not columns or not declared:
            return None
        return to_unit_rows(self.posts[columns].to_numpy(np.float64, na_value=0.0))

    @cached_property
    def own_topics(self) -> FloatArray | None:
        """The topic mix of posts in columns of the user's own (`topic_…`), or None."""
        columns = sorted(name for name in self.posts if str(name).startswith(TOPIC))
        if not columns:
            return None
        mix = self.posts[columns].to_numpy(np.float64, na_value=0.0).clip(0.0)
        total = mix.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(mix, total, out=np.zeros_like(mix), where=total > 0))


class TextBlock(Memo):
    """Posts and acts strictly before a moment, and what is fitted to them.

    Attributes
    ----------
    end_us
        The moment; None for all posts and acts whatever their time (snapshots).
    posts
        The posts known by then, in the library's order; `row` is the place in `library.posts`.
    acts
        The interactions known by then, of every kind; `post_row` points into `library.posts`.
    known
        Which posts of the library those are.
    ids, owner
        Accounts with a post, in order of their first post; the code of each post's account.
    """

    def __init__(self, library: Library, end_us: int | None) -> None:
        self.library, self.end_us = library, end_us
        everything = library.posts
        self.known = self._before(everything["posted_us"])
        self.rows = np.flatnonzero(self.known)
        self.posts = everything[self.known].assign(row=self.rows).reset_index(drop=True)
        codes, ids = pd.factorize(self.posts["account_id"])
        self.owner, self.ids = codes.astype(np.int64), pd.Index(ids)

    def _before(self, stamps: pd.Series) -> FlagArray:
        if self.end_us is None:
            return np.ones(len(stamps), dtype=bool)
        at = stamps.to_numpy(np.int64)
        return (at != UNKNOWN_US) & (at < self.end_us)

    def code(self, ids: pd.Series) -> IntArray:
        """Return the codes of accounts; −1 for those without a post."""
        return np.asarray(self.ids.get_indexer(pd.Index(ids)), dtype=np.int64)

    def look_up(self, values: FloatArray, ids: pd.Series, *, missing: float = np.nan) -> FloatArray:
        """Return a value per account (in the order of `ids`) for each of these accounts."""
        codes = self.code(ids)
        padded = np.append(np.asarray(values, dtype=np.float64), missing)
        return padded[codes]

    def mean_by_account(self, values: FloatArray) -> FloatArray:
        """Return the mean of a value of posts over each account's posts, known values only."""
        known = ~np.isnan(values)
        size = len(self.ids)
        count = np.bincount(self.owner[known], minlength=size)
        total = np.bincount(self.owner[known], weights=values[known], minlength=size)
        return np.divide(total, count, out=np.full(size, np.nan), where=count > 0)

    @cached_property
    def acts(self) -> pd.DataFrame:
        """Interactions known by then, in order of time."""
        acts = self.library.acts
        return acts[self._before(acts["at_us"])].reset_index(drop=True)

    def acts_on_posts(self, kinds: Sequence[str]) -> pd.DataFrame:
        """Return acts of these kinds on known posts of others, in order of time.

        `acts` with `post` (the place in `posts`) and `owner` (the code of its account).
        """
        acts = self.acts
        post = self.find_posts(acts["post_row"])
        kept = acts["kind"].isin(kinds).to_numpy(dtype=bool) & (post >= 0)
        acts, post = acts[kept], post[kept]
        owner = self.owner[post]
        is_other = acts["actor_id"].to_numpy(object) != self.ids.to_numpy(object)[owner]
        return acts.assign(post=post, owner=owner)[is_other].reset_index(drop=True)

    def find_posts(self, post_rows: npt.ArrayLike) -> IntArray:
        """Return the places in `posts` of rows of the library; −1 for none or not known yet."""
        place = np.full(len(self.library.posts) + 1, -1, dtype=np.int64)
        place[self.rows] = np.arange(len(self.rows))
        return place[np.asarray(post_rows, dtype=np.int64)]

    # -- vectors and topics --------------------------------------------------------------------

    @cached_property
    def space(self) -> TopicSpace:
        """TF-IDF vectors of accounts (`followkit.text.TopicSpace`), or means of embeddings."""
        dense = self.library.embeddings
        if dense is None:
            return self.library.tokens.fit(self.known)
        mine = dense[self.rows]
        size = len(self.ids)
        sums = np.column_stack(
            [np.bincount(self.owner, column, size).astype(np.float64) for column in mine.T]
        )
        return TopicSpace.of(self.ids, sparse.csr_array(to_unit_rows(sums)))

    @cached_property
    def vectors(self) -> sparse.csr_array:
        """Unit vectors of posts, in the same space as the accounts' (rows of zeros: no words)."""
        dense = self.library.embeddings
        if dense is not None:
            return sparse.csr_array(dense[self.rows])
        return self.library.tokens.weigh_texts(self.rows, self.rows)

    @cached_property
    def account_rows(self) -> IntArray:
        """The row of each account (in the order of `ids`) in `space.matrix`; −1 without words."""
        return self.space.code(self.ids)

    @cached_property
    def topic_mix(self) -> FloatArray:
        """How much each post is about each topic; rows add up to 1, or are 0 without words."""
        own = self.library.own_topics
        if own is not None:
            return own[self.rows]
        with_words = self.account_rows[self.account_rows >= 0]
        if not len(with_words):
            return np.zeros((len(self.posts), 1))
        matrix = self.space.matrix[with_words]
        if self.library.embeddings is None:
            return score_topics(matrix, self.vectors)
        count = choose_topic_count(*matrix.shape)
        return cluster_vectors(matrix.toarray(), self.vectors.toarray(), count)

    @property
    def topic_count(self) -> int:
        """How many topics there are."""
        return int(self.topic_mix.shape[1])

    @cached_property
    def topic(self) -> IntArray:
        """The main topic of each post; −1 without words."""
        found = self.topic_mix.argmax(axis=1)
        return np.where(self.topic_mix.max(axis=1, initial=0.0) > 0, found, -1).astype(np.int64)

    @cached_property
    def account_mix(self) -> FloatArray:
        """The mean topic mix of each account's posts that have words (accounts × topics)."""
        told = np.where(self.topic[:, None] >= 0, self.topic_mix, np.nan)
        columns = [self.mean_by_account(column) for column in told.T]
        return np.nan_to_num(np.column_stack(columns))

    @cached_property
    def main_topic(self) -> IntArray:
        """The main topic of each account; −1 for one without words."""
        has_words = self.account_mix.max(axis=1, initial=0.0) > 0
        return np.where(has_words, self.account_mix.argmax(axis=1), -1).astype(np.int64)

    @cached_property
    def main_language(self) -> IntArray:
        """The commonest language of each account's posts; last, −1, and −1 where none has one.

        Languages are numbered by the alphabet, and the first of those used equally often counts.
        """
        main = np.full(len(self.ids) + 1, -1, dtype=np.int64)
        language = pd.factorize(self.posts["language"], sort=True)[0].astype(np.int64)
        told = language >= 0
        uses = pd.DataFrame({"owner": self.owner[told], "language": language[told]})
        uses = uses.groupby(["owner", "language"]).size().rename("posts").reset_index()
        uses = uses.sort_values(["posts", "language"], ascending=[False, True], kind="stable")
        uses = uses.drop_duplicates("owner")
        main[uses["owner"]] = uses["language"]
        return main

    # -- hashtags and engagement ---------------------------------------------------------------

    @cached_property
    def hashtags(self) -> pd.DataFrame:
        """Uses of hashtags: post (place in `posts`), account (code), tag; each once a post.

        And `use`, the place in `library.tag_uses`.
        """
        uses = self.library.tag_uses
        uses = uses[self.known[uses["row"].to_numpy(np.int64)]]
        post = self.find_posts(uses["row"])
        found = {"post": post, "account": self.owner[post], "tag": uses["tag"], "use": uses.index}
        return pd.DataFrame(found).reset_index(drop=True)

    @cached_property
    def engagement(self) -> FloatArray:
        """Reactions of others to each post that were known by then.

        Counted from `interactions` with a post; where there are none, the platform's own counts
        (likes + comments + shares + saves) if they were read by then, else missing.
        """
        if not (self.library.acts["post_row"] >= 0).any():
            return self._count_reactions()
        acts = self.acts_on_posts(ENGAGEMENT_KINDS)
        amount = acts["amount"].to_numpy(np.float64)
        return np.bincount(acts["post"], amount, len(self.posts)).astype(np.float64)

    def _count_reactions(self) -> FloatArray:
        names = ("like_count", "comment_count", "share_count", "save_count")
        figures = self.posts[list(names)].astype("Float64")
        total = figures.sum(axis=1, min_count=1).to_numpy(np.float64, na_value=np.nan)
        read = self._before(pd.Series(to_us(self.posts["counts_at"])))
        return np.where(read, total, np.nan)


def list_hashtags(posts: pd.DataFrame) -> list[list[str]]:
    """Return each post's hashtags: the column where there is one, else those in the text."""
    if "hashtags" in posts:
        listed = posts["hashtags"].fillna("").astype(str)
        return [[tag.lstrip("#").casefold() for tag in tags.split()] for tags in listed]
    return [list(find_hashtags(text)) for text in posts["text"].fillna("").astype(str)]


def embed_texts(texts: pd.Series) -> FloatArray:
    """Return static word embeddings of texts from the `wordllama` wheel, which carries its model.

    Raises
    ------
    InputError
        If the package is not installed.
    """
    from importlib.util import find_spec
    from pathlib import Path

    from followkit.errors import InputError

    found = find_spec("wordllama")
    if found is None or not found.submodule_search_locations:
        raise InputError(
            'vectors: "wordllama" needs the extra: pip install "followkit[embeddings]"; or use '
            '"words"'
        )
    from wordllama import WordLlama

    folder = Path(found.submodule_search_locations[0])
    model = WordLlama.load(cache_dir=folder, disable_download=True)
    return np.asarray(model.embed(texts.astype(str).tolist()), dtype=np.float64)
