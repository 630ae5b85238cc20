"""A batch at the command line: progress with the time left, what failed and how to repeat it."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from followkit import words
from followkit.batch import Outcome, run_batch
from followkit.errors import FollowkitError
from followkit.index import write_index
from followkit.pseudonyms import AccountNames, name_accounts
from followkit.segments import FEWEST_DYADS
from followkit.segments import list_segments as list_large_enough
from followkit.sharing import SHOW_NAMES
from followkit.sweeps import Run, Sweep, show_no_names


class FailedReportsError(FollowkitError):
    """Some reports of a batch could not be made; the others are there."""


def list_segments(values: Mapping[str, Any], by: str, fewest: int) -> list[str]:
    """Return the segments of a kind in the data that a report's parameters name.

    Parameters
    ----------
    values
        Parameters of the report: data, mapping, question, horizon_days.
    by
        Kind of segment, as in `followkit.segments`.
    fewest
        Dyads that a segment needs; the usual number for 0.
    """
    from followkit.analysis import choose_question
    from followkit.dyads import make_dyads
    from followkit.sources import find_data, load_dataset

    mapping = values.get("mapping", "")
    dataset = load_dataset(
        find_data(values.get("data", "")), mapping=find_data(mapping) if mapping else None
    )
    question = choose_question(dataset, str(values.get("question", "auto")))
    days = float(values.get("horizon_days", 30.0)) if question == "follow_back" else None
    dyads = make_dyads(dataset, question, horizon_days=days)
    return list_large_enough(dyads.table, dataset, by, fewest=fewest or FEWEST_DYADS)


class NamedValues:
    """Says how parameters that name an account are shown; each data set is read once."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], AccountNames | None] = {}
        self.exports: dict[str, str] = {}

    def __call__(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the parameters that name somebody as they may be shown."""
        if values.get(SHOW_NAMES) is True:
            return {}
        return {**self._tell_export(str(values.get("data", ""))), **self._tell_accounts(values)}

    def _tell_export(self, data: str) -> Mapping[str, Any]:
        """Return what an export is called: its owner's pseudonym and its day, not its file."""
        from followkit.sources import find_export, load_parts

        if data and data not in self.exports:
            self.exports[data] = ""
            with suppress(FollowkitError):
                if not find_export(data):
                    return {}
                dataset = load_parts(data)
                facts = dataset.about["export"]
                owner = name_accounts(dataset).name(facts["ego"])
                told = (facts["platform"], owner, facts["exported_at"][:10])
                self.exports[data] = " ".join(told).strip()
        name = self.exports.get(data, "")
        return {"data": name} if name else {}

    def _tell_accounts(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        asked = {name: str(values[name]) for name in ("initiator", "segment") if values.get(name)}
        if not asked or asked.get("segment", "").startswith("month="):
            return show_no_names(values)
        names = self._read(str(values.get("data", "")), str(values.get("mapping", "")))
        if names is None:
            # The data cannot be read, as the report itself will say.
            return show_no_names(values)
        named = {"initiator": names.name, "segment": names.name_segment}
        found: dict[str, Any] = {}
        for name, value in asked.items():
            with suppress(FollowkitError):
                found[name] = named[name](value)
        return {**show_no_names(values), **found}

    def _read(self, data: str, mapping: str) -> AccountNames | None:
        from followkit.sources import find_data, load_dataset

        key = data, mapping
        if key not in self.known:
            self.known[key] = None
            with suppress(FollowkitError):
                chosen = find_data(mapping) if mapping else None
                self.known[key] = name_accounts(load_dataset(find_data(data), mapping=chosen))
        return self.known[key]


def describe_run(run: Run) -> str:
    """Return the parameters of a report in a line."""
    return ", ".join(f"{name} = {value!r}" for name, value in run.parameters.items())


def make_reports(sweep: Sweep, *, workers: int | None, again: bool, timeout: float) -> None:
    """Make the reports of a sweep, show how far it is, and write their index.

    Raises
    ------
    FailedReportsError
        If some could not be made; its exit code is the gravest of theirs.
    """
    begun = time.monotonic()
    with _Progress(len(sweep.runs)) as progress:
        outcomes = run_batch(
            sweep, workers=workers, again=again, timeout=timeout, tell=progress.tell
        )
    failed = [one for one in outcomes if one.status == "failed"]
    told = [{"name": one.name, "cause": one.shown_cause, "command": one.shown_command}
            for one in failed]  # fmt: skip
    page = write_index(sweep.out, failures=told)
    print(f"Wrote {words.place(page)}: {_describe(outcomes, time.monotonic() - begun)}")
    if failed:
        raise _failure(failed, len(outcomes))


def _describe(outcomes: Sequence[Outcome], seconds: float) -> str:
    counts = Counter(one.status for one in outcomes)
    parts = [f"{counts['done']:,} made", f"{counts['kept']:,} kept", f"{counts['failed']:,} failed"]
    return f"{', '.join(parts)}, in {seconds:,.0f} seconds."


def _failure(failed: Sequence[Outcome], count: int) -> FailedReportsError:
    lines = [f"{len(failed):,} of {count:,} reports could not be made; the others are there."]
    for one in failed[:3]:
        lines += [f"{one.name}: {one.cause}", f"  repeat with: {one.command}"]
    if len(failed) > 3:
        lines.append(f"… and {len(failed) - 3:,} more; the index lists all.")
    error = FailedReportsError("\n".join(lines))
    # A bug (1) is graver than data that cannot be fitted (3) or read (2).
    codes = {one.exit_code for one in failed}
    error.exit_code = next(code for code in (1, 3, 2, *codes) if code in codes)
    return error


class _Progress:
    """A bar with the time left on a terminal; a line a report elsewhere."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self.console = Console(stderr=True)
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeRemainingColumn(), console=self.console, disable=not self.console.is_terminal,
        )  # fmt: skip
        self.task = self.bar.add_task("reports", total=total)

    def __enter__(self) -> _Progress:
        """Show the bar."""
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bar as it is."""
        self.bar.stop()

    def tell(self, outcome: Outcome) -> None:
        """Count a report; say what became of it, unless it was there already."""
        self.bar.advance(self.task)
        if outcome.status == "failed":
            self._say(f"{outcome.name}: failed ({outcome.cause.splitlines()[0]})")
        elif outcome.status == "done":
            self._say(f"{outcome.name}: {outcome.seconds:.1f} s")

    def _say(self, line: str) -> None:
        if self.console.is_terminal:
            self.bar.console.print(line, markup=False, highlight=False)
        else:
            print(line, file=sys.stderr)
