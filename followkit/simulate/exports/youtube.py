"""Writing whom a simulated account subscribed to as YouTube's Takeout: no times, no subscribers."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Collection
from pathlib import Path

from followkit.simulate.exports.life import Account, Expected, Life
from followkit.simulate.exports.writing import SECRETS, check_choice, check_faults, pack_or_file

__all__ = ["FAULTS", "LOCALES", "expected_youtube", "name_channel", "write_youtube"]

#: Language of the account → folders, file and header.
LOCALES = {
    "en": ("YouTube and YouTube Music/subscriptions", "subscriptions.csv",
           ("Channel Id", "Channel Url", "Channel Title")),
    "es": ("YouTube y YouTube Music/suscripciones", "suscripciones.csv",
           ("ID del canal", "URL del canal", "Título del canal")),
    "nl": ("YouTube en YouTube Music/abonnementen", "abonnementen.csv",
           ("Kanaal-ID", "Kanaal-URL", "Kanaaltitel")),
}  # fmt: skip
FAULTS = ("empty", "no_ids", "other_order", "byte_order_mark")


def write_youtube(
    life: Life, path: str | Path, *, locale: str = "en", packing: str = "zip",
    faults: Collection[str] = (),
) -> list[Path]:  # fmt: skip
    """Write a life as YouTube's Takeout and return the paths to hand to a reader.

    Parameters
    ----------
    locale
        One of `LOCALES`.
    packing
        `folder`, `zip`, `wrapped`, `split`, or `file` (the table alone).
    faults
        Any of `FAULTS`.

    Raises
    ------
    ParameterError
        For a locale, packing or fault that is not known.

    Examples
    --------
    >>> import tempfile
    >>> from followkit.simulate.exports.life import make_life
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = write_youtube(make_life(1, 20), folder, locale="nl", packing="file")
    ...     made[0].name
    'abonnementen.csv'
    """
    check_choice("locale", locale, list(LOCALES))
    check_faults(faults, FAULTS)
    folder, name, header = LOCALES[locale]
    main = f"Takeout/{folder}/{name}"
    beside = folder.rpartition("/")[0]
    files = {main: _table(life, header, faults),
             f"Takeout/{beside}/history/watch-history.html": SECRETS[3].encode(),
             "Takeout/archive_browser.html": b"<!doctype html>"}  # fmt: skip
    packed = f"takeout-{life.exported_at:%Y%m%dT%H%M%SZ}-001"
    return pack_or_file(files, Path(path), name=packed, packing=packing, main=main)


def expected_youtube(
    life: Life, *, locale: str = "en", packing: str = "zip", faults: Collection[str] = ()
) -> Expected:
    """Return what a right reader finds: channels without times, and never who subscribed."""
    del locale, packing
    truth = Expected("me", None)
    truth.states = {"followers": "absent", "following": "whole"}
    if "no_ids" in faults:
        truth.states["following"] = "unreadable"
    elif "empty" not in faults:
        truth.ties = {("me", name_channel(one), "follow", None) for one in life.following()}
    return truth


def name_channel(one: Account) -> str:
    """Return the id of an account's channel: UC and 22 letters, digits, hyphens or underscores.

    Examples
    --------
    >>> name_channel(Account(number=3, handle="ana", name="Ana"))
    'UCpPDflLM_7zycMhWQ4erkkg'
    """
    made = hashlib.sha256(f"channel {one.number} {one.handle}".encode()).digest()[:16]
    return "UC" + base64.urlsafe_b64encode(made).decode()[:22]


def _table(life: Life, header: tuple[str, ...], faults: Collection[str]) -> bytes:
    rows = []
    for one in life.following():
        channel = "hidden" if "no_ids" in faults else name_channel(one)
        rows.append((channel, f"http://www.youtube.com/channel/{channel}", one.name))
    if "empty" in faults:
        rows = []
    if "other_order" in faults:
        header, rows = header[::-1], [row[::-1] for row in rows]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    mark = "\ufeff" if "byte_order_mark" in faults else ""
    return (mark + text.getvalue()).encode()
