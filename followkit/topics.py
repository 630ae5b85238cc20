"""Topics of posts: how much each post is about each of a few themes, fitted without supervision.

Non-negative matrix factorisation of the accounts' word vectors (Lee & Seung 1999,
doi:10.1038/44565). Rows have to come in an order that does not depend on account names, so that
renamed accounts get the same topics.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: A SciPy sparse array or a NumPy array, which are indexed alike.
Matrix = Any

MOST_TOPICS = 10
MOST_WORDS = 5_000
SWEEPS = 60


def choose_topic_count(account_count: int, word_count: int) -> int:
    """Return how many topics so many accounts and words can carry: at most ten.

    Examples
    --------
    >>> choose_topic_count(2_400, 150), choose_topic_count(12, 10), choose_topic_count(1, 3)
    (10, 4, 1)
    """
    return max(1, min(MOST_TOPICS, account_count // 3, word_count // 2))


def score_topics(accounts: Matrix, posts: Matrix) -> FloatArray:
    """Return the topic mix of each post (posts × topics); rows add up to 1, or are 0 without words.

    Parameters
    ----------
    accounts
        Vectors of accounts to which the topics are fitted, rows in an order free of names.
    posts
        Vectors of posts over the same columns.

    Notes
    -----
    A post's score for a topic is its product with the topic's unit word vector; the mix is the
    scores over their sum. The fit starts from singular vectors and takes a fixed number of sweeps,
    so equal input gives equal bits.

    Examples
    --------
    >>> words = sparse.csr_array([[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]] * 3)
    >>> mix = score_topics(words, words[:4])
    >>> bool(mix[0].argmax() == mix[1].argmax() != mix[2].argmax())
    True
    """
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    columns = _choose_words(accounts)
    count = choose_topic_count(accounts.shape[0], len(columns))
    if count == 1 or not len(columns):
        total = np.asarray(abs(posts).sum(axis=1)).ravel()
        return (total > 0).astype(np.float64)[:, None]
    model = NMF(count, init="nndsvda", random_state=0, max_iter=SWEEPS, tol=0.0)
    with warnings.catch_warnings():
        # A fixed number of sweeps is the definition here, converged or not.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # Where the fit is exact, its error comes out a hair below zero before a root is taken.
        warnings.simplefilter("ignore", RuntimeWarning)
        model.fit(sparse.csr_matrix(accounts[:, columns]))
    topics = model.components_
    length = np.sqrt((topics**2).sum(axis=1))
    # Dead topics stay at zero; noise of the last digit must not decide about a post.
    topics = topics / np.where(length > 0, length, 1.0)[:, None]
    scores = np.maximum(np.round(np.asarray(posts[:, columns] @ topics.T), 10), 0.0)
    total = scores.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(scores, total, out=np.zeros_like(scores), where=total > 0))


def _choose_words(accounts: Matrix) -> IntArray:
    """Return the columns in use, at most the 5,000 that most accounts use."""
    used = np.asarray((accounts != 0).sum(axis=0)).ravel()
    order = np.argsort(-used, kind="stable")[:MOST_WORDS]
    return np.sort(order[used[order] > 0])


def cluster_vectors(accounts: FloatArray, posts: FloatArray, count: int) -> FloatArray:
    """Return a topic mix (one-hot) from dense embeddings: k-means on the accounts' vectors.

    Examples
    --------
    >>> points = np.array([[0.0, 1], [0, 1.1], [1, 0], [1.1, 0]])
    >>> mix = cluster_vectors(points, points, 2)
    >>> bool((mix[0] == mix[1]).all() and (mix[0] != mix[2]).any())
    True
    """
    from sklearn.cluster import KMeans

    distinct = len(np.unique(np.round(accounts, 9), axis=0))
    model = KMeans(min(count, distinct), n_init=1, random_state=0).fit(accounts)
    return np.eye(model.n_clusters)[model.predict(posts)]
