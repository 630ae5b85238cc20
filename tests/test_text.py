"""Tokens, hashtags and topic vectors, against weights worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.text import TopicSpace, cosine_of_pairs, find_hashtags, tokenise


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Straße und STRASSE", ("strasse", "und", "strasse")),
        ("see www.example.org/a?b and @someone.else", ("see", "and")),
        ("2026 was a year of 3d", ("was", "a", "year", "of", "3d")),
        ("日本語 x", ("日本", "本語", "x")),
        ("字", ("字",)),
        ("🙂 !!", ()),
        ("", ()),
    ],
)
def test_tokens(text, tokens) -> None:
    assert tokenise(text) == tokens


def test_hashtags_once_and_in_small_letters() -> None:
    assert find_hashtags("#Zoë #zoë text#x #2026") == ("zoë", "x", "2026")


def test_weights_are_those_of_the_formula() -> None:
    """Three accounts; 'a' is used by two, 'b' by one: 1 + log(4/3) and 1 + log(4/2)."""
    space = TopicSpace(pd.Series([1, 2, 3]), pd.Series(["a a b", "a", "c"]))
    dense = space.matrix.toarray()
    raw = np.array([2 * (1 + np.log(4 / 3)), 1 + np.log(4 / 2)])
    assert dense[0, :2] == pytest.approx(raw / np.sqrt((raw**2).sum()), abs=1e-15)
    assert dense[1].tolist() == [1.0, 0.0, 0.0]


words = st.lists(st.sampled_from(["ant", "bee", "cat", "dog"]), max_size=6).map(" ".join)


@given(st.lists(st.tuples(st.integers(0, 4), words), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_cosines_equal_dense_ones_in_any_order(rows) -> None:
    ids, texts = pd.Series([one for one, _ in rows]), pd.Series([text for _, text in rows])
    space = TopicSpace(ids, texts)
    size = len(space.ids)
    a, b = np.indices((size, size)).reshape(2, -1)
    found = cosine_of_pairs(space.matrix, a, b)
    dense = space.matrix.toarray()
    assert np.allclose(found, (dense @ dense.T).ravel(), rtol=0, atol=1e-12)
    again = TopicSpace(ids[::-1], texts[::-1])
    assert list(again.ids) == list(space.ids)
    assert np.array_equal(again.matrix.toarray(), dense)


def test_accounts_without_words_have_no_row() -> None:
    space = TopicSpace(pd.Series(["x", "y"]), pd.Series(["", "word"]))
    assert list(space.ids) == ["y"]
    assert cosine_of_pairs(space.matrix, [], []).tolist() == []
