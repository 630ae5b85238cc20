"""Words, hashtags and topics of posts: tokens, TF-IDF vectors of accounts, cosines of pairs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

#: Links and mentions say nothing about the topic.
NOISE = re.compile(r"https?://\S+|www\.\S+|@[\w.]+")
WORD = re.compile(r"\w+")
HASHTAG = re.compile(r"#(\w+)")
#: Scripts that are written without blanks: two neighbouring characters make a token.
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0e7f]+")
PAIR_CHUNK = 100_000


@lru_cache(maxsize=100_000)
def tokenise(text: str) -> tuple[str, ...]:
    """Return the words of a text in small letters; numbers alone, links and mentions are left out.

    Hashtags count as their word. Chinese, Japanese and Thai runs become pairs of characters.

    Examples
    --------
    >>> tokenise("Night #Photography tips: https://example.org 2026")
    ('night', 'photography', 'tips')
    >>> tokenise("写真部")
    ('写真', '真部')
    """
    words = WORD.findall(NOISE.sub(" ", text).casefold())
    tokens: list[str] = []
    for word in words:
        if UNSPACED.fullmatch(word) and len(word) > 1:
            tokens += [word[place : place + 2] for place in range(len(word) - 1)]
        elif not word.isdigit():
            tokens.append(word)
    return tuple(tokens)


def find_hashtags(text: str) -> tuple[str, ...]:
    """Return the hashtags of a text in small letters, each once, in order.

    Examples
    --------
    >>> find_hashtags("#Night and #night, #Photo")
    ('night', 'photo')
    """
    return tuple(dict.fromkeys(tag.casefold() for tag in HASHTAG.findall(text)))


class TopicSpace:
    """TF-IDF vectors of accounts over all their texts, each of length one.

    Weight of word w for account a: tf(a, w) · (1 + log((1 + N) / (1 + n_w))), with tf the share
    of w among a's words, N the accounts with words and n_w those that use w; then divided by the
    vector's length. Summation runs in a fixed order, so equal texts give equal bits.

    Parameters
    ----------
    ids, texts
        The account of each text, and the text.

    Attributes
    ----------
    ids
        Accounts with at least one word, sorted; the rows of `matrix`.
    matrix
        scipy.sparse CSR array, accounts × words.

    Examples
    --------
    >>> space = TopicSpace(pd.Series(["a", "b", "b"]), pd.Series(["cats", "cats", "dogs"]))
    >>> list(space.ids), space.matrix.shape
    (['a', 'b'], (2, 2))
    """

    ids: pd.Index
    matrix: sparse.csr_array

    def __init__(self, ids: pd.Series, texts: pd.Series) -> None:
        fitted = Tokens(ids, texts).fit()
        self.ids, self.matrix = fitted.ids, fitted.matrix

    @classmethod
    def of(cls, ids: pd.Index, matrix: sparse.csr_array) -> TopicSpace:
        """Return a space whose vectors are known."""
        space = cls.__new__(cls)
        space.ids, space.matrix = ids, matrix
        return space

    def code(self, ids: pd.Series) -> npt.NDArray[np.int64]:
        """Return the rows of accounts in `matrix`; −1 for those without words."""
        return np.asarray(self.ids.get_indexer(pd.Index(ids)), dtype=np.int64)

    def cosine(self, left: pd.Series, right: pd.Series) -> npt.NDArray[np.float64]:
        """Return the cosine of accounts' vectors, pair by pair; 0 where one has no words."""
        values = np.zeros(len(left))
        rows_left, rows_right = self.code(left), self.code(right)
        both = (rows_left >= 0) & (rows_right >= 0)
        values[both] = cosine_of_pairs(self.matrix, rows_left[both], rows_right[both])
        return values


class Tokens:
    """The words of many texts, split once, from which spaces of some of them can be fitted.

    Parameters
    ----------
    ids, texts
        The account of each text, and the text.
    """

    def __init__(self, ids: pd.Series, texts: pd.Series) -> None:
        tokens = [tokenise(text) for text in texts.astype(str)]
        lengths = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
        words = np.array([word for row in tokens for word in row], dtype=object)
        self._word, self._vocabulary = pd.factorize(words, sort=True)
        self._text = np.repeat(np.arange(len(tokens)), lengths)
        owner = pd.Series(np.asarray(ids)[self._text], dtype=ids.dtype)
        self._owner, self._ids = pd.factorize(owner, sort=True)

    def fit(self, keep: npt.NDArray[np.bool_] | None = None) -> TopicSpace:
        """Return the space of all texts, or of those where `keep` is true.

        Examples
        --------
        >>> tokens = Tokens(pd.Series(["a", "b"]), pd.Series(["cats", "dogs"]))
        >>> list(tokens.fit(np.array([False, True])).ids)
        ['b']
        """
        used = slice(None) if keep is None else keep[self._text]
        owner, word = self._owner[used], self._word[used]
        present = np.unique(owner)
        rows = np.searchsorted(present, owner)
        shape = (len(present), len(self._vocabulary))
        counts = sparse.csr_array((np.ones(len(rows)), (rows, word)), shape=shape)
        counts.sum_duplicates()
        return TopicSpace.of(pd.Index(self._ids)[present], _weigh(counts))

    def weigh_texts(
        self, texts: npt.NDArray[np.int64], known: npt.NDArray[np.int64]
    ) -> sparse.csr_array:
        """Return unit vectors of single texts, words weighed by the accounts of the known texts.

        Parameters
        ----------
        texts, known
            Places of the texts to weigh, and of those that the rarity of words is taken from.

        Returns
        -------
        scipy.sparse.csr_array
            Texts × words, the columns of `fit`; a text without words is a row of zeros.
        """
        everyone = self.count_words(known, by_account=True)
        return _weigh(self.count_words(texts), _find_rarity(everyone))

    def count_foreign(self, texts: Sequence[str]) -> sparse.csr_array:
        """Return how often each word comes in texts from elsewhere; new words are left out.

        Examples
        --------
        >>> tokens = Tokens(pd.Series(["a", "b"]), pd.Series(["cats", "dogs"]))
        >>> tokens.count_foreign(["Cats, cats and dogs!"]).toarray().tolist()
        [[2.0, 1.0]]
        """
        tokens = [tokenise(text) for text in texts]
        lengths = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
        said = pd.Index([word for row in tokens for word in row], dtype=object)
        words = pd.Index(self._vocabulary, dtype=object).get_indexer(said)
        rows = np.repeat(np.arange(len(tokens)), lengths)[words >= 0]
        shape = (len(tokens), len(self._vocabulary))
        ones = np.ones(len(rows))
        counts = sparse.csr_array((ones, (rows, words[words >= 0])), shape=shape)
        counts.sum_duplicates()
        return counts

    def weigh_foreign(
        self, counts: sparse.csr_array, known: npt.NDArray[np.int64]
    ) -> sparse.csr_array:
        """Return unit vectors of texts from elsewhere, weighed as those of `weigh_texts` are.

        Words that none of the known texts uses are left out, so that later texts change nothing.

        Parameters
        ----------
        counts
            What `count_foreign` returns.
        known
            Places of the texts that the words and their rarity are taken from.
        """
        everyone = self.count_words(known, by_account=True)
        is_used = np.bincount(everyone.indices, minlength=everyone.shape[1]) > 0
        kept = is_used[counts.indices]
        # Entries before each row's end, of those that are kept.
        ends = np.append(0, np.cumsum(kept))[counts.indptr]
        used = sparse.csr_array((counts.data[kept], counts.indices[kept], ends), shape=counts.shape)
        return _weigh(used, _find_rarity(everyone))

    def count_words(
        self, texts: npt.NDArray[np.int64], *, by_account: bool = False
    ) -> sparse.csr_array:
        """Return how often each word comes in each text, or in each account's texts together."""
        size = int(self._text.max(initial=-1)) + 1
        place = np.full(max(size, int(texts.max(initial=-1)) + 1), -1, dtype=np.int64)
        place[texts] = np.arange(len(texts))
        used = place[self._text] >= 0
        rows = place[self._text[used]]
        if by_account:
            present, rows = np.unique(self._owner[used], return_inverse=True)
        shape = (len(present) if by_account else len(texts), len(self._vocabulary))
        counts = sparse.csr_array((np.ones(len(rows)), (rows, self._word[used])), shape=shape)
        counts.sum_duplicates()
        return counts


def _find_rarity(counts: sparse.csr_array) -> npt.NDArray[np.float64]:
    account_count, word_count = counts.shape
    used_by = np.bincount(counts.indices, minlength=word_count)
    return np.asarray(1.0 + np.log((1.0 + account_count) / (1.0 + used_by)))


def _weigh(
    counts: sparse.csr_array, rarity: npt.NDArray[np.float64] | None = None
) -> sparse.csr_array:
    account_count = counts.shape[0]
    rarity = _find_rarity(counts) if rarity is None else rarity
    row = np.repeat(np.arange(account_count), np.diff(counts.indptr))
    values = counts.data * rarity[counts.indices]
    length = np.sqrt(np.bincount(row, weights=values**2, minlength=account_count))
    return sparse.csr_array(
        (values / length[row], counts.indices, counts.indptr), shape=counts.shape
    )


def cosine_of_pairs(
    matrix: sparse.csr_array, rows_a: npt.ArrayLike, rows_b: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Return the cosine of rows of a matrix of unit vectors, pair by pair, between 0 and 1.

    Examples
    --------
    >>> space = TopicSpace(pd.Series(["a", "b", "c"]), pd.Series(["cats", "cats", "dogs"]))
    >>> cosine_of_pairs(space.matrix, [0, 0], [1, 2]).tolist()
    [1.0, 0.0]
    """
    left, right = np.asarray(rows_a, dtype=np.int64), np.asarray(rows_b, dtype=np.int64)
    cosines = np.zeros(len(left))
    for start in range(0, len(left), PAIR_CHUNK):
        part = slice(start, start + PAIR_CHUNK)
        product = matrix[left[part]].multiply(matrix[right[part]]).tocsr()
        row = np.repeat(np.arange(product.shape[0]), np.diff(product.indptr))
        # bincount adds one after the other, unlike a BLAS sum, so the bits do not depend on it.
        cosines[part] = np.bincount(row, weights=product.data, minlength=product.shape[0])
    return np.clip(cosines, 0.0, 1.0)
