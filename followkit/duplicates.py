"""Near-duplicate texts: which text repeats an earlier one, for all texts at once.

Two texts are near-duplicates when their sets of word triples (of words, below three words) have a
Jaccard similarity of .8 or more. MinHash finds the candidates (Broder 1997,
doi:10.1109/SEQUEN.1997.666900; bands: Leskovec, Rajaraman & Ullman 2020, Mining of Massive
Datasets, ch. 3), and each candidate is then compared exactly.

Whether a text is a copy, and of which, depends only on it and on texts before it: hashes are of the
words themselves, with constants written here, so later texts cannot change an earlier finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.util import hash_array
from scipy import sparse

from followkit.errors import InputError
from followkit.text import PAIR_CHUNK, tokenise

IntArray = npt.NDArray[np.int64]
HashArray = npt.NDArray[np.uint64]

SIMILAR = 0.8
SHINGLE_WORDS = 3
#: Sixteen bands of four: a pair at Jaccard .8 is missed once in 5,000 times, one at .3 is looked
#: at once in 8.
BANDS, BAND_HASHES = 16, 4
#: How many of the earliest texts in a band's bucket each text is compared with.
MOST_COMPARED = 100
HASH_KEY = "followkit shingl"
NO_COPY = -1


@dataclass(frozen=True)
class Shingles:
    """The sets of shingles of many texts.

    Attributes
    ----------
    text, shingle
        One entry a shingle of a text, each once: the text's place and the shingle's hash; in order
        of the text.
    text_count
        How many texts there are, those without words included.
    """

    text: IntArray
    shingle: HashArray
    text_count: int

    def take(self, chosen: IntArray) -> Shingles:
        """Return the shingles of the chosen texts (places in ascending order), renumbered."""
        place = np.full(self.text_count, NO_COPY, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        kept = place[self.text] >= 0
        return Shingles(place[self.text[kept]], self.shingle[kept], len(chosen))


def find_duplicates(texts: Sequence[str], owners: IntArray | None = None) -> IntArray:
    """Return for each text the place of the earliest text before it that it nearly repeats.

    Parameters
    ----------
    texts
        In order of time: what comes first is the original.
    owners
        A number for each text's account; then a text is compared only with earlier texts of the
        same account.

    Returns
    -------
    numpy.ndarray
        int64; −1 for a text that repeats none. Texts without words (emoji, links) repeat nothing.

    Raises
    ------
    InputError
        If `owners` has another length than `texts`.

    Notes
    -----
    Of many texts that share a bucket without being near-duplicates, each is compared with the
    first 100 only, which bounds the work at 1,600 comparisons a text.

    Examples
    --------
    >>> said = ["fresh bread every day", "Fresh bread, every day!", "old bread", "bread old"]
    >>> find_duplicates(said).tolist()
    [-1, 0, -1, 2]
    >>> find_duplicates(said, np.array([1, 2, 2, 2])).tolist()
    [-1, -1, -1, 2]
    """
    if owners is not None and len(owners) != len(texts):
        raise InputError(f"owners: one entry a text is needed, {len(texts):,}; got {len(owners):,}")
    shingles = make_shingles(texts)
    group = np.zeros(len(texts), np.int64) if owners is None else np.asarray(owners, np.int64)
    first = _find_equal(shingles, group)
    originals = np.flatnonzero(first == np.arange(len(texts)))
    earlier = _find_similar(shingles.take(originals), group[originals])
    found = np.full(len(texts), NO_COPY, dtype=np.int64)
    has_words = first >= 0
    # What an equal text repeats, this one repeats as well; else it repeats the equal text.
    found[originals] = np.where(earlier >= 0, originals[earlier], NO_COPY)
    at_first = first[has_words]
    is_later = at_first != np.flatnonzero(has_words)
    found[has_words] = np.where(
        found[at_first] >= 0, found[at_first], np.where(is_later, at_first, NO_COPY)
    )
    return found


def make_shingles(texts: Sequence[str]) -> Shingles:
    """Return the set of word triples of each text, of words below three words, as hashes.

    Words are those of `followkit.text.tokenise`: small letters, without links and mentions.

    Examples
    --------
    >>> make_shingles(["a b c d", "a a", "!"]).text.tolist()
    [0, 0, 1]
    """
    tokens = [tokenise(text) for text in texts]
    length = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
    code, vocabulary = pd.factorize(np.array([word for row in tokens for word in row], object))
    word = hash_array(np.asarray(vocabulary, object), hash_key=HASH_KEY)[code]
    text = np.repeat(np.arange(len(tokens)), length)
    triple = _hash_triples(word)
    ends_inside = np.zeros(len(text), dtype=bool)
    ends_inside[: len(triple)] = text[: len(triple)] == text[SHINGLE_WORDS - 1 :]
    is_short = length[text] < SHINGLE_WORDS
    shingle = np.concatenate([triple[ends_inside[: len(triple)]], word[is_short]])
    owner = np.concatenate([text[ends_inside], text[is_short]])
    order = np.lexsort((shingle, owner))
    owner, shingle = owner[order], shingle[order]
    is_new = np.ones(len(owner), dtype=bool)
    is_new[1:] = (owner[1:] != owner[:-1]) | (shingle[1:] != shingle[:-1])
    return Shingles(owner[is_new], shingle[is_new], len(tokens))


def _hash_triples(word: HashArray) -> HashArray:
    """Return a hash of every three words in a row, in which their order counts."""
    first, second, third = (
        word[place : len(word) - SHINGLE_WORDS + 1 + place] for place in range(SHINGLE_WORDS)
    )
    return _scramble(_scramble(_scramble(first) + second) + third)


def _scramble(values: HashArray) -> HashArray:
    return np.asarray(hash_array(values, categorize=False), dtype=np.uint64)


def _find_equal(shingles: Shingles, group: IntArray) -> IntArray:
    """Return for each text the first of its group with the same shingles; −1 without words."""
    present, start = np.unique(shingles.text, return_index=True)
    first = np.full(shingles.text_count, NO_COPY, dtype=np.int64)
    if not len(present):
        return first
    # A sum of scrambled hashes names the set: two sets share one by a chance of 2⁻⁶⁴.
    total = np.add.reduceat(_scramble(shingles.shingle), start)
    sets = pd.DataFrame({"group": group[present], "total": total, "text": present})
    first[present] = sets.groupby(["group", "total"], sort=False)["text"].transform("first")
    return first


def _find_similar(shingles: Shingles, group: IntArray) -> IntArray:
    """Return for each text, all of them different, the earliest near-duplicate before it, or −1."""
    found = np.full(shingles.text_count, shingles.text_count, dtype=np.int64)
    codes, known = pd.factorize(shingles.shingle)
    ones = np.ones(len(codes), dtype=np.int64)
    shape = (shingles.text_count, len(known))
    sets = sparse.csr_array((ones, (shingles.text, codes)), shape=shape)
    for key in _make_band_keys(shingles, group):
        _search_buckets(key, sets, found)
    return np.where(found < shingles.text_count, found, NO_COPY)


def _make_band_keys(shingles: Shingles, group: IntArray) -> list[HashArray]:
    """Return for each band the bucket of each text: the same four least hashes, the same group."""
    if not shingles.text_count:
        return []
    start = np.searchsorted(shingles.text, np.arange(shingles.text_count))
    keys = []
    for band in range(BANDS):
        key = _scramble(group.astype(np.uint64))
        for place in range(BAND_HASHES):
            salt = np.uint64(band * BAND_HASHES + place + 1)
            salted = shingles.shingle ^ _scramble(np.array([salt]))
            key = _scramble(key + np.minimum.reduceat(_scramble(salted), start))
        keys.append(key)
    return keys


def _search_buckets(key: HashArray, sets: sparse.csr_array, found: IntArray) -> None:
    """Lower `found` to the earliest near-duplicate within each bucket, where that is earlier."""
    order = np.argsort(key, kind="stable")
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = key[order[1:]] != key[order[:-1]]
    start = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    open_ = np.flatnonzero(~begins)
    for step in range(MOST_COMPARED):
        # Candidates come from the earliest on, so the first that fits is the answer.
        open_ = open_[start[open_] + step < open_]
        open_ = open_[order[start[open_] + step] < found[order[open_]]]
        if not len(open_):
            break
        text, candidate = order[open_], order[start[open_] + step]
        fits = jaccard_of_pairs(sets, text, candidate) >= SIMILAR
        found[text[fits]] = candidate[fits]
        open_ = open_[~fits]


def jaccard_of_pairs(
    sets: sparse.csr_array, rows_a: IntArray, rows_b: IntArray
) -> npt.NDArray[np.float64]:
    """Return |A ∩ B| / |A ∪ B| of rows of a matrix of zeros and ones, pair by pair.

    Examples
    --------
    >>> sets = sparse.csr_array([[1, 1, 0], [1, 1, 1]])
    >>> jaccard_of_pairs(sets, np.array([0]), np.array([1])).round(3).tolist()
    [0.667]
    """
    size = np.diff(sets.indptr)
    similarity = np.zeros(len(rows_a))
    for begin in range(0, len(rows_a), PAIR_CHUNK):
        part = slice(begin, begin + PAIR_CHUNK)
        left, right = rows_a[part], rows_b[part]
        both = np.asarray(sets[left].multiply(sets[right]).sum(axis=1)).ravel()
        either = size[left] + size[right] - both
        similarity[part] = np.divide(both, either, out=np.zeros(len(left)), where=either > 0)
    return similarity
