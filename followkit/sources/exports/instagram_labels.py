"""Which label holds the user name: labels follow the account's language, so the values decide.

A display name such as `maria` looks like a user name too. So no single record decides: the records
of a file are pooled, and then those of all files, whose labels are in one language.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from followkit.sources.exports.instagram_entries import Entry
from followkit.sources.exports.instagram_values import clean_handle, is_handle

__all__ = ["Key", "Keys", "find_username_keys", "is_username_label", "name_before", "value_of"]

#: A label with the title of the part that it stands in ("" at the top of a record).
Key = tuple[str, str]
Keys = frozenset[Key]
#: `person`: every record names one. `author`: many name nobody. `comment`: and there is a text too.
Kind = Literal["person", "author", "comment"]

#: "User name" as the platform writes it; other languages are found by the values.
USERNAME_WORDS = frozenset(
    word.casefold()
    for word in (
        "Username", "User name", "Nombre de usuario", "Nom d’utilisateur", "Nom d'utilisateur",
        "Benutzername", "Nome utente", "Nome de usuário", "Nome de utilizador", "Gebruikersnaam",
        "Имя пользователя", "用户名", "使用者名稱", "用戶名稱", "ユーザーネーム", "ユーザー名",
        "사용자 이름", "Kullanıcı Adı",
    )
)  # fmt: skip
#: Labels of comments and views whose value is the author; the page names these.
AUTHOR_WORDS = frozenset(
    word.casefold() for word in ("Media Owner", "Media-eigenaar", "Author", "Auteur")
)
SHARE, LEAD = 0.9, 2
#: Title of the part of a post that names its owner, in English.
OWNER = "Owner"


def is_username_label(label: str) -> bool:
    """Tell whether a label says "user name" in a language that is known here.

    Examples
    --------
    >>> [is_username_label(label) for label in ("Username", "Gebruikersnaam", "Name")]
    [True, True, False]
    """
    return label.strip().casefold() in USERNAME_WORDS


def find_username_keys(
    groups: Mapping[str, Sequence[Entry]],
    handles: Collection[str],
    kinds: Mapping[str, Kind] | None = None,
) -> dict[str, Keys]:
    """Return for each file (or list) which labels hold the user name; no entry where none is sure.

    Parameters
    ----------
    groups
        Records with labels, by list.
    handles
        User names of followers and following, which decide where the values alone do not.
    kinds
        "author" or "comment" for lists in which many records name nobody; else "person".

    Returns
    -------
    dict
        List → labels, each with the title of its part. A list in which no label is sure is absent.

    Notes
    -----
    In this order: a label that says "user name"; the label whose values look like user names in
    90 % of the records and twice as often as the runner-up's; a label found so in another list;
    the label with the most values among `handles`.

    Examples
    --------
    >>> from followkit.sources.exports.instagram_entries import Pair
    >>> records = [Entry("f", pairs=(Pair("", "Naam", f"Ana {i}"), Pair("", "Gebr.", f"ana.{i}")))
    ...            for i in range(5)]
    >>> find_username_keys({"close friends": records}, set())
    {'close friends': frozenset({('', 'Gebr.')})}
    """
    kinds = kinds or {}
    found: dict[str, Keys] = {}
    values = {name: _values_by_key(entries) for name, entries in groups.items()}
    for name, by_key in values.items():
        kind = kinds.get(name, "person")
        said = _said(by_key, kind)
        keys = said or _pooled(by_key, len(groups[name]), kind)
        if keys:
            found[name] = _of_owner(keys, by_key)
    shared = {label for keys in found.values() for _, label in keys}
    for name in values.keys() - found.keys():
        keys = frozenset(key for key in values[name] if key[1] in shared)
        keys = keys or _best_known(values[name], handles, kinds.get(name, "person"))
        if keys:
            found[name] = _of_owner(keys, values[name])
    return found


def _of_owner(keys: Keys, by_key: Mapping[Key, list[str]]) -> Keys:
    """Keep one part of a record: that of the owner, or the one that most records have.

    Few posts name a second person, such as a partner who paid; that one is not the owner.
    """
    if any(group == OWNER for group, _ in keys):
        return frozenset(key for key in keys if key[0] == OWNER)
    most = max((len(by_key[key]) for key in keys), default=0)
    return frozenset(key for key in keys if len(by_key[key]) == most)


def _values_by_key(entries: Iterable[Entry]) -> dict[Key, list[str]]:
    """Return the values that are not empty, the first one of every record."""
    values: dict[Key, list[str]] = {}
    for entry in entries:
        seen: set[Key] = set()
        for pair in entry.pairs:
            key = (pair.group, pair.label)
            if pair.value and key not in seen:
                seen.add(key)
                values.setdefault(key, []).append(pair.value.strip())
    # Beside a nested person the labels at the top are those of the post: link, caption.
    nested = {key: texts for key, texts in values.items() if key[0]}
    return nested or values


def _said(by_key: Mapping[Key, list[str]], kind: Kind) -> Keys:
    """Return the labels that say "user name", or "author" where that is a user name too."""
    said = frozenset(key for key in by_key if is_username_label(key[1]))
    if said or kind == "person":
        return said
    return frozenset(key for key in by_key if key[1].strip().casefold() in AUTHOR_WORDS)


def _pooled(by_key: Mapping[Key, list[str]], record_count: int, kind: Kind) -> Keys:
    # A comment's text may be one word; alone it must not pass for the owner.
    if kind == "comment" and len(by_key) < LEAD:
        return frozenset()
    # As written first: a display name mostly has a capital or a blank, a user name never has.
    for test in (is_handle, lambda text: bool(clean_handle(text))):
        shares = {
            key: sum(map(test, texts)) / (record_count if kind == "person" else len(texts))
            for key, texts in by_key.items()
        }
        ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
        if not ranked or ranked[0][1] < SHARE:
            continue
        if len(ranked) == 1 or ranked[0][1] >= LEAD * ranked[1][1]:
            return frozenset({ranked[0][0]})
    return frozenset()


def _best_known(by_key: Mapping[Key, list[str]], handles: Collection[str], kind: Kind) -> Keys:
    hits = Counter(
        {key: sum(clean_handle(text) in handles for text in texts) for key, texts in by_key.items()}
    )
    ranked = hits.most_common(2)
    if not ranked or not ranked[0][1] or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return frozenset()
    best, count = ranked[0]
    # A word of a comment may be somebody's user name by chance.
    return frozenset({best}) if kind == "person" or 2 * count >= len(by_key[best]) else frozenset()


def value_of(entry: Entry, keys: Keys) -> str:
    """Return a record's user name under the labels found, or "".

    Where several parts of a record hold one, that of the owner counts.

    Examples
    --------
    >>> from followkit.sources.exports.instagram_entries import Pair
    >>> value_of(Entry("f", pairs=(Pair("Owner", "Username", "Ana.Lu"),)),
    ...          frozenset({("Owner", "Username")}))
    'ana.lu'
    """
    named = [
        (pair.group != OWNER, handle)
        for pair in entry.pairs
        if (pair.group, pair.label) in keys and (handle := clean_handle(pair.value))
    ]
    # Two parts that name different people, and neither is the owner: nobody is named for sure.
    best = min(named, default=(True, ""))
    if best[0] and len({handle for _, handle in named}) > 1:
        return ""
    return best[1]


def name_before(entry: Entry, keys: Keys) -> tuple[str, str]:
    """Return (display name, user name) of a record: the label before the user name is the name.

    The order is link, name, user name in every language seen. ("", "") where either is missing.

    Examples
    --------
    >>> from followkit.sources.exports.instagram_entries import Pair
    >>> pairs = (Pair("", "URL", ""), Pair("", "Name", "Ana L"), Pair("", "Username", "ana.lu"))
    >>> name_before(Entry("f", pairs=pairs), frozenset({("", "Username")}))
    ('Ana L', 'ana.lu')
    """
    handle = value_of(entry, keys)
    for before, pair in zip(entry.pairs, entry.pairs[1:], strict=False):
        named = (pair.group, pair.label) in keys and clean_handle(pair.value) == handle
        # Without a name the link of the bio stands before; its label is in any language.
        is_link = before.label == "URL" or before.value.lower().startswith(("http:", "https:"))
        if handle and named and before.group == pair.group and not is_link:
            return before.value.strip(), handle
    return "", ""
