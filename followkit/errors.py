"""What followkit says when it cannot go on: one sentence, and what to do next.

Every error that a user can cause is a `FollowkitError`. Its `exit_code` is what the command
line returns: 2 for bad input, 3 for data that are sound but cannot carry a model, 1 for the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class FollowkitError(Exception):
    """Base of every error that followkit raises on purpose."""

    exit_code = 1


class InputError(FollowkitError):
    """A file, table, parameter or argument is not what it has to be."""

    exit_code = 2


class ParameterError(InputError):
    """A notebook or command got a parameter that it does not know or cannot use."""


class CannotFitError(FollowkitError):
    """The data are readable, yet too few or too uniform for the model that was asked for."""

    exit_code = 3


class ReportError(FollowkitError):
    """A notebook did not run to its end; no report was written."""


@dataclass(frozen=True)
class Problem:
    """One broken rule of one table.

    Attributes
    ----------
    table, rule
        Which table, and the rule in words ("follower_id must not be empty").
    found
        What came instead.
    row_count
        How many rows break the rule (0 where the rule is about the table as a whole).
    first_keys
        The keys of the first three such rows, as text.
    remedy
        What to do next.
    """

    table: str
    rule: str
    found: str
    row_count: int
    first_keys: tuple[str, ...]
    remedy: str

    def __str__(self) -> str:
        """Return the problem as one line."""
        rows = f" in {self.row_count:,} row{'s' if self.row_count != 1 else ''}" * bool(
            self.row_count
        )
        keys = f", first: {'; '.join(self.first_keys)}" if self.first_keys else ""
        return f"{self.table}: {self.rule}; found {self.found}{rows}{keys}. {self.remedy}"


class TableError(InputError):
    """One or more tables break their schema; carries every problem, not just the first.

    Examples
    --------
    >>> problem = Problem("follows", "follower_id must not be empty", "empty ids", 2,
    ...                   ("row 3", "row 9"), "Drop or complete these rows.")
    >>> print(TableError([problem]))
    1 problem in the tables:
    - follows: follower_id must not be empty; found empty ids in 2 rows, first: row 3; row 9. ...
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = [f"{count} problem{'s' if count != 1 else ''} in the tables:"]
        super().__init__("\n".join(lines + [f"- {problem}" for problem in self.problems]))


def suggest(name: str, valid: Sequence[str]) -> str:
    """Return "did you mean …?" for a misspelt `name`, or the list of valid names.

    Examples
    --------
    >>> suggest("sead", ["seed", "title"])
    'did you mean seed? (valid: seed, title)'
    >>> suggest("x", ["seed", "title"])
    'valid: seed, title'
    """
    close = get_close_matches(name, valid, n=1)
    known = f"valid: {', '.join(valid)}"
    return f"did you mean {close[0]}? ({known})" if close else known
