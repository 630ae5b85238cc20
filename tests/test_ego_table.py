"""The table of people, and the parts around it: what they say, and what they never do."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from hashlib import sha256
from typing import Any

import ego_made as made
import hostile
import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure

from followkit.ego import describe as say
from followkit.ego import figures as draw
from followkit.ego import sections as part
from followkit.ego import table as ego_table
from followkit.ego.results import STATE_LABELS
from followkit.ego.table import SHORT_STATES, make_people, people_table
from followkit.html import Shown, table
from followkit.page import PageText, check_page, find_script, make_page, read_script

pytestmark = pytest.mark.usefixtures("quick_pictures")


def show_people(study: Any, *, are_shown: bool = True) -> tuple[BeautifulSoup, Shown]:
    names = made.make_names(study.alters, are_shown=are_shown)
    shown = people_table(make_people(study, names), "People")
    return BeautifulSoup(shown.html, "html.parser"), shown


def read_cell(cell: Any) -> str:
    return " ".join(cell.get_text(" ").split())


def make_html(*pieces: Shown) -> str:
    cells = [nbformat.v4.new_markdown_cell("# T")]
    for piece in pieces:
        cell = nbformat.v4.new_code_cell("x")
        cell.outputs.append(nbformat.v4.new_output("display_data", data={"text/html": piece.html}))
        cells.append(cell)
    return make_page(nbformat.v4.new_notebook(cells=cells), PageText("T"))


# ---------------------------------------------------------------------------------------- the rows


def test_every_account_has_one_row_in_an_order_that_ranks_nobody() -> None:
    study = made.make_study()
    people = make_people(study, made.make_names(study.alters))
    assert sorted(people["person"]) == sorted(study.alters["alter_id"])
    places = people["state"].map(list(STATE_LABELS).index)
    assert places.is_monotonic_increasing
    for _, names in people.groupby("state")["person"]:
        assert names.tolist() == sorted(names)
    shuffled = replace(study, alters=study.alters.sample(frac=1, random_state=1))
    again = make_people(shuffled, made.make_names(study.alters))
    pd.testing.assert_frame_equal(people, again)


def test_a_row_says_what_the_study_knows_and_a_dash_for_the_rest() -> None:
    study = made.make_study()
    soup, _ = show_people(study)
    rows = {row.th.bdi.text: row for row in soup.select("tbody tr")}
    assert len(rows) == len(study.alters) == 90
    answered = [read_cell(cell) for cell in rows["alter.000"].find_all("td")]
    assert answered == ["you follow each other", "2026-08-10", "2026-08-11",
                        "they answered after 1 day", "–", "said of mutual"]  # fmt: skip
    waiting = [read_cell(cell) for cell in rows["alter.001"].find_all("td")]
    assert waiting == ["does not follow you now", "2026-08-07", "–", "open for 4 days",
                       "20 % 10–40", "said of not_following_back"]  # fmt: skip
    assert rows["alter.003"].small.text == "Dís Name 3"
    assert rows["alter.005"].small.text == "Dís Name 5 · close friend, favorite"
    asked = study.alters.set_index("alter_id")["requested_at"]
    pending = soup.select_one('tr[data-state="pending"]')
    day = f"{asked[pending.th.bdi.text]:%Y-%m-%d}"
    assert pending.find_all("td")[1].text == f"asked {day}"


def test_sorting_has_numbers_and_the_unknown_is_empty() -> None:
    soup, _ = show_people(made.make_study())
    row = next(row for row in soup.select("tbody tr") if row.th.bdi.text == "alter.001")
    values = [cell.get("data-value") for cell in row.find_all("td")]
    moment = int(pd.Timestamp("2026-08-07T17:42Z").timestamp())
    assert [values[0], values[2], values[5]] == [None, "", None]
    assert values[1] == str(moment)
    assert [float(values[3]), float(values[4])] == [4.0, 0.2]


def test_every_state_has_short_words_that_blame_nobody() -> None:
    assert set(SHORT_STATES) == set(STATE_LABELS)
    said = " ".join([*SHORT_STATES.values(), part.NO_ACTION]).lower()
    for word in ("ghost", "traitor", "fake", "rude", "snob", "should unfollow", "refus"):
        assert word not in said


def test_pseudonyms_stand_for_names_everywhere() -> None:
    study = made.make_study()
    soup, shown = show_people(study, are_shown=False)
    everything = shown.html + "".join(shown.tables.values())
    assert "alter." not in everything
    assert "Dís Name" not in everything
    names = [row.th.bdi.text for row in soup.select("tbody tr")]
    assert len(set(names)) == 90
    assert all(re.fullmatch(r"user-\w{6,}", name) for name in names)


def test_very_many_followers_give_way_to_those_whom_the_ego_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ego_table, "MOST_ROWS", 60)
    study = made.make_study(count=40)
    few = study.alters
    many = pd.concat([few[few["state"] == "fan"]] * 60, ignore_index=True)
    many = many.assign(alter_id=[f"fan{place}" for place in range(len(many))])
    crowd = replace(study, alters=pd.concat([few, many], ignore_index=True))
    soup, shown = show_people(crowd)
    rows = soup.select("tbody tr")
    assert len(rows) == 60
    others = int((few["state"] != "fan").sum())
    assert sum(row["data-state"] != "fan" for row in rows) == others
    left = len(crowd.alters) - 60
    assert f"{left:,} more are in tables/people.csv" in soup.get_text()
    assert shown.tables["people"].count("\n") == len(crowd.alters) + 1


# ------------------------------------------------------------------------------------- safe to open


def test_no_row_links_anywhere_and_nothing_in_it_can_run() -> None:
    study = made.make_study(is_hostile=True)
    soup, _ = show_people(study)
    assert soup.find_all(["a", "img", "svg", "iframe", "script", "form", "button", "input"]) == []
    attributes = {name for element in soup.find_all(True) for name in element.attrs}
    assert not [name for name in attributes if name.startswith("on")]
    names = {row.th.bdi.text for row in soup.select("tbody tr")}
    assert hostile.PAYLOADS[0] + " 0" in names
    assert all(row.th.bdi is not None for row in soup.select("tbody tr"))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", soup.get_text())


def test_the_csv_file_runs_nothing_in_a_spreadsheet() -> None:
    study = made.make_study(is_hostile=True)
    _, shown = show_people(study)
    rows = list(csv.DictReader(io.StringIO(shown.tables["people"])))
    assert len(rows) == 90
    assert set(rows[0]) >= {"person", "state", "reason", "suggestion", "you_followed_at"}
    armed = [cell for row in rows for cell in row.values() if cell.startswith(tuple("=+-@\t\r"))]
    assert armed == []
    assert any(row["person"].startswith("'=1+1") for row in rows)
    assert {row["suggestion"] for row in rows} == {"no action"}
    one = next(row for row in rows if row["person"].startswith("$_$"))
    assert re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["you_followed_at"])


def test_the_page_carries_one_script_that_its_policy_names_by_hash() -> None:
    from base64 import b64encode

    study = made.make_study(is_hostile=True)
    page = make_html(part.show_people(study, made.make_names(study.alters)))
    script = read_script("people")
    assert find_script(page) == script
    assert check_page(page, script=find_script(page)) == []
    soup = BeautifulSoup(page, "html.parser")
    assert [one.string for one in soup.find_all("script")] == [script]
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe-inline' " not in policy.partition("script-src")[2]


def test_other_pages_carry_no_script_and_a_strange_one_is_a_fault() -> None:
    plain = make_html(table(pd.DataFrame({"a": [1]}), "A table"))
    assert find_script(plain) == ""
    assert "script" not in plain
    asked = Shown('<table data-script="other"><tr><td>x</td></tr></table><script>1</script>')
    assert "<script" not in make_html(asked)
    people = make_html(people_table(make_people(made.make_study(), made.make_names(
        made.make_study().alters)), "P"))  # fmt: skip
    for broken in (people.replace("</main>", "<script>1</script></main>"),
                   people.replace("const STEP = 50", "const STEP = 51")):  # fmt: skip
        faults = check_page(broken, script=find_script(broken))
        assert faults == ["something in the page could run"]


def test_the_script_asks_for_nothing_and_keeps_nothing() -> None:
    script = read_script("people")
    for word in ("fetch", "XMLHttpRequest", "WebSocket", "localStorage", "sessionStorage", "cookie",
                 "indexedDB", "innerHTML", "eval", "http", "import(", "sendBeacon"):  # fmt: skip
        assert word not in script, word


# ---------------------------------------------------------------------------------------- the parts


def list_parts(study: Any) -> dict[str, Shown]:
    names = made.make_names(made.make_study().alters)
    parts = {
        name: getattr(part, f"show_{name}")(study)
        for name in ("trust", "answer", "states", "curve", "still", "reasons", "limits")
    }
    for name in ("opening", "people", "uses"):
        parts[name] = getattr(part, f"show_{name}")(study, names)
    return parts


def read_text(shown: Shown) -> str:
    return BeautifulSoup(shown.html, "html.parser").get_text(" ").replace("\u00a0", " ")


def test_a_refused_list_accuses_nobody() -> None:
    parts = list_parts(made.make_study("refuse"))
    silent = {name for name, shown in parts.items() if not shown.html}
    assert silent == {"answer", "states", "curve", "still", "reasons", "people"}
    assert "cannot say who follows you back. The list is cut." in read_text(parts["opening"])
    said = read_text(parts["trust"])
    assert "Not usable" in said
    assert "Ask for an export of “All time”" in said
    assert said.index("All time") < said.index("Step by step") < said.index("Choose JSON")
    assert "shows the names" not in read_text(parts["opening"]) + read_text(parts["uses"])


def test_warnings_stand_before_the_results() -> None:
    said = read_text(part.show_trust(made.make_study("warn", said="Three times lie ahead.")))
    assert "Caution Three times lie ahead." in said
    assert "What to do about it" in said


def test_small_groups_say_that_they_are_too_few() -> None:
    study = made.make_study()
    small = study.contacts.assign(n=[9, 60, 3], answered=[7, 40, pd.NA], rate=[7 / 9, 2 / 3, None])
    said = say.describe_contacts(replace(study, contacts=small)).text
    assert "you wrote to each other: 7 of 9" in said
    assert "no contact: under 5 follows, too few to say" in said


def test_none_seen_is_no_chance_of_nought() -> None:
    study = made.make_study()
    still = study.still.assign(chance=[0.5, 0.1, 0.05, 0.02, 0.0], ci_low=0.0, ci_high=0.039)
    said = say.describe_still(replace(study, still=still)).text
    assert "after 365 days none has come so far (at most 3.9 %)" in said
    assert "right after the follow it is 50.0 %" in said


def test_groups_are_told_apart_only_beyond_chance() -> None:
    study = made.make_study()
    assert say.describe_groups(study) == ""
    far = say.describe_groups(replace(study, contacts_p=0.0004))
    near = say.describe_groups(replace(study, contacts_p=0.3))
    assert "more than chance alone would bring (p < 0.001" in far
    assert "does not say why" in far
    assert "no more than chance alone may bring (p = 0.300" in near
    assert "no pattern" in near


def test_effects_stand_out_among_all_that_were_looked_at() -> None:
    study = made.make_study()
    assert "odds ratio" in say.describe_effects(study).text
    effects = study.model.effects.assign(p_holm=0.2)
    model = replace(study.model, effects=effects)
    told = say.describe_effects(replace(study, model=model)).text
    assert told.startswith("No single feature stands out")


def test_own_withdrawals_bound_the_share() -> None:
    study = made.make_study()
    assert "withdrew" not in say.describe_interval(study)
    gone = study.alters.assign(unfollowed_at=pd.NaT, ego_followed_at=pd.NaT, alter_follows=False)
    gone["unfollowed_at"] = pd.to_datetime(gone["unfollowed_at"], utc=True)
    gone.loc[:10, "unfollowed_at"] = made.EXPORTED
    gone.loc[10, "alter_follows"] = True  # answered, so it lowers nothing
    said = say.describe_interval(replace(study, alters=gone))
    # 131 of 240, and of 250 with ten that nobody answered.
    assert "10 follows that you withdrew cannot be counted" in said
    assert "the share would be 52.4 % in place of 54.6 %" in said


def test_the_answer_is_one_paragraph_with_its_interval() -> None:
    study = made.make_study()
    text = say.describe_answer(study).text
    assert text.startswith(
        "Of 240 people you followed first at least 30 days ago, 131 followed you back within "
        "30 days (54.6 %, 95 % interval 48.3 to 60.7 %)."
    )
    assert "140 of them follow you now (58.3 %)" in text
    assert "17 people you followed less than 30 days ago are not in this" in text
    shown = read_text(part.show_answer(study))
    assert "holds for your account only" in shown
    assert "has left again is not seen" in shown


def test_without_times_there_are_states_and_no_rate() -> None:
    study = made.make_study(has_times=False)
    parts = list_parts(study)
    assert "holds no times of follows" in read_text(parts["answer"])
    assert not parts["curve"].html
    assert not parts["still"].html
    assert "people.csv" in parts["people"].html
    assert "34 follow you (50.0 %)" in read_text(parts["answer"])


def test_no_old_follow_means_no_rate() -> None:
    study = made.make_study()
    young = replace(study.rate, n=0, answered=0, rate=np.nan, ci_low=np.nan, ci_high=np.nan)
    text = say.describe_answer(replace(study, rate=young)).text
    assert text.startswith("No follow that you started is 30 days old yet")
    assert "nan" not in read_text(part.show_answer(replace(study, rate=young))).split()


def test_too_few_data_say_that_the_base_rate_is_all() -> None:
    shown = part.show_reasons(made.make_study(is_better=False))
    said = read_text(shown)
    assert "Too few data: the base rate is all." in said
    assert "odds ratio" not in said
    alt = BeautifulSoup(shown.html, "html.parser").img["alt"]
    assert "you wrote to each other: 7 of 9" in alt
    better = read_text(part.show_reasons(made.make_study()))
    assert "odds ratio 1.80, interval 1.20 to 2.70" in better
    assert "held out at random, 0.655 against 0.689 for the base rate (240 follows)." in better
    assert "does not say that doing more of it would bring more answers" in better


def test_chances_left_are_told_for_the_first_age_a_month_and_the_last_known() -> None:
    text = say.describe_still(made.make_study()).text
    assert "right after the follow it is 54.6 % (48.0 to 61.0 %), after 30 days it is 5.0 %" in text
    assert "after 90 days it is 2.0 %" in text
    assert "nan" not in text
    chances = made.make_study().alters["probability_still"]
    assert 0.5 < chances.sum() < 1.5
    open_now = f"{int(chances.notna().sum())} follows of yours are open now; all together, "
    assert f"{open_now}about one more answer is to be expected" in text


def test_numbers_for_the_summary_name_nobody() -> None:
    import json

    from followkit.record import plain

    for study in (made.make_study(), made.make_study("refuse"), made.make_study(has_times=False)):
        text = json.dumps(plain(say.collect_ego_numbers(study)))
        assert "alter." not in text
    assert say.collect_ego_numbers(made.make_study())["rate"]["answered"] == 131


def test_notes_say_that_nothing_needs_to_be_done_and_where_notes_live() -> None:
    said = read_text(list_parts(made.make_study())["people"])
    assert "There is nothing that you need to do." in said
    assert "Suggestion for every row: no action." in said
    assert "Nothing is sent or stored anywhere" in said


# ----------------------------------------------------------------------------------------- pictures


def draw_all(study: Any) -> list[str]:
    """Return the words of every picture of a study, really drawn."""
    contacts = study.contacts[study.contacts["n"] > 0]
    rate = study.rate.rate
    calls = [
        (draw.plot_states, study.states[study.states["count"] > 0], {}),
        (draw.plot_still, study.still[study.still["chance"].notna()], {"horizon_days": 30.0}),
        (draw.plot_contacts, contacts, {"base_rate": rate}),
    ]
    found = []
    for plot, rows, options in calls:
        figure = Figure(figsize=(4.4, 4))
        axes = plot(rows, ax=figure.add_subplot(), **options)
        figure.savefig(io.BytesIO(), format="svg")
        found += [text.get_text() for text in axes.texts]
    return found


def test_pictures_say_their_numbers_and_nobodys_name() -> None:
    study = made.make_study()
    said = draw_all(study)
    for words in ("you follow each other", "54.6 %", "7 of 9", "after 30 days (120 open)"):
        assert words in said
    assert not [text for text in said if "alter" in text or "Name" in text]


def test_pictures_stand_nothing_answered_and_labels_like_formulas() -> None:
    study = made.make_study()
    still = study.still.assign(chance=0.0, ci_low=0.0, ci_high=0.0)
    contacts = study.contacts.assign(answered=0, rate=0.0, label=["$_$", r"$\\frac$", "_x"])
    none = replace(study, still=still, contacts=contacts, rate=replace(study.rate, rate=0.0))
    said = draw_all(none)
    assert "0.0 %" in said
    assert any(r"\$" in text for text in said)


def test_nothing_answered_has_words_and_no_curve() -> None:
    study = made.make_study()
    silent = replace(
        study,
        latency=replace(study.latency, answered_count=0, median_answered_days=np.nan),
        curve=study.curve.assign(incidence=0.0, ci_low=0.0, ci_high=0.02),
    )
    shown = part.show_curve(silent)
    assert "None of the 257 follows that you started was answered" in read_text(shown)
    assert "<figure" not in shown.html
    assert "<figure" in part.show_curve(study).html
    assert "nan" not in read_text(part.show_answer(silent)).split()


def test_pictures_and_table_use_the_same_words_and_contacts_are_all_named() -> None:
    from followkit.ego.features import CONTACTS

    assert set(part.SHORT_CONTACTS) == set(CONTACTS)
    assert max(map(len, [*part.SHORT_CONTACTS.values(), *SHORT_STATES.values()])) <= 30


def test_the_curve_begins_where_answers_do() -> None:
    waiting = pd.DataFrame({
        "initiator_id": "me", "decider_id": [f"a{n}" for n in range(40)],
        "duration_days": [0.01 * (n + 1) for n in range(20)] + [90.0] * 20,
        "state": ["answered"] * 20 + ["censored"] * 20,
    })  # fmt: skip
    curve = say.make_curve(replace(made.make_study(), waiting=waiting))
    assert curve["duration_days"].iloc[0] < 0.02
    assert curve["incidence"].iloc[0] < 0.1
    assert curve["incidence"].iloc[-1] == pytest.approx(0.5)
    assert 30.0 in curve["duration_days"].tolist()


def test_who_left_is_told_where_exports_were_joined() -> None:
    left = pd.DataFrame({"step": ["followed you back and left"], "count": [4], "note": [""]})
    said = read_text(part.show_states(replace(made.make_study(), left=left)))
    assert "Your exports of several dates together show: followed you back and left: 4." in said


@pytest.mark.parametrize("platform", ["instagram", "tiktok", "x", "linkedin", "mastodon"])
def test_every_platform_has_steps_and_what_refuses_is_asked_for_alone(platform) -> None:
    study = replace(made.make_study("refuse"), platform=platform)
    note = {"name": "messages", "value": "few", "verdict": "warn", "remedy": "Never mind."}
    checks = pd.concat([study.trust.checks, pd.DataFrame([note])], ignore_index=True)
    asked = replace(study.trust, checks=checks, remedies=(*study.trust.remedies, "Never mind."))
    study = replace(study, trust=asked)
    assert say.list_remedies(study) == ["Ask for an export of “All time”."]
    said = read_text(part.show_trust(study))
    assert all(step in said for step in say.list_steps(study))
    assert len(say.list_steps(study)) >= 1
