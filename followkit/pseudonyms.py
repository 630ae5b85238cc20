"""Pseudonyms for accounts: short, readable, and made with a key that stays with whoever made them.

A report names nobody unless asked to. What it shows instead, such as `user-k7m2qx`, is a keyed hash
(HMAC-SHA-256) of the account's id: always the same for one key, and not to be guessed without it.
A plain hash would be no secret: a million handles are hashed and compared within seconds.

What this protects against: reading a name off a report, and finding it by trying likely names.
What it does not: whoever knows a network can recognise people by their place in it, such as the one
who follows most, or by when and how often they act; and two reports made with one key can be laid
side by side. Pseudonymous data are still personal data.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from followkit.errors import InputError
from followkit.segments import SIDES, find_values
from followkit.sources import ROOT_VARIABLE
from followkit.tables import Dataset

KEY_VARIABLE = "FOLLOWKIT_KEY_FILE"
KEY_BYTES = 32
#: For simulated data, where there is nobody to protect: pages come out the same on every machine.
PUBLIC_KEY = b"followkit: simulated data, nobody in it exists"

PREFIX = "user-"
#: No vowels, so that no words come out; nothing that is easily read as something else.
LETTERS = "bcdfghjkmnpqrtvwxz2346789"
LENGTH = 6

#: Stands where not even a pseudonym would be right.
WITHHELD = "withheld"
#: A value that fewer accounts share could name them.
FEWEST_ALIKE = 5
#: Columns of accounts that say who somebody is.
IDENTIFYING = ("handle", "display_name", "bio", "url")
#: Parameters of notebooks that say who somebody is, or may.
PRIVATE = ("initiator", "decider", "account", "segment", "ego")


# ---------------------------------------------------------------------------------------- the key


def find_key_file() -> Path:
    """Return where the key lies: `$FOLLOWKIT_KEY_FILE`, else `followkit/key` among the settings.

    The user's settings are `$XDG_CONFIG_HOME` or `~/.config`; on Windows `%APPDATA%`.

    Raises
    ------
    InputError
        If `FOLLOWKIT_KEY_FILE` is no absolute path, or nothing says where the settings are.
    """
    asked = os.environ.get(KEY_VARIABLE, "")
    if asked:
        path = Path(asked)
        if not path.is_absolute():
            raise InputError(
                f"{KEY_VARIABLE}: must be an absolute path, since reports are made in folders of "
                "their own; got a relative one. Write the whole path."
            )
        return path
    folder = os.environ.get("APPDATA" if os.name == "nt" else "XDG_CONFIG_HOME", "")
    if folder and Path(folder).is_absolute():
        return Path(folder) / "followkit" / "key"
    try:
        return Path.home() / ".config" / "followkit" / "key"
    except RuntimeError:
        raise InputError(
            f"key: this user has no home folder to keep it in; set {KEY_VARIABLE} to a file "
            "outside the project."
        ) from None


def load_key(path: Path | None = None) -> bytes:
    """Return the key of pseudonyms; made on first use, and never shown, logged or recorded.

    The file holds 64 hexadecimal digits and belongs to its owner alone (mode 600). Whoever has it
    can tell whose pseudonym is whose by trying; without it nobody can make the same names again.

    Parameters
    ----------
    path
        The file; `find_key_file()` without it.

    Raises
    ------
    InputError
        If the file lies inside the project, may be read by others, is damaged, or cannot be
        written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     key = load_key(Path(folder, "settings", "key"))
    ...     key == load_key(Path(folder, "settings", "key")), len(key)
    (True, 32)
    """
    path = path or find_key_file()
    _require_outside_project(path)
    try:
        with suppress(FileNotFoundError):
            return _read_key(path)
        _make_key(path)
        return _read_key(path)
    except OSError as error:
        raise InputError(
            f"key: {_short(path)} cannot be read or made ({error.strerror or error}); set "
            f"{KEY_VARIABLE} to a file that can, outside the project."
        ) from None


def _read_key(path: Path) -> bytes:
    with path.open("rb") as stream:
        mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
        content = stream.read(4096)
    if os.name != "nt" and mode & 0o077:
        raise InputError(
            f"key: {_short(path)} may be read by others (mode {mode:o}, must be 600), and who has "
            f"the key can undo every pseudonym; run chmod 600 {_short(path)}"
        )
    try:
        key = bytes.fromhex(content.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise InputError(
            f"key: {_short(path)} does not hold {2 * KEY_BYTES} hexadecimal digits; put a copy of "
            "it back, or remove it to get a new one (all pseudonyms will then be others)."
        )
    return key


def _make_key(path: Path) -> None:
    """Make a new key; where several processes do so at once, all end up with the first one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Written aside and linked into place, so that nobody ever reads half a key.
    mine = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(KEY_BYTES) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(mine, path)
    finally:
        mine.unlink(missing_ok=True)


def _require_outside_project(path: Path) -> None:
    start = Path(os.environ.get(ROOT_VARIABLE) or Path.cwd())
    for place in (start, *start.parents):
        if (place / "pyproject.toml").is_file():
            if path.resolve().is_relative_to(place.resolve()):
                raise InputError(
                    f"key: {_short(path)} lies inside the project, where it would be passed on "
                    f"with it; move it elsewhere and set {KEY_VARIABLE}."
                )
            return


def _short(path: Path) -> str:
    """Return a path without the name of the user's own folder."""
    with suppress(RuntimeError):
        if path.is_relative_to(Path.home()):
            return f"~/{path.relative_to(Path.home()).as_posix()}"
    return str(path)


# ---------------------------------------------------------------------------------------- the names


def make_pseudonyms(ids: Iterable[Any], key: bytes, *, length: int = LENGTH) -> dict[str, str]:
    """Return a pseudonym for every account: the same for the same key, whatever the order.

    HMAC-SHA-256 of the id (RFC 2104) is spelt in 25 letters and digits, six of them. Ids that are
    alike in those six get as many more as tell them apart, so a name is never shared within the
    data; its first six are the same in every data set.

    Parameters
    ----------
    ids
        Account ids, as text or whole numbers; missing ones are passed over.
    key
        From `load_key`.
    length
        Letters and digits behind `user-`, where that many are enough.

    Returns
    -------
    dict
        Id as text → pseudonym, in the order of the ids.

    Raises
    ------
    InputError
        If the key is empty.

    Examples
    --------
    >>> make_pseudonyms(["zoe", 7], PUBLIC_KEY)
    {'zoe': 'user-...', '7': 'user-...'}
    """
    if not key:
        raise InputError("key: with an empty key anybody could undo the names; use load_key().")
    known = pd.Series(list(ids), dtype=object).dropna()
    numbers = {name: _hash(name, key) for name in map(str, known)}
    made: dict[str, str] = {}
    left = list(numbers)
    while left:
        spelt = {name: _spell(numbers[name], length) for name in left}
        often = Counter(spelt.values())
        made |= {name: f"{PREFIX}{text}" for name, text in spelt.items() if often[text] == 1}
        left = [name for name, text in spelt.items() if often[text] > 1]
        length += 1
    return {name: made[name] for name in numbers}


def _hash(name: str, key: bytes) -> int:
    # The label keeps these hashes apart from any other use of the key.
    message = b"followkit account\0" + name.encode("utf-8", "surrogatepass")
    return int.from_bytes(hmac.digest(key, message, "sha256"), "big")


def _spell(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, place = divmod(number, len(LETTERS))
        letters.append(LETTERS[place])
    return "".join(letters)


def is_simulated(dataset: Dataset) -> bool:
    """Return whether the data say that they are simulated, and look it.

    They say so in truth.json, with coefficients and a seed; and all ids are whole numbers from 1
    to the number of accounts, so that a forgotten truth.json does not give real handles away.
    """
    truth = dataset.about.get("truth")
    if not isinstance(truth, Mapping) or not {"coefficients", "seed"} <= set(truth):
        return False
    ids = _list_accounts(dataset)
    return pd.api.types.is_integer_dtype(ids) and bool(ids.between(1, len(ids)).all())


def _list_accounts(dataset: Dataset) -> pd.Series:
    follows = dataset.follows
    columns = [follows["follower_id"], follows["followee_id"]]
    if dataset.has("accounts"):
        columns.append(dataset.accounts["account_id"])
    return pd.concat(columns, ignore_index=True).dropna().drop_duplicates()


@dataclass(frozen=True)
class AccountNames:
    """What every account of a data set is called in a report.

    Attributes
    ----------
    dataset
        The data.
    names
        Id as text → name: a pseudonym; or, where names are shown, its handle or else its id.
    are_shown
        Whether these are the real names.
    """

    dataset: Dataset
    names: Mapping[str, str] = field(repr=False)
    are_shown: bool = False

    def name(self, account: Any) -> str:
        """Return what an account is called; "" for none, and for an account that is not there.

        Such an account may yet be somebody, so what was typed is not shown.
        """
        return self.names.get(str(account), WITHHELD if str(account) else "")

    def find(self, text: str) -> str:
        """Return the id of an account that is given by its id, its pseudonym or its name here.

        What stands for no account, or for several, comes back as it is.
        """
        if text in self.names:
            return text
        found = [account for account, name in self.names.items() if name == text]
        if self.are_shown and not found:
            found = [account for account, name in _make_names(self.dataset).items()
                     if name == text]  # fmt: skip
        return found[0] if len(found) == 1 else text

    def find_segment(self, segment: str) -> str:
        """Return a segment with the id of its account, where it gave a pseudonym or a name."""
        by, equals, value = segment.partition("=")
        return f"{by}={self.find(value)}" if equals and by in SIDES else segment

    def name_segment(self, segment: str) -> str:
        """Return a segment as it may be shown.

        An account goes by its name here. So does a value that one account alone has; values that
        fewer than five share, and those of columns that say who somebody is, are withheld. Months
        stay.
        """
        by, equals, value = segment.partition("=")
        if not equals or self.are_shown or by == "month":
            return segment
        if by in SIDES:
            return f"{by}={self.name(value)}"
        side, _, column = by.partition(".")
        if side not in SIDES:
            return mask_segment(segment)
        ids = self._list_alike(by, value)
        if len(ids) == 1:
            return f"{side}={self.name(ids[0])}"
        hides = column in IDENTIFYING or len(ids) < FEWEST_ALIKE
        return f"{by}={WITHHELD}" if hides else segment

    def _list_alike(self, by: str, value: str) -> list[Any]:
        """Return the accounts that have a value of a column."""
        side = by.partition(".")[0]
        rows = pd.DataFrame({f"{side}_id": self.dataset.accounts["account_id"]})
        return list(rows.loc[find_values(rows, self.dataset, by) == value, f"{side}_id"])


def name_accounts(dataset: Dataset, *, show_names: bool = False) -> AccountNames:
    """Return what accounts are called in a report on these data.

    Parameters
    ----------
    dataset
        The data. Simulated ones get their pseudonyms from a key that is public.
    show_names
        Real names instead: handles where there are some, else ids.

    Raises
    ------
    InputError
        As `load_key`.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": [1, 2], "followee_id": [2, 3]})
    >>> people = pd.DataFrame({"account_id": [1, 2, 3], "handle": ["ann", "ben", "zoe"]})
    >>> about = {"truth": {"seed": 0, "coefficients": []}}
    >>> data = make_dataset({"follows": ties, "accounts": people}, about=about)
    >>> names = name_accounts(data)
    >>> names.name(3), names.find(names.name(3)), names.find_segment(f"decider={names.name(3)}")
    ('user-...', '3', 'decider=3')
    >>> name_accounts(data, show_names=True).name(3)
    'zoe'
    """
    if not show_names:
        return AccountNames(dataset, _make_names(dataset))
    names = {str(account): str(account) for account in _list_accounts(dataset)}
    if dataset.has("accounts", "handle"):
        known = dataset.accounts.dropna(subset="handle")
        names |= {str(account): str(handle) for account, handle in
                  zip(known["account_id"], known["handle"], strict=True)
                  if str(handle)}  # fmt: skip
    return AccountNames(dataset, names, are_shown=True)


def _make_names(dataset: Dataset) -> dict[str, str]:
    key = PUBLIC_KEY if is_simulated(dataset) else load_key()
    return make_pseudonyms(_list_accounts(dataset), key)


# ------------------------------------------------------------------------------ without the data


def mask_segment(segment: str) -> str:
    """Return a segment without its value, unless it is a month: for where names are not known.

    Examples
    --------
    >>> mask_segment("initiator=zoe"), mask_segment("month=2025-03"), mask_segment("")
    ('initiator=withheld', 'month=2025-03', '')
    """
    by, equals, _ = segment.partition("=")
    return segment if not equals or by == "month" else f"{by}={WITHHELD}"


def mask_account(segment: str) -> str:
    """Return a segment without its value where that is an account; other values stay.

    Examples
    --------
    >>> mask_account("decider=zoe"), mask_account("decider.handle=zoe")
    ('decider=withheld', 'decider.handle=withheld')
    >>> mask_account("decider.category=art")
    'decider.category=art'
    """
    by = segment.partition("=")[0]
    is_account = by in SIDES or by.partition(".")[2] in IDENTIFYING
    return mask_segment(segment) if is_account else segment


def mask_parameter(name: str, value: Any) -> Any:
    """Return a notebook's parameter without whom it names: for where names are not known.

    Examples
    --------
    >>> mask_parameter("initiator", "zoe"), mask_parameter("segment_second", "decider=zoe")
    ('withheld', 'decider=withheld')
    >>> mask_parameter("initiator", ""), mask_parameter("account_count", 3)
    ('', 3)
    """
    kind = name.partition("_")[0]
    # Such as segment_second; but account_count is a number.
    is_private = name in PRIVATE or (kind in PRIVATE and isinstance(value, str))
    if not is_private or value in (None, "", []):
        return value
    return mask_segment(str(value)) if kind == "segment" else WITHHELD


def tell_data(data: str, dataset: Dataset, *, are_shown: bool = False) -> str:
    """Return how data are called in a report: a file of an export holds its owner's name.

    Parameters
    ----------
    data
        As it was typed.
    dataset
        What was read there.
    are_shown
        Whether names are shown.

    Examples
    --------
    >>> from followkit.tables import make_dataset
    >>> ties = pd.DataFrame({"follower_id": ["me"], "followee_id": ["bo"]})
    >>> about = {"title": "Instagram export", "export": {"platform": "instagram", "ego": "me"}}
    >>> tell_data("instagram-me-2026-01-01.zip", make_dataset({"follows": ties}, about=about))
    'Instagram export'
    """
    if are_shown or "export" not in dataset.about:
        return data
    return str(dataset.about.get("title") or "an export")
