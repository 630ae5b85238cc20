"""How a text is said, whatever it is about: function words, emoji, punctuation, lengths.

Function words carry grammar rather than topic, which is why they tell authors apart (Mosteller &
Wallace 1963, doi:10.1080/01621459.1963.10500849). Style vectors are compared by cosine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from followkit.text import NOISE, tokenise
from followkit.vectors import standardise, to_unit_rows

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: The commonest function words of six languages.
BY_LANGUAGE = {
    "en": "the of and to in a is that for it as with on be at by this from or but not are you i",
    "es": "de la que el en y los se del las un por con no una su para es al lo como más o pero",
    "de": "der die und in den von zu das mit sich des auf für ist im nicht ein eine als auch",
    "fr": "le les et à des en du une est que dans qui pour pas sur au plus par ne se il ce",
    "pt": "o a e do da em um os no na uma com não que mais as dos como mas ao ele",
    "it": "di il che è in un per una non sono con si da come anche più ma del alla nel",
}
FUNCTION_WORDS = tuple(
    dict.fromkeys(word for words in BY_LANGUAGE.values() for word in words.split())
)
#: Shares of words are sums of many roundings.
SPREADLESS = 1e-9
MARKS = ("emoji_share", "punctuation_share", "word_length", "word_count_log")

EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff]")
PUNCTUATION = re.compile(
    "[^\\w\\s\u200d\ufe0f\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff]"
)
BLANK = re.compile(r"\s")


def count_function_words(texts: Sequence[str]) -> sparse.csr_array:
    """Return how often each of `FUNCTION_WORDS` comes in each text (texts × words).

    Examples
    --------
    >>> counts = count_function_words(["the cat and the dog", "Katzen und Hunde"])
    >>> {FUNCTION_WORDS[word]: int(counts[0, word]) for word in counts[[0]].indices}
    {'the': 2, 'and': 1}
    """
    column = {word: place for place, word in enumerate(FUNCTION_WORDS)}
    pairs = [
        (row, column[word])
        for row, text in enumerate(texts)
        for word in tokenise(text)
        if word in column
    ]
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    shape = (len(texts), len(FUNCTION_WORDS))
    counts = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    counts.sum_duplicates()
    return counts


def measure_marks(texts: Sequence[str]) -> FloatArray:
    """Return four marks of style of each text, one column each.

    Links and mentions are taken out first. emoji_share: emoji / characters other than blanks;
    punctuation_share: characters that are neither letters, digits nor emoji / the same;
    word_length: letters and digits / words; word_count_log: log(1 + words). Words are those of
    `followkit.text.tokenise`; a text without any has 0 throughout.

    Examples
    --------
    >>> measure_marks(["Well done!! 😀"]).round(3).tolist()
    [[0.091, 0.182, 4.0, 1.099]]
    """
    return np.array([_measure_text(text) for text in texts], dtype=np.float64).reshape(-1, 4)


def _measure_text(text: str) -> tuple[float, float, float, float]:
    words = tokenise(text)
    if not words:
        return 0.0, 0.0, 0.0, 0.0
    plain = NOISE.sub(" ", text)
    size = len(plain) - len(BLANK.findall(plain))
    return (
        len(EMOJI.findall(plain)) / size,
        len(PUNCTUATION.findall(plain)) / size,
        sum(map(len, words)) / len(words),
        float(np.log1p(len(words))),
    )


def make_style_vectors(word_shares: FloatArray, marks: FloatArray) -> FloatArray:
    """Return style vectors of length one (texts × features), in which five parts weigh alike.

    Parameters
    ----------
    word_shares
        Texts × function words: uses / words of the text. Together they are one part.
    marks
        Texts × the four of `measure_marks`, each a part.

    Notes
    -----
    Every column is standardised over the texts (a constant one becomes 0), the shares are divided
    by the root of their number, and each row is divided by its length (a row of zeros stays 0).

    Examples
    --------
    >>> marks = np.array([[0.0, 0, 4, 1], [0.0, 0, 6, 1]])
    >>> make_style_vectors(np.zeros((2, 3)), marks)[:, 5].tolist()
    [-1.0, 1.0]
    """
    count = max(word_shares.shape[1], 1)
    shares, others = (standardise(part, spreadless=SPREADLESS) for part in (word_shares, marks))
    return to_unit_rows(np.hstack([shares / np.sqrt(count), others]))


def choose_widespread(counts: sparse.csr_array, owner: IntArray, most: int) -> IntArray:
    """Return the columns of the words that most accounts use, at most `most`, in ascending order.

    Of words that equally many use, the first columns are taken; words that nobody uses never.

    Examples
    --------
    >>> counts = sparse.csr_array([[1, 0, 2], [0, 0, 1], [4, 0, 0], [3, 1, 0]])
    >>> choose_widespread(counts, np.array([0, 1, 2, 2]), 1).tolist()
    [0]
    """
    entries = counts.tocoo()
    uses = pd.DataFrame({"owner": owner[entries.row], "word": entries.col}).drop_duplicates()
    spread = np.bincount(uses["word"], minlength=counts.shape[1])
    order = np.argsort(-spread, kind="stable")[:most]
    return np.sort(order[spread[order] > 0]).astype(np.int64)
