"""Commands on exports: inspect, snapshots and fetch. The one that uses the network says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from followkit.errors import InputError, suggest
from followkit.words import place

if TYPE_CHECKING:
    import pandas as pd

    from followkit.tables import Dataset

FETCHED = ("bluesky", "mastodon", "github")
#: Of each kind of change a screen shows so many accounts; the files beside a report hold all.
MOST_ROWS = 20

snapshots = typer.Typer(
    no_args_is_help=True, help="Keep exports on this machine, and see who left and who came."
)


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    app.command()(inspect)
    app.command()(fetch)
    app.add_typer(snapshots, name="snapshots")


Export = Annotated[list[str], typer.Argument(help="The export as downloaded; all its parts.")]
Platform = Annotated[
    str, typer.Option(help="Which one, where a file holds two: threads in Instagram's.")
]
Owner = Annotated[str, typer.Option(help="Whose it is, where the file does not tell.")]
Day = Annotated[str, typer.Option(help="When it was made, where it does not tell: 2026-06-15.")]


def inspect(
    export: Export,
    structure_only: Annotated[
        bool, typer.Option("--structure-only", help="No value at all: safe to show to others.")
    ] = False,
    platform: Platform = "",
    ego: Owner = "",
    exported_at: Day = "",
) -> None:
    """Say what an export holds and whether its lists can be trusted; or its structure only."""
    from followkit.sources import check_is_export, find_data, load_parts

    data = join_places(export)
    if structure_only:
        from followkit.sources.exports.structure import describe_structure

        print(describe_structure([find_data(one) for one in export]))
        return
    from followkit.console import print_frame
    from followkit.sources import describe_dataset

    check_is_export(data)
    dataset = load_parts(data, platform=platform, ego=ego, exported_at=exported_at)
    print_checks(dataset)
    print_frame(describe_dataset(dataset), "What was read, dropped and kept")
    print_trust(dataset)


def join_places(places: Sequence[str]) -> str:
    """Return several places as the one text that notebooks and readers take."""
    return "; ".join(places)


def print_checks(dataset: Dataset) -> None:
    """Print whose export it is, its lists and every check, the gravest first."""
    import pandas as pd

    from followkit.console import print_frame

    facts = dataset.about["export"]
    lists = [{"list": name, **facts["lists"][name]} for name in facts["lists"]]
    frame = pd.DataFrame(lists, columns=["list", "state", "count", "timed_count"])
    frame = frame.rename(columns={"count": "people", "timed_count": "with a time"})
    print_frame(frame, f"{dataset.about['title']}: its lists")
    order = {verdict: place for place, verdict in enumerate(("refuse", "warn", "note", "ok"))}
    checks = sorted(facts["checks"], key=lambda check: order.get(check["verdict"], 1))
    # Narrow columns of long sentences cannot be read on a terminal, so there are two.
    rows = [
        (check["verdict"], f"{check['name']}: {check['value']} {check['remedy']}".strip())
        for check in checks
    ]
    print_frame(pd.DataFrame(rows, columns=["verdict", "what was found"]), "Checks")


def print_trust(dataset: Dataset) -> bool:
    """Print whether the export can say who follows back, why not and what to do; return it."""
    from followkit.console import print_text
    from followkit.ego.checks import check_export, read_export

    export = read_export(dataset)
    trust = check_export(dataset, export)
    if trust.is_refused:
        print_text("This export cannot say who follows you back.")
        for refusal in trust.refusals:
            print_text(f"- {refusal}")
        for remedy in trust.remedies:
            print_text(f"What to do: {remedy}")
        return False
    print_text("This export can say who follows you back: followkit report --export says how many.")
    return True


@snapshots.command()
def keep(export: Export, platform: Platform = "", ego: Owner = "", exported_at: Day = "") -> None:
    """Keep an export on this machine: its lists and acts, without texts."""
    from followkit.snapshots import SnapshotStore
    from followkit.sources import check_is_export, load_parts

    store, data = SnapshotStore(), join_places(export)
    check_is_export(data)
    kept = store.keep(load_parts(data, platform=platform, ego=ego, exported_at=exported_at))
    same = store.list(platform=kept.platform, ego=kept.ego)
    print(f"Kept: {kept.platform}, {kept.ego}, {kept.exported_at:%Y-%m-%d}. "
          f"Exports of this account: {len(same)}.")  # fmt: skip


@snapshots.command("list")
def list_kept() -> None:
    """List the exports that are kept, and where."""
    import pandas as pd

    from followkit.console import print_frame
    from followkit.snapshots import SnapshotStore

    store = SnapshotStore()
    rows = [(one.platform, one.ego, f"{one.exported_at:%Y-%m-%d %H:%M}") for one in store.list()]
    if not rows:
        print("Nothing is kept yet; followkit snapshots keep EXPORT keeps one.")
        return
    columns = ["platform", "account", "exported at (UTC)"]
    print_frame(pd.DataFrame(rows, columns=columns), f"Kept in {place(store.root)}")


@snapshots.command()
def compare(
    platform: Annotated[str, typer.Option(help="Where several are kept.")] = "",
    ego: Annotated[str, typer.Option(help="Whose, where several accounts are kept.")] = "",
) -> None:
    """Say what changed between the last two kept exports of an account."""
    from followkit.console import print_frame
    from followkit.snapshots import SnapshotStore, compare_snapshots

    kept = SnapshotStore().load(platform=platform, ego=ego)
    if len(kept) < 2:
        raise InputError(
            f"snapshots: two exports of one account are needed, {len(kept)} kept; keep another "
            "with followkit snapshots keep EXPORT."
        )
    changes = compare_snapshots(kept[-2], kept[-1])
    print(f"From {changes.earlier_at:%Y-%m-%d} to {changes.later_at:%Y-%m-%d}:")
    for name, count in changes.counts().items():
        title = name.replace("_", " ")
        table: pd.DataFrame = getattr(changes, name)
        if count:
            more = f", first {MOST_ROWS}" if count > MOST_ROWS else ""
            print_frame(_make_readable(table.head(MOST_ROWS)), f"{title}: {count:,}{more}")
        else:
            print(f"{title}: none")


def _make_readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table for a narrow terminal: short times (UTC), yes and no, names that can wrap."""
    import pandas as pd

    shown = table.copy()
    for name in table.columns:
        if isinstance(table[name].dtype, pd.DatetimeTZDtype):
            shown[name] = table[name].dt.strftime("%Y-%m-%d %H:%M")
        elif pd.api.types.is_bool_dtype(table[name]):
            shown[name] = table[name].astype(object).map({True: "yes", False: "no"})
    return shown.rename(columns=lambda name: str(name).replace("_", " "))


@snapshots.command()
def forget(
    platform: Annotated[str, typer.Option(help="Of this platform only.")] = "",
    ego: Annotated[str, typer.Option(help="Of this account only.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove kept exports from this machine."""
    from followkit.snapshots import SnapshotStore

    store = SnapshotStore()
    count = len(store.list(platform=platform, ego=ego))
    if count and not yes:
        typer.confirm(f"Remove {count} kept exports?", abort=True)
    print(f"Removed: {store.forget(platform=platform, ego=ego)}.")


def fetch(
    service: Annotated[str, typer.Argument(help="bluesky, mastodon or github.")],
    account: Annotated[str, typer.Argument(help="ana.bsky.social, ana@example.org or ana.")],
    out: Annotated[Path, typer.Option(help="Folder to write into; the same one goes on.")],
    neighbours: Annotated[
        int, typer.Option(min=0, help="Bluesky: also follows among so many accounts around it.")
    ] = 0,
) -> None:
    """Ask a public API for the follows around an account: uses the network, by consent only."""
    from followkit import live

    if service not in FETCHED:
        raise InputError(f"service: {service!r} is unknown; {suggest(service, FETCHED)}")
    if neighbours and service != "bluesky":
        raise InputError("neighbours: only Bluesky tells them; leave it out.")
    if service == "bluesky":
        folder = live.fetch_bluesky(account, out, neighbours=neighbours)
    elif service == "mastodon":
        folder = live.fetch_mastodon(account, out)
    else:
        folder = live.fetch_github(account, out)
    print(f"Wrote {place(folder)}. Next: followkit report my_follows --data {place(folder)}")
