"""Invented handles and display names, in several scripts, for simulated account owners."""

from __future__ import annotations

from followkit.simulate.draws import Draws

__all__ = ["draw_handles", "draw_names"]

_SYLLABLES = ("an", "bo", "cu", "da", "el", "fi", "go", "hu", "io", "ka", "lu", "mi", "na", "or",
              "pe", "ri", "sa", "to", "ul", "ve", "wi", "xo", "ya", "ze")  # fmt: skip
_JOINS = ("", ".", "_", "")
_FIRST = ("Ana", "Bo", "Zoë", "José", "Łukasz", "Søren", "Chloé", "Ivan", "Иван", "Мария", "さくら",
          "健太", "王", "李", "지민", "नेहा", "ليلى", "Ömer", "Đặng", "Maeve")  # fmt: skip
_LAST = ("Lu", "Müller", "García", "Nørgaard", "Петров", "山田", "芳", "민수", "O'Neill", "d’Arc",
         "Šimić", "Ng", "de la Cruz", "Ağaoğlu", "शर्मा", "🌸", "✈️ travels", "& Co", "<3",
         "van Dijk")  # fmt: skip


def draw_handles(draws: Draws, count: int) -> list[str]:
    """Return handles of at most 15 characters, in mixed case, that differ in letters and digits.

    They stay different when the case is ignored and when dots and underscores are exchanged for
    one another or for hyphens, so every platform can write them in its own alphabet.
    """
    handles: list[str] = []
    seen: set[str] = set()
    while len(handles) < count:
        pieces = draws.whole(0, len(_SYLLABLES), 4)
        join = _JOINS[int(draws.whole(0, len(_JOINS), 1)[0])]
        words = [_SYLLABLES[int(piece)] for piece in pieces]
        handle = "".join(words[:2]) + join + "".join(words[2:])
        if draws.uniform(1)[0] < 0.4:
            handle += str(int(draws.whole(1, 1000, 1)[0]))
        if draws.uniform(1)[0] < 0.15:
            handle = handle.title() if join else handle.capitalize()
        plain = "".join(letter for letter in handle.lower() if letter.isalnum())
        if plain not in seen:
            seen.add(plain)
            handles.append(handle)
    return handles


def draw_names(draws: Draws, count: int, handles: list[str]) -> list[str]:
    """Return display names; some are shared, and one is the handle of somebody else.

    The names at positions 6 and 7 and those at 8 and 9 are the same; that at 10 is the handle of
    the account at 11. The other names differ from each other.
    """
    names: list[str] = []
    taken: set[str] = set()
    for number in range(count):
        first, last = draws.whole(0, len(_FIRST), 1)[0], draws.whole(0, len(_LAST), 1)[0]
        name = f"{_FIRST[int(first)]} {_LAST[int(last)]}"
        if name in taken:
            name = f"{name} {number}"
        taken.add(name)
        names.append(name)
    for one, other in ((6, 7), (8, 9)):
        if count > other:
            names[other] = names[one]
    if count > 11:
        names[10] = handles[11].lower()
    return names
