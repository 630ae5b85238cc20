"""Logistic regression on many rows: Newton's method over blocks, from memory or from Parquet.

Every step needs only sums over rows, so each block is read, added and forgotten. Blocks hold the
same rows and are added in the same order whatever the number of threads, so results are the same
to the last bit, and the same from memory and from Parquet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import linalg
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from followkit.errors import CannotFitError, ParameterError
from followkit.logit import BinaryLogit, expit
from followkit.model import LARGEST_ERROR, SMALLEST_PROBABILITY
from followkit.scale._fit_kernels import (
    INNER_ROWS,
    ArrayRows,
    Files,
    NewtonSums,
    ParquetRows,
    RowBlock,
    Rows,
    map_blocks,
    newton_sums,
)

__all__ = ["NewtonSums", "StreamedLogit", "fit_parquet", "newton_sums"]

FloatArray = npt.NDArray[np.float64]

#: Rows of the sample that Newton starts from; with fewer than four times as many, none is drawn.
SAMPLE_ROWS = 50_000
#: Share of a column's variance that other columns leave over, below which it repeats them.
REPEATED = 1e-10
SEED = 7


@dataclass(frozen=True)
class Moments:
    """Means and spreads of the columns, and the weights of both outcomes.

    `cross` holds Σ (x − mean)(x − mean)ᵀ; `answered` and `total` are sums of weights; `sample` are
    rows drawn block by block, or None.
    """

    row_count: int
    mean: FloatArray
    scale: FloatArray
    cross: FloatArray
    is_constant: npt.NDArray[np.bool_]
    answered: float
    total: float
    sample: ArrayRows | None

    @property
    def base(self) -> FloatArray:
        """The coefficients that say nothing but the base rate."""
        share = np.clip(self.answered / self.total, 1e-12, 1 - 1e-12)
        return np.r_[np.log(share / (1 - share)), np.zeros(len(self.mean))]

    @property
    def base_loss(self) -> float:
        """The loss of the base rate."""
        parts = np.array([self.answered, self.total - self.answered])
        return float(-(parts @ np.log(np.maximum(parts / self.total, 1e-300))))


class StreamedLogit(BinaryLogit):
    """Logistic regression of two classes by Newton's method over blocks of rows.

    Newton starts from the fit of a sample, so that mostly three readings of the rows do, after one
    for means and spreads. Centring and scaling serve only the arithmetic: coefficients are in
    the units of the columns. BLAS runs on one thread meanwhile; rows are shared among `threads`.

    Parameters
    ----------
    l2
        Penalty ½ · l2 · Σ β² on the slopes, not on the intercept; 0 is maximum likelihood.
    standardise
        Whether the penalty is on slopes per standard deviation instead of per unit.
    max_iter
        Readings of the rows by Newton at most, halved steps included.
    tolerance
        The largest change of a standardised coefficient at which the fit has converged. The error
        left over is about the square of it.
    threads
        Blocks worked on at once; the results do not depend on it.

    Attributes
    ----------
    coef_, intercept_
        In scikit-learn's shapes (1 × p and 1), float64.
    n_iter_, converged_
        Readings of the rows by Newton, and whether they settled (else an error was raised).
    mean_, scale_
        Means and standard deviations of the columns.
    row_count_, left_out_
        Rows in the fit, and rows of a file left out because a value is missing.

    Raises
    ------
    followkit.errors.CannotFitError
        If columns separate the outcome, repeat each other or do not vary (with `l2=0`), or the
        steps do not settle.

    Notes
    -----
    Memory beside X: about 10 MB a thread at 20 columns. X is never copied where it is float64 or
    float32.

    Examples
    --------
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 1, 0, 1])
    >>> model = StreamedLogit().fit(X, y)
    >>> model.coef_.round(4).tolist(), model.n_iter_
    ([[0.9082]], 5)
    """

    _dtypes = (np.float64, np.float32)

    def __init__(
        self,
        l2: float = 0.0,
        *,
        standardise: bool = False,
        max_iter: int = 30,
        tolerance: float = 1e-6,
        threads: int = 2,
    ) -> None:
        self.l2 = l2
        self.standardise = standardise
        self.max_iter = max_iter
        self.tolerance = tolerance
        self.threads = threads

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the coefficients to arrays.

        Raises
        ------
        ValueError
            If `y` does not hold exactly two classes, or a weight is negative or missing.
        followkit.errors.CannotFitError
            If there is no finite answer (see the class).
        """
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32])
        self.classes_ = _find_classes(y)
        if len(self.classes_) != 2:
            check_classification_targets(y)
            raise ValueError(
                "Only binary classification is supported: y must hold two classes, and it holds "
                f"{len(self.classes_)} class{'es' * (len(self.classes_) != 1)}"
            )
        outcome = (y == self.classes_[1]).astype(np.float64)
        weight = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        if weight is not None and (
            weight.shape != outcome.shape
            or not (np.isfinite(weight).all() and weight.min() >= 0 and weight.sum() > 0)
        ):
            raise ValueError(
                "sample_weight: one finite number of 0 or more a row is needed, not all zero"
            )
        names = getattr(self, "feature_names_in_", None)
        listed = [f"column {k + 1}" for k in range(X.shape[1])] if names is None else list(names)
        return self._fit_rows(ArrayRows(X, outcome, weight, names=listed))

    def _fit_rows(self, rows: Rows) -> Self:
        if not self.l2 >= 0:
            raise ParameterError(f"l2: must be 0 or more; got {self.l2}")
        with threadpool_limits(limits=1, user_api="blas"):
            moments = measure(rows, self.threads)
            if not self.l2:
                _check_columns(rows, moments)
            penalty = self._penalty(moments)
            start = self._start(moments, penalty)
            beta, settled, sums = self._newton(rows, moments, penalty, start)
            if not self.l2:
                _check_separation(rows, sums, settled=settled)
        if not settled:
            raise CannotFitError(
                f"the fit did not settle in {self.max_iter} steps; allow more, or fewer columns"
            )
        slopes = beta[1:] / moments.scale
        self.converged_, self.mean_, self.scale_ = settled, moments.mean, moments.scale
        self.row_count_, self.left_out_ = rows.row_count, rows.left_out
        self.coef_ = slopes[None]
        self.intercept_ = np.array([beta[0] - slopes @ moments.mean])
        return self

    def _penalty(self, moments: Moments) -> FloatArray:
        """Return the penalty of each standardised coefficient."""
        unit = np.ones_like(moments.scale) if self.standardise else moments.scale**-2
        return np.r_[0.0, self.l2 * unit]

    def _start(self, moments: Moments, penalty: FloatArray) -> FloatArray:
        """Return the fit of the sample, or the base rate where that has no answer."""
        sample = moments.sample
        if sample is None or np.ptp(sample.outcome) == 0:
            return moments.base
        share = sample.row_count / moments.row_count
        beta, settled, _ = self._newton(sample, moments, penalty * share, moments.base)
        return beta if settled else moments.base

    def _newton(
        self, rows: Rows, moments: Moments, penalty: FloatArray, start: FloatArray
    ) -> tuple[FloatArray, bool, NewtonSums]:
        """Return coefficients, whether they settled, and the sums before the last step."""
        beta, step = start, np.zeros_like(start)
        best, sums = np.inf, None
        if not self.l2 and rows is not moments.sample:
            # A start that is worse than the base rate is no start.
            best, step = moments.base_loss * (1 + 1e-9), start - moments.base
        for count in range(1, self.max_iter + 1):
            self.n_iter_ = count
            found = sum_rows(rows, beta, moments.mean, moments.scale, self.threads)
            loss = found.loss + 0.5 * float(penalty @ beta**2)
            if not loss <= best + 1e-12 * abs(best):
                # Back to half of the step; from a bad sample at once to the base rate.
                beta, step = (beta - step / 2, step / 2) if sums else (moments.base, 0 * step)
                continue
            best, sums = loss, found
            step = _solve(found.information + np.diag(penalty), found.gradient - penalty * beta)
            beta = beta + step
            if np.abs(step).max() < self.tolerance:
                return beta, True, found
        return beta, False, sums or found


def fit_parquet(
    files: Files,
    columns: Sequence[str],
    outcome: str,
    *,
    weight: str | None = None,
    l2: float = 0.0,
    standardise: bool = False,
    max_iter: int = 30,
    tolerance: float = 1e-6,
    threads: int = 2,
    memory_limit: str = "512MB",
) -> StreamedLogit:
    """Fit a logistic regression to Parquet files that need not fit into memory.

    Rows with a missing column or weight are left out and counted. The coefficients equal those of
    `StreamedLogit.fit` on the same rows to the last bit.

    Parameters
    ----------
    files
        A Parquet file, a pattern such as `part-*.parquet`, or a list of either.
    columns, outcome, weight
        Names of numeric or yes-or-no columns; the outcome is 0 or 1.
    l2, standardise, max_iter, tolerance, threads
        As for `StreamedLogit`.
    memory_limit
        What DuckDB may use. Blocks add about 12 MB each at 20 columns, whatever the rows.

    Returns
    -------
    StreamedLogit
        Fitted, with `feature_names_in_`.

    Raises
    ------
    followkit.errors.InputError
        If a file or column is absent, not numeric or infinite, or an outcome is neither 0 nor 1.
    followkit.errors.CannotFitError
        If no row is complete, nobody or everybody answered, or there is no finite answer.

    Examples
    --------
    >>> import duckdb, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = str(pathlib.Path(folder, "dyads.parquet"))
    ...     made = "(VALUES (0, 0), (1, 1), (2, 0), (3, 1)) AS made(x, answered)"
    ...     _ = duckdb.sql(f"COPY (FROM {made}) TO '{file}'")
    ...     model = fit_parquet(file, ["x"], "answered")
    >>> model.coef_.round(4).tolist(), model.row_count_
    ([[0.9082]], 4)
    """
    model = StreamedLogit(
        l2, standardise=standardise, max_iter=max_iter, tolerance=tolerance, threads=threads
    )
    with ParquetRows(
        files, columns, outcome, weight=weight, memory_limit=memory_limit, threads=threads
    ) as rows:
        if not rows.row_count:
            raise CannotFitError("rows: every row has a missing value; nothing is left to fit")
        if rows.answered_count in (0, rows.row_count):
            who = "everybody" if rows.answered_count else "nobody"
            raise CannotFitError(
                f"{who} followed back (n = {rows.row_count:,}): no model is possible"
            )
        model.classes_ = np.array([0, 1])
        model.feature_names_in_ = np.array(list(columns), dtype=object)
        model.n_features_in_ = len(columns)
        return model._fit_rows(rows)


def sum_rows(
    rows: Rows, beta: FloatArray, mean: FloatArray, scale: FloatArray, threads: int
) -> NewtonSums:
    """Return the Newton sums of all rows for standardised columns and coefficients."""
    unit = np.r_[1.0, 1.0 / scale]

    def work(block: RowBlock) -> NewtonSums:
        return newton_sums(block.values, block.outcome, block.weight, beta * unit, mean)

    parts = map_blocks(work, rows.blocks(), threads)
    total = next(parts)
    for part in parts:
        total = total + part
    information = total.information * np.outer(unit, unit)
    return NewtonSums(total.loss, total.gradient * unit, information, total.reach)


def measure(rows: Rows, threads: int) -> Moments:
    """Return means, spreads and a sample of the rows, from one reading of them."""
    is_sampled = rows.row_count >= 4 * SAMPLE_ROWS
    rate = SAMPLE_ROWS / rows.row_count if is_sampled else 0.0
    blocks = rows.blocks()
    first = next(blocks)
    # Squares are summed about the first block's means, so that far-off zeros cost no digits.
    shift = np.ascontiguousarray(first.values, np.float64).mean(axis=1)

    def work(block: RowBlock) -> tuple[FloatArray, FloatArray, float, float, RowBlock | None]:
        total, cross = np.zeros(len(shift)), np.zeros((len(shift), len(shift)))
        for begin in range(0, len(block.outcome), INNER_ROWS):
            values = block.values[:, begin : begin + INNER_ROWS]
            # Sums depend on the layout in their last bits, so it is always the same.
            part = np.subtract(values, shift[:, None], order="C")
            total += part.sum(axis=1)
            cross += part @ part.T
        weight = block.weight
        answered = float(block.outcome.sum() if weight is None else weight @ block.outcome)
        mass = float(len(block.outcome) if weight is None else weight.sum())
        return total, cross, answered, mass, _draw(block, rate) if is_sampled else None

    parts = list(map_blocks(work, chain([first], blocks), threads))
    n = rows.row_count
    total, raw = sum(part[0] for part in parts), sum(part[1] for part in parts)
    mean = shift + total / n
    cross = raw - np.outer(total, total) / n
    squares = np.diag(raw) + 2 * shift * total + n * shift**2
    variance = np.maximum(np.diag(cross), 0.0)
    is_constant = variance <= 1e-20 * np.maximum(squares, 1e-300)
    scale = np.where(is_constant, 1.0, np.sqrt(np.where(is_constant, 1.0, variance) / n))
    drawn = [part[4] for part in parts if part[4] is not None]
    sample = ArrayRows.join(drawn, rows.names) if drawn else None
    return Moments(n, mean, scale, cross, is_constant, sum(part[2] for part in parts),
                   sum(part[3] for part in parts), sample)  # fmt: skip


def _draw(block: RowBlock, rate: float) -> RowBlock:
    """Return a random share of a block's rows: the same ones whoever works on the block."""
    chance = np.random.default_rng([SEED, block.number])
    size = len(block.outcome)
    chosen = np.sort(chance.choice(size, int(np.ceil(rate * size)), replace=False))
    return RowBlock(
        block.number,
        np.asarray(block.values[:, chosen], np.float64),
        block.outcome[chosen],
        None if block.weight is None else block.weight[chosen],
    )


def _find_classes(y: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the sorted distinct values; of numbers without sorting them all if they are two."""
    if y.dtype.kind in "biuf" and len(y):
        ends = np.array([y.min(), y.max()])
        if ends[0] != ends[1] and ((y == ends[0]) | (y == ends[1])).all():
            return ends
    return np.unique(y)


def _solve(information: FloatArray, gradient: FloatArray) -> FloatArray:
    try:
        step = linalg.cho_solve(linalg.cho_factor(information), gradient)
    except linalg.LinAlgError:
        step = np.linalg.lstsq(information, gradient, rcond=None)[0]
    return np.asarray(step, np.float64)


def _check_columns(rows: Rows, moments: Moments) -> None:
    """Say which columns do not vary or repeat others: their coefficients have no one answer."""
    if moments.is_constant.any():
        name = rows.names[int(moments.is_constant.argmax())]
        raise CannotFitError(f"{name} is the same for every dyad; leave it out")
    spread = np.sqrt(np.diag(moments.cross))
    values, vectors = np.linalg.eigh(moments.cross / np.outer(spread, spread))
    if values[0] < REPEATED:
        loads = np.abs(vectors[:, 0])
        named = [
            name for name, load in zip(rows.names, loads, strict=True) if load > 0.1 * loads.max()
        ]
        raise CannotFitError(f"{' and '.join(named)} repeat each other; leave one of them out")


def _check_separation(rows: Rows, sums: NewtonSums, *, settled: bool) -> None:
    """Say which columns put the estimate at infinity, in the words of `followkit.model`."""
    values, vectors = np.linalg.eigh(sums.information)
    floor = max(float(values.max()) * 1e-15, 1e-300)
    errors = np.sqrt((vectors**2 / np.maximum(values, floor)).sum(axis=1))[1:]
    is_extreme = float(expit(-np.array([sums.reach]))[0]) < SMALLEST_PROBABILITY
    is_wide = errors.max() > LARGEST_ERROR
    if settled and not (is_extreme and is_wide):
        return
    deciding = name_deciding(rows)
    if not deciding and is_wide:
        wide = errors > min(LARGEST_ERROR, float(errors.max()) / 2)
        named = [name for name, is_one in zip(rows.names, wide, strict=True) if is_one]
        deciding = f"{' and '.join(named)} with the other columns decide{'s' * (len(named) == 1)} "
        deciding += "the outcome"
    if deciding:
        raise CannotFitError(
            f"{deciding}, so maximum likelihood has no finite answer; leave such columns out, or "
            "set l2 above 0"
        )


def name_deciding(rows: Rows) -> str:
    """Return which columns divide answers from refusals, from one more reading; "" where none."""
    low = np.full((2, len(rows.names)), np.inf)
    high, count = -low, np.zeros((2, 2, len(rows.names)), np.int64)
    sizes = np.zeros(2, np.int64)
    for block in rows.blocks():
        for side in (0, 1):
            kept = block.outcome == side
            kept &= True if block.weight is None else block.weight > 0
            values = block.values[:, kept]
            low[side] = np.minimum(low[side], values.min(axis=1, initial=np.inf))
            high[side] = np.maximum(high[side], values.max(axis=1, initial=-np.inf))
            sizes[side] += int(kept.sum())
            for value in (0, 1):
                count[side, value] += (values == value).sum(axis=1)
    for column in np.flatnonzero(count.sum(axis=(0, 1)) == sizes.sum()):
        for value, word in ((1, "with"), (0, "without")):
            refused, answered = count[:, value, column]
            if bool(refused) != bool(answered):
                told = f"{refused + answered:,} dyads {word} {rows.names[column]}"
                return (
                    f"all {told} were answered" if answered else f"none of the {told} was answered"
                )
    strict = (low[1] > high[0]) | (low[0] > high[1])
    nearly = (low[1] >= high[0]) | (low[0] >= high[1])
    chosen = strict if strict.any() else nearly
    named = [name for name, is_one in zip(rows.names, chosen, strict=True) if is_one]
    how = "alone" if strict.any() else "alone (nearly)"
    return f"{' and '.join(named)} {how} decide{'s' * (len(named) == 1)} the outcome" * bool(named)
