"""Dyadic-robust errors of a fit on many rows, by sums over each account and each pair.

The covariances of `followkit.covariance` (plain dyadic and leave-one-account-out) without an
n × p array: rows are read in blocks, and what is kept is one row of sums an account. A busy account
also keeps its p × p part of the information; for the others, whose part is small, (I − M)⁻¹ g is
summed as g + M g + M² g + …, one reading a term, until a term no longer matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from followkit import covariance as cov
from followkit import scores
from followkit.errors import InputError, ParameterError, suggest
from followkit.scale._fit_kernels import ArrayRows, Files, IntArray, ParquetRows, Rows
from followkit.scale._robust_kernels import (
    KINDS,
    Kind,
    Whitener,
    count_degrees,
    sum_accounts,
    sum_pairs,
)
from followkit.scale.fit import StreamedLogit

FloatArray = npt.NDArray[np.float64]

#: Numbers of one batch of multipliers.
DRAWN_NUMBERS = 4_000_000


@dataclass(frozen=True)
class DyadicErrors:
    """The covariance of a fit's coefficients when dyads that share an account move together.

    Attributes
    ----------
    covariance
        (1 + p) × (1 + p), intercept first, in the units of the columns.
    kind
        dyadic_cr3 or dyadic.
    row_count, account_count, effective_count, largest_share
        Dyads; accounts that errors are clustered on; (Σ degree)² / Σ degree²; the share of dyads
        that the busiest account is part of.
    conditioned
        Code of an account in at least half of the dyads, on which errors are conditioned; else −1.
    """

    covariance: FloatArray
    kind: Kind
    row_count: int
    account_count: int
    effective_count: float
    largest_share: float
    conditioned: int

    @property
    def std_errors(self) -> FloatArray:
        """Standard errors, intercept first."""
        return np.asarray(np.sqrt(np.diag(self.covariance)), np.float64)

    @property
    def degrees_of_freedom(self) -> float:
        """Of t intervals: effective accounts less one, at least one."""
        return max(self.effective_count - 1.0, 1.0)

    def coefficients(self, model: StreamedLogit, *, confidence: float = 0.95) -> pd.DataFrame:
        """Return term, estimate, std_error, ci_low, ci_high, p_value, the intercept first."""
        names = getattr(model, "feature_names_in_", None)
        listed = (
            [f"column {k + 1}" for k in range(model.coef_.shape[1])] if names is None else names
        )
        beta, error = np.r_[model.intercept_, model.coef_[0]], self.std_errors
        reach = stats.t.ppf((1 + confidence) / 2, self.degrees_of_freedom) * error
        with np.errstate(divide="ignore", invalid="ignore"):
            p_value = 2 * stats.t.sf(np.abs(beta / error), self.degrees_of_freedom)
        return pd.DataFrame({"term": ["intercept", *listed], "estimate": beta, "std_error": error,
                             "ci_low": beta - reach, "ci_high": beta + reach,
                             "p_value": p_value})  # fmt: skip


def dyadic_errors(
    model: StreamedLogit,
    X: Any,
    y: Any,
    initiator: Any,
    decider: Any,
    *,
    sample_weight: Any = None,
    kind: Kind = "dyadic_cr3",
    memory_mb: int = 512,
) -> DyadicErrors:
    """Return the dyadic-robust covariance of a fit to arrays.

    Equal to `followkit.covariance.dyadic_cr3` and `dyadic` on the standardised columns. With H the
    information, H_v and g_v an account's part of it and its score sum, V = (G − 1)/G · Σ d_v d_vᵀ −
    Σ d_p d_pᵀ, d_v = (H − H_v)⁻¹ g_v, d_p likewise for unordered pairs; `dyadic` has H⁻¹ for
    (H − H_v)⁻¹ and no factor (Aronow, Samii & Assenova 2015, doi:10.1093/pan/mpv018).

    Parameters
    ----------
    model
        Fitted without penalty to the same rows.
    X, y, sample_weight
        As in the fit.
    initiator, decider
        An account id a row; integers from 0 are used as they are.
    kind
        dyadic_cr3 or dyadic.
    memory_mb
        Memory for sums, 3 · 8 · (1 + p) bytes an account; if more is needed, the rows are read
        again for each part of the accounts. Pairs need another 24 bytes a row, blocks about 60 MB a
        thread at 20 columns.

    Returns
    -------
    DyadicErrors
        float64; the same for any number of threads.

    Raises
    ------
    InputError
        If the parts differ in length, an id is missing, or the fit is penalised.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> X, ends = rng.normal(size=(900, 1)), rng.integers(0, 60, (2, 900)) + [[0], [60]]
    >>> y = (rng.random(900) < 0.4).astype(int)
    >>> errors = dyadic_errors(StreamedLogit().fit(X, y), X, y, *ends)
    >>> errors.account_count, errors.std_errors.shape
    (120, (2,))
    """
    _check_kind(model, kind)
    values = np.asarray(X)
    values = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
    outcome = (np.asarray(y) == model.classes_[1]).astype(np.float64)
    ends = code_ends(initiator, decider)
    weight = None if sample_weight is None else np.asarray(sample_weight, np.float64)
    lengths = {len(values), len(outcome), len(ends[0]), len(ends[1])}
    if len(lengths | ({len(weight)} if weight is not None else set())) > 1:
        raise InputError(
            f"rows: all parts need the same number of rows; got X {len(values):,}, y "
            f"{len(outcome):,}, accounts {len(ends[0]):,}"
        )
    if values.shape[1:] != model.mean_.shape or not np.isfinite(values.sum()):
        raise InputError(
            f"X: {len(model.mean_)} columns of finite numbers are needed, those of the fit"
        )
    rows = ArrayRows(values, outcome, weight, ends=ends)
    return _estimate(model, rows, kind, memory_mb)


def dyadic_errors_parquet(
    model: StreamedLogit,
    files: Files,
    outcome: str,
    initiator: str,
    decider: str,
    *,
    weight: str | None = None,
    kind: Kind = "dyadic_cr3",
    memory_mb: int = 512,
    memory_limit: str = "512MB",
) -> DyadicErrors:
    """Return the dyadic-robust covariance of a fit to Parquet files, read in blocks.

    Parameters
    ----------
    model
        From `followkit.scale.fit.fit_parquet` on the same files, without penalty.
    files, outcome, weight
        As in the fit.
    initiator, decider
        Columns with whole numbers from 0: the codes that `followkit.scale.codes` gives accounts.
    kind, memory_mb
        As for `dyadic_errors`.
    memory_limit
        What DuckDB may use; to bring rows of one pair together it sorts them, on disk if need be.

    Returns
    -------
    DyadicErrors
        float64; the same for any number of threads.

    Raises
    ------
    InputError
        If a column is absent or not of its kind, a code is missing, the fit is penalised, or the
        memory does not do.

    Examples
    --------
    >>> from followkit.scale.fit import fit_parquet
    >>> import duckdb, pathlib, tempfile
    >>> rng = np.random.default_rng(1)
    >>> dyads = pd.DataFrame({"x": rng.normal(size=400), "yes": rng.integers(0, 2, 400),
    ...                       "a": rng.integers(0, 30, 400), "b": rng.integers(30, 60, 400)})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = str(pathlib.Path(folder, "dyads.parquet"))
    ...     _ = duckdb.from_df(dyads).to_parquet(file)
    ...     model = fit_parquet(file, ["x"], "yes")
    ...     errors = dyadic_errors_parquet(model, file, "yes", "a", "b")
    >>> errors.account_count
    60
    """
    _check_kind(model, kind)
    names = [str(name) for name in model.feature_names_in_]
    with ParquetRows(
        files, names, outcome, weight=weight, accounts=(initiator, decider),
        memory_limit=memory_limit, threads=model.threads,
    ) as rows:  # fmt: skip
        return _estimate(model, rows, kind, memory_mb)


def code_ends(initiator: Any, decider: Any) -> tuple[IntArray, IntArray]:
    """Return codes from 0 of both ends; integers from 0 that are not too sparse stay as they are.

    Raises
    ------
    InputError
        If the ends differ in length or an id is missing.

    Examples
    --------
    >>> [end.tolist() for end in code_ends(["a", "b"], ["c", "a"])]
    [[0, 1], [2, 0]]
    """
    ends = [np.asarray(end) for end in (initiator, decider)]
    if len(ends[0]) != len(ends[1]):
        raise InputError(
            f"accounts: every dyad needs both ends; got {len(ends[0]):,} initiators and "
            f"{len(ends[1]):,} deciders"
        )
    if len(ends[0]) and all(end.dtype.kind in "iu" for end in ends):
        least, most = min(end.min() for end in ends), max(end.max() for end in ends)
        if least >= 0 and most < 4 * len(ends[0]) + 1_000:
            return ends[0].astype(np.int64, copy=False), ends[1].astype(np.int64, copy=False)
    both = pd.concat([pd.Series(end) for end in ends], ignore_index=True)
    codes = pd.factorize(both, sort=True)[0].astype(np.int64)
    if len(codes) and codes.min() < 0:
        raise InputError(
            f"accounts: an id must not be missing; {int((codes < 0).sum()):,} of {len(codes):,} "
            "are. Drop or complete these dyads."
        )
    return codes[: len(ends[0])], codes[len(ends[0]) :]


def _estimate(model: StreamedLogit, rows: Rows, kind: Kind, memory_mb: int) -> DyadicErrors:
    with threadpool_limits(limits=1, user_api="blas"):
        degrees = count_degrees(rows.ends())
        whitener = Whitener(model, rows)
        pairs = sum_pairs(rows, whitener, degrees.ego, kind, model.threads)
        meat = sum_accounts(rows, whitener, degrees, kind, memory_mb, model.threads)
    count = int(degrees.is_kept.sum())
    if kind == "dyadic_cr3":
        meat = meat * (max(count, 2) - 1) / max(count, 2)
    matrix = cov.clip_eigenvalues(whitener.root @ (meat - pairs) @ whitener.root.T)
    degree = degrees.degree[degrees.is_kept].astype(float)
    effective = float(degree.sum() ** 2 / (degree**2).sum()) if count else 0.0
    share = float(degrees.degree.max() / degrees.row_count)
    covariance = whitener.back @ matrix @ whitener.back.T
    return DyadicErrors(covariance, kind, degrees.row_count, count, effective, share, degrees.ego)


def _check_kind(model: StreamedLogit, kind: str) -> None:
    if kind not in KINDS:
        raise ParameterError(f"kind: {kind!r} is unknown; {suggest(kind, KINDS)}")
    if model.l2:
        raise InputError("l2: coefficients of a penalised fit are shrunk, so they have no errors")


def bootstrap_scores(
    outcome: Any,
    probability: Any,
    initiator: Any,
    decider: Any,
    *,
    weight: Any = None,
    replicates: int = 999,
    seed: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return log loss and AUC of held-out dyads with intervals from a bootstrap over accounts.

    A score is a mean of one value a dyad (its loss, its placement in the ranking). A replicate
    multiplies what leaving an account out would change by a random number of mean 0, variance 1
    and third moment 1 (Mammen 1993, doi:10.1214/aos/1176349025). A dyad then counts with both of
    its accounts, so deviations are brought to the dyadic-robust error of `followkit.scores`, and
    stretched by t over normal for few accounts. AUC is drawn on the logit scale.

    Parameters
    ----------
    outcome, probability
        0 or 1, and P(answered), a row; float64 inside.
    initiator, decider
        Account ids a row; integers from 0 are used as they are.
    weight
        Of the rows; 1 without.
    replicates, seed, confidence
        Of the bootstrap. The same seed gives the same numbers.

    Returns
    -------
    pandas.DataFrame
        score (log_loss, auc), value, std_error, ci_low, ci_high, replicate_error (the spread of
        the replicates before they are brought to std_error). AUC has no interval with fewer than
        5 dyads of a class or a perfect ranking. Memory: about 100 bytes a row.

    Raises
    ------
    InputError
        If there is no dyad, an outcome is neither 0 nor 1, or lengths differ.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> p, ends = rng.random(900), rng.integers(0, 60, (2, 900)) + [[0], [60]]
    >>> table = bootstrap_scores(rng.random(900) < p, p, *ends)
    >>> bool((table["ci_low"] < table["value"]).all())
    True
    """
    y, p = np.asarray(outcome, np.float64), np.asarray(probability, np.float64)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
    ends = code_ends(initiator, decider)
    if not len(y) == len(p) == len(w) == len(ends[0]) or not len(y):
        raise InputError(
            f"rows: all parts need the same number of rows, at least 1; got outcome {len(y):,}, "
            f"probability {len(p):,}, weight {len(w):,}, accounts {len(ends[0]):,}"
        )
    if not np.isin(y, (0.0, 1.0)).all():
        raise InputError(f"outcome: must be 0 or 1; {int((~np.isin(y, (0, 1))).sum()):,} are not")
    nobody = cov.code_accounts([], [])
    tested = scores.HeldOut(y, p, nobody, np.zeros(len(y), np.int64), confidence, w)
    losses = scores.log_losses(tested)
    loss = float(np.average(losses, weights=w))
    auc, influence = scores.auc_influence(tested)
    values = np.column_stack([losses - loss, influence])
    shown = _bootstrap(values, w, ends, replicates, seed)
    freedom = shown.pop("freedom")
    stretch = float(
        stats.t.ppf((1 + confidence) / 2, freedom) / stats.norm.ppf((1 + confidence) / 2)
    )
    tails = np.quantile(shown.pop("deviation") * stretch,
                        [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)  # fmt: skip
    limits = np.full((2, 2), np.nan)
    limits[0] = loss - tails[1, 0], loss - tails[0, 0]
    if not scores.too_few(tested) and 0 < auc < 1:
        centre = np.log(auc / (1 - auc))
        limits[1] = 1 / (1 + np.exp(-(centre - tails[::-1, 1] / (auc * (1 - auc)))))
    return pd.DataFrame({"score": ["log_loss", "auc"], "value": [loss, auc],
                         "std_error": shown["std_error"], "ci_low": limits[:, 0],
                         "ci_high": limits[:, 1],
                         "replicate_error": shown["replicate_error"]})  # fmt: skip


def _bootstrap(
    values: FloatArray, w: FloatArray, ends: tuple[IntArray, IntArray], replicates: int, seed: int
) -> dict[str, Any]:
    """Return std_error, replicate_error, deviations of the replicates, and degrees of freedom."""
    degrees = count_degrees(iter([ends]))
    kept = degrees.is_kept
    moves = _leave_out(values, w, ends, len(kept))[kept]
    paired = _leave_out_pairs(values, w, ends, degrees.ego)
    count = max(len(moves), 2)
    between = (count - 1) / count * (moves**2).sum(axis=0)
    variance = between - (paired**2).sum(axis=0)
    # As `followkit.covariance.dyadic_mean`: no width at all would claim certainty.
    single = _pair_sums(values * w[:, None], ends)
    least = (single**2).sum(axis=0) / w.sum() ** 2
    variance = np.where(variance <= 1e-9 * least, least, variance)
    deviation = _multiply(moves, replicates, seed)
    spread = np.sqrt((moves**2).sum(axis=0))
    deviation *= np.sqrt(variance) / np.where(spread > 0, spread, 1.0)
    degree = degrees.degree[kept].astype(float)
    freedom = max(float(degree.sum() ** 2 / (degree**2).sum()) - 1.0, 1.0) if len(degree) else 1.0
    return {"std_error": np.sqrt(variance), "replicate_error": spread, "deviation": deviation,
            "freedom": freedom}  # fmt: skip


def _multiply(moves: FloatArray, replicates: int, seed: int) -> FloatArray:
    """Return Σ ξ_v d_v of each replicate, ξ from Mammen's two points, some accounts at a time."""
    root = np.sqrt(5.0)
    low, high, chance = (1 - root) / 2, (1 + root) / 2, (root + 1) / (2 * root)
    generator = np.random.default_rng(seed)
    total = np.zeros((replicates, moves.shape[1]))
    step = max(DRAWN_NUMBERS // replicates, 1)
    for begin in range(0, len(moves), step):
        part = moves[begin : begin + step]
        is_low = generator.random((replicates, len(part)), dtype=np.float32) < chance
        total += high * part.sum(axis=0) + (low - high) * (is_low.astype(np.float64) @ part)
    return total


def _leave_out(
    values: FloatArray, w: FloatArray, ends: tuple[IntArray, IntArray], count: int
) -> FloatArray:
    """Return how each mean moves without an account: its weighted sum over the weight left."""
    mass = sum(np.bincount(end, weights=w, minlength=count) for end in ends)
    left = w.sum() - mass
    sums = np.stack([
        sum(np.bincount(end, weights=column * w, minlength=count) for end in ends)
        for column in values.T
    ], axis=1)  # fmt: skip
    safe = left > cov.SINGULAR * w.sum()
    return np.asarray(sums * np.where(safe, 1.0 / np.where(safe, left, 1.0), 0.0)[:, None])


def _pair_sums(values: FloatArray, ends: tuple[IntArray, IntArray]) -> FloatArray:
    """Return the sums of unordered pairs, in the order of the pairs."""
    if not len(values):
        return values
    high = np.maximum(*ends)
    key = np.minimum(*ends) * (int(high.max()) + 1) + high
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    return np.asarray(np.add.reduceat(values[order], begins, axis=0), np.float64)


def _leave_out_pairs(
    values: FloatArray, w: FloatArray, ends: tuple[IntArray, IntArray], ego: int
) -> FloatArray:
    """Return how each mean moves without a pair, for pairs without the conditioned account."""
    shared = (ends[0] != ego) & (ends[1] != ego)
    inside = ends[0][shared], ends[1][shared]
    sums = _pair_sums(np.column_stack([values * w[:, None], w])[shared], inside)
    left = w.sum() - sums[:, -1:]
    safe = left > cov.SINGULAR * w.sum()
    return np.asarray(sums[:, :-1] * np.where(safe, 1.0 / np.where(safe, left, 1.0), 0.0))
