"""The command line: check, features, simulate, report, batch, lab, and what exports need.

Whatever is slow to import is imported inside a command, so that `followkit --help` answers at once.
Errors end as one readable sentence and an exit code: 2 bad input, 3 sound data that cannot carry a
model, 1 a bug or a report that did not finish.
"""

from __future__ import annotations

import re
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from followkit.cli_exports import add_commands, join_places, print_checks, print_trust
from followkit.console import print_frame, print_text
from followkit.errors import CannotFitError, FollowkitError, InputError, ParameterError, suggest
from followkit.words import place

NOTEBOOKS = Path("notebooks/report")
#: The report on an export of one's own.
PERSONAL = "my_follows"
#: Accounts around the owner of a simulated export.
ALTERS = 400

app = typer.Typer(
    name="followkit",
    help="A follows B: will B follow back, and what moves that decision?",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _options(
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where an error arose, for reporting a bug.")
    ] = False,
) -> None:
    """Say how probable a follow-back is, and what moves it."""


@app.command()
def check(
    data: Annotated[
        str, typer.Argument(help="Folder, .duckdb file, edge list or a platform's export.")
    ],
    mapping: Annotated[str, typer.Option(help="TOML file that names the columns.")] = "",
) -> None:
    """Read data and say what was found, what was dropped and why, and what it can answer."""
    from followkit.sources import describe_dataset, find_data, load_dataset

    dataset = load_dataset(find_data(data), mapping=mapping or None)
    if "export" in dataset.about:
        print_checks(dataset)
    print_frame(describe_dataset(dataset), "What was read, dropped and kept")
    # What a list that is not right would answer is no answer.
    if "export" not in dataset.about or print_trust(dataset):
        _print_questions(dataset)


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(help="Folder to write into.")],
    accounts: Annotated[int | None, typer.Option(min=10, help="How many accounts.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same data.")] = None,
    export: Annotated[
        str,
        typer.Option(
            metavar="PLATFORM",
            help="Write one account's export instead: instagram, "
            "threads, x, tiktok, mastodon, bluesky, linkedin, facebook or youtube.",
        ),
    ] = "",
) -> None:
    """Write a simulated town with its truth; or the export of one simulated account."""
    if export:
        from followkit.simulate.exports import make_life, write_export

        life = make_life(seed or 0, alter_count=accounts or ALTERS)
        newest = {"era": "E"} if export == "instagram" else {}
        for path in write_export(life, export, out, **newest):
            print(f"Wrote {place(path)}")
        return
    from followkit.simulate import make_town, write_dataset

    wanted: dict[str, Any] = {"account_count": accounts, "seed": seed}
    town = make_town(**{name: value for name, value in wanted.items() if value is not None})
    write_dataset(town, out)
    print(f"Wrote {out} ({len(town.accounts):,} accounts, {len(town.follows):,} follows).")


@app.command()
def features(
    name: Annotated[
        str, typer.Argument(help="One feature, to read how it is computed; or data, with --out.")
    ] = "",
    list_claims: Annotated[
        bool, typer.Option("--list", help="Every claim with the features that measure it.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the tabular features of data into this folder.")
    ] = None,
    engine: Annotated[str, typer.Option(help="duckdb, pandas, polars or spark.")] = "duckdb",
    question: Annotated[
        str, typer.Option(help="follow_back, late_answer, mutuality or auto.")
    ] = "auto",
    horizon_days: Annotated[float, typer.Option(help="Days within which an answer counts.")] = 30.0,
    seed: Annotated[int, typer.Option(help="Of the folds.")] = 0,
    memory: Annotated[str, typer.Option(help="Such as 2GB: more goes to disk (duckdb).")] = "",
) -> None:
    """List the claims and their features, say how one is computed, or write those of large data."""
    if out is not None:
        from followkit.scale.features_cli import write_features

        about = write_features(
            name, out, engine=engine, question=question, horizon_days=horizon_days, seed=seed,
            memory=memory or None,
        )  # fmt: skip
        print(f"Wrote {place(out)}: {about['rows']:,} dyads of the question {about['question']}, "
              f"{about['answered']:,} answered.")  # fmt: skip
        return
    from followkit.features import pages

    if name and not list_claims:
        print(pages.describe_feature(name), end="")
        return
    columns = ["claim", "text", "sign", "test", "headline", "evidence"]
    print_frame(pages.list_claims()[columns], "Claims and what measures them")


@app.command()
def report(
    notebook: Annotated[
        str, typer.Argument(help="Which report: follow_back (standard), latency, … or a file.")
    ] = "",
    data: Annotated[str | None, typer.Option(help="Folder, .duckdb file or edge list.")] = None,
    export: Annotated[
        list[str] | None,
        typer.Option(
            help="A platform's export as downloaded: who follows you back, and why. Once a part."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write the report into; reports/NAME without.")
    ] = None,
    question: Annotated[
        str | None, typer.Option(help="follow_back, late_answer, mutuality or auto.")
    ] = None,
    horizon_days: Annotated[
        float | None, typer.Option(help="Days within which an answer counts.")
    ] = None,
    mapping: Annotated[str | None, typer.Option(help="TOML file that names the columns.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of folds and splits.")] = None,
    title: Annotated[str | None, typer.Option(help="Heading of the report.")] = None,
    show_names: Annotated[
        bool, typer.Option("--show-names", "--names", help="Show names instead of pseudonyms.")
    ] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME VALUE", help="Any other parameter."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds in all.")] = 3600,
) -> None:
    """Run a report notebook on data and write one offline page, with its numbers beside it."""
    from followkit.index import write_index
    from followkit.notebooks import STANDARD, parse_value, read_parameters
    from followkit.report import render_report

    if export and data:
        raise InputError("Give --data or --export: a report is about one data set.")
    path = find_notebook(notebook or PERSONAL * bool(export))
    named = {
        "data": _join_export(export, path) if export else data, "question": question,
        "horizon_days": horizon_days, "mapping": mapping, "seed": seed, "title": title,
        "show_names": show_names or None,
    }  # fmt: skip
    given: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    schema = read_parameters(path)
    for pair in parameter or []:
        name, _, text = pair.partition("=")
        if name not in schema:
            known = suggest(name, list(schema))
            raise ParameterError(f"{path.name} has no parameter {name!r}: {known}")
        given[name] = parse_value(text, schema[name])
    folder = out or Path("reports") / ("report" if path.stem == STANDARD else path.stem)
    result = render_report(path, page_path(folder), given, timeout=timeout)
    print(f"Wrote {place(result.page)}")
    if result.numbers.get("headline"):
        print(result.numbers["headline"])
    for refusal in result.numbers.get("ego", {}).get("refusals", []):
        print_text(f"- {refusal}")
    # Elsewhere an index.html may be somebody's own.
    if result.page.parent.parent.name == "reports":
        print(f"Wrote {place(write_index(result.page.parent.parent))}")
    obstacle = result.numbers.get("main", {}).get("cannot_fit", "")
    if obstacle:
        raise CannotFitError(f"{obstacle.rstrip('.')}. The page is complete and says so.")


def _join_export(export: list[str], notebook: Path) -> str:
    """Return the parts of an export as one parameter, once it is known that they are one."""
    from followkit.sources import check_is_export

    data = join_places(export)
    check_is_export(data)
    if len(export) > 1 and notebook.stem != PERSONAL:
        raise InputError(
            f"export: {notebook.stem} reads one place and got {len(export)}; put all parts of your "
            "export into a folder that holds nothing else, and give the folder."
        )
    return data


@app.command()
def batch(
    sweep: Annotated[str, typer.Argument(help="TOML file that says which reports to make.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder to write into.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Reports made at once; one a core without it.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Make unchanged reports too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the reports only.")] = False,
    example: Annotated[bool, typer.Option("--example", help="Print a sweep file.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for each report.")] = 3600,
) -> None:
    """Make many reports: a grid, a list of data sets, one a segment; resumes where it stopped."""
    from followkit import sweeps

    if example:
        print(sweeps.EXAMPLE, end="")
        return
    if not sweep:
        raise InputError("Which reports? Name a sweep file; followkit batch --example prints one.")
    from followkit import batch_console

    plan = sweeps.read_sweep(
        sweep, find_notebook, batch_console.list_segments, batch_console.NamedValues()
    )
    if out is not None:
        plan = sweeps.Sweep(plan.runs, out)
    if dry_run:
        for run in plan.runs:
            print(f"{run.name}: {batch_console.describe_run(run)}")
        return
    batch_console.make_reports(plan, workers=workers, again=again, timeout=timeout)


add_commands(app)


@app.command()
def lab() -> None:
    """Open JupyterLab at the notebooks."""
    folder = find_notebook("").parent.parent
    start = folder / "00_start_here.ipynb"
    target = start if start.is_file() else folder
    code = subprocess.call([sys.executable, "-m", "jupyterlab", str(target)])
    if code:
        raise FollowkitError("JupyterLab did not start; its own messages stand above.")


def find_notebook(name: str) -> Path:
    """Return the report notebook that a name stands for.

    Parameters
    ----------
    name
        A path; or the short name of a report notebook ("latency"), "" for the standard one: looked
        for in the working folder and upwards, then beside the installed package.

    Raises
    ------
    InputError
        When there is none; the message lists those that there are.
    """
    from followkit.notebooks import STANDARD

    if name and Path(name).is_file():
        return Path(name)
    folders = _list_notebook_folders()
    wanted = f"{(name or STANDARD).removesuffix('.ipynb')}.ipynb"
    for folder in folders:
        if (folder / wanted).is_file():
            return folder / wanted
    known = sorted({path.stem for folder in folders for path in folder.glob("*.ipynb")})
    if not name:
        raise InputError(f"The standard notebook {wanted} is not here; name one.")
    hint = f"; {suggest(name, known)}" if known else ""
    raise InputError(f"There is no notebook {name}{hint}.")


def _list_notebook_folders() -> list[Path]:
    here, package = Path.cwd(), Path(__file__).parent
    folders = [folder / NOTEBOOKS for folder in (here, *here.parents, package.parent)]
    return [*folders, package / "report_notebooks"]


def page_path(out: Path) -> Path:
    """Return the page's file for `--out`: a folder gets a page of its own name, in plain letters.

    Examples
    --------
    >>> page_path(Path("reports/nostr")).as_posix(), page_path(Path("x/a.html")).as_posix()
    ('reports/nostr/nostr.html', 'x/a.html')
    >>> page_path(Path("My report (1)")).as_posix()
    'My report (1)/My-report-1.html'
    """
    if out.suffix == ".html":
        return out
    # A folder may be called anything; the page becomes a link and a file on other systems.
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", out.absolute().name).strip("-_")
    return out / f"{plain[:60] or 'report'}.html"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments
        What was typed after `followkit`; `sys.argv` without it.
    """
    words = _join_pairs(list(sys.argv[1:] if arguments is None else arguments))
    wants_traceback = "--traceback" in words
    words = [word for word in words if word != "--traceback"] or ["--help"]
    try:
        result = app(words, standalone_mode=False, prog_name=app.info.name)
    except FollowkitError as error:
        _say(str(error), wants_traceback)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:
        # Usage errors carry their sentence and code; everything else is a bug of ours.
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            if message := error.format_message():
                _say(_point_to_help(message, error), wants_traceback=False)
            return int(error.exit_code)
        hint = "" if wants_traceback else " Run again with --traceback to see where."
        _say(f"this is a bug: {type(error).__name__}: {error}.{hint}", wants_traceback)
        return 1
    # An interrupted command comes back as its exit code.
    return result if isinstance(result, int) else 0


def _join_pairs(words: list[str]) -> list[str]:
    """Turn `-p NAME VALUE` into `-p NAME=VALUE`, which is what the parser takes."""
    joined: list[str] = []
    while words:
        word = words.pop(0)
        if word in ("-p", "--parameter") and len(words) > 1 and "=" not in words[0]:
            word = f"--parameter={words.pop(0)}={words.pop(0)}"
        joined.append(word)
    return joined


def _point_to_help(message: str, error: Exception) -> str:
    """Return a usage error as one sentence that names the page of help to read."""
    asked = getattr(getattr(error, "ctx", None), "command_path", "") or "followkit"
    if message.startswith("Usage:"):
        # A group of commands without one answers with its whole page.
        message = "a command is missing"
    ending = "" if message.endswith(("?", "!")) else "."
    return f"{message.rstrip('.')}{ending} See {asked} --help."


def _say(sentence: str, wants_traceback: bool) -> None:
    if wants_traceback:
        traceback.print_exc()
    print(f"followkit: {sentence}", file=sys.stderr)


def _print_questions(dataset: Any) -> None:
    from followkit.dyads import find_questions

    for question, reason in find_questions(dataset).items():
        print(f"{question}: {reason or 'can be answered'}")
