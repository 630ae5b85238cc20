# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Who follows back?

# %% tags=["parameters"]
data: str = "data/nostr"  # folder, DuckDB file or edge list
mapping: str = ""  # TOML file that names the columns, where they differ
question: str = "auto"  # auto, follow_back, late_answer or mutuality
horizon_days: float = 30.0  # days within which an answer counts
seed: int = 0  # of folds and splits
confidence: float = 0.95  # of every interval
allow_untimed: bool = False  # also use data whose moment is unknown
allow_sensitive: bool = False  # also judge the claim about convictions
delta: float = 0.01  # changes in probability smaller than this are negligible
segment: str = ""  # part of the follows, such as month=2025-03 or decider.category=art
initiator: str = ""  # account whose follows the advice is tried on; all without
with_mutuality: bool = True  # also ask which ties are mutual, apart
show_names: bool = False  # show account names instead of pseudonyms
title: str = "Who follows back?"  # heading of the report

# %%
from followkit import analysis as an
from followkit import describe as say
from followkit import describe_factors as tell
from followkit import factor_sections as part
from followkit import factors as fx
from followkit import figures as draw
from followkit import sections as page

# %%
from followkit.describe_nulls import compare_with_chance
from followkit.html import Record, details, key_numbers, lead, show, table
from followkit.planted import compare_truth, recovery_test
from followkit.pseudonyms import name_accounts, tell_data
from followkit.sources import describe_dataset, find_data, load_dataset

# %%
dataset = load_dataset(find_data(data), mapping=find_data(mapping) if mapping else None)
names = name_accounts(dataset, show_names=show_names)
initiator, segment = names.find(initiator), names.find_segment(segment)
whose, part_shown = names.name(initiator), names.name_segment(segment)

# %%
options = {"seed": seed, "confidence": confidence, "allow_untimed": allow_untimed}
chosen = an.choose_question(dataset, question)
main = an.analyse(dataset, chosen, horizon_days=horizon_days, also=fx.list_claim_features(),
                  allow_sensitive=allow_sensitive, segment=segment, **options)  # fmt: skip
study = fx.study_factors(main, delta=delta, seed=seed, initiator=initiator)
numbers = Record()

# %%
called = tell_data(data, dataset, are_shown=show_names)
numbers.show_as(data=called, initiator=whose, segment=part_shown)
answer = say.describe_answer(main, part_shown)
numbers.record("headline", say.describe_headline(answer))
numbers.record("answer", answer.text)
numbers.record("main", say.collect_numbers(main))
opening = key_numbers(*page.list_key_numbers(main))
show(lead(answer.text), page.show_export(dataset), opening)

# %% [markdown]
# ## What became of the dyads

# %%
census = say.describe_census(main)
show(
    say.QUESTION_WORDS[main.question],
    page.picture(draw.plot_census, census.table, census, row_inches=0.5),
    page.show_census(main),
)

# %%
sensitivity = page.hide_small_choices(an.make_sensitivity(main))
numbers.record("sensitivity", sensitivity.to_dict("records"))
page.show_sensitivity(sensitivity)

# %% [markdown]
# ## 1. Which factors move the decision, and by how much?

# %%
numbers.record("factors", tell.collect_factor_numbers(study))
shares = tell.describe_contributions(study)
show(part.show_snapshot_caution(main), shares.text, part.show_contributions(shares))

# %% [markdown]
# ### What goes with an answer, feature by feature
#
# An odds ratio of 2 doubles the odds of an answer for one step of the feature. Each is *associated
# with* an answer while the others stay the same; nothing here was tried on anybody.

# %%
effects = say.describe_effects(main)
caption = "The strongest ten. Right: the average change in probability, in points."
forest = page.picture(draw.plot_odds_ratios, page.label_effects(effects.table), effects,
                      row_inches=0.74, caption=caption)  # fmt: skip
show(effects.text, forest, page.show_effects(effects))

# %%
fragility = say.describe_fragility(an.make_fragility(main))
show(fragility.text, page.show_fragility(fragility))

# %% [markdown]
# ## 2. Does a high follower count guarantee a follow-back?

# %%
curve, groups = fx.follower_curve(study), fx.compare_popularity(study)
followers = tell.describe_followers(curve, groups, fx.ratio_beyond_followers(study))
show(followers.text, part.show_followers(followers, groups))

# %% [markdown]
# ## 3. How does visibility act?

# %%
visibility = tell.describe_visibility(study, fx.compare_effects_without(study))
show(visibility.text, part.show_visibility(visibility))

# %% [markdown]
# ## 4. Can an inactive account expect a follow-back?

# %%
silence, posting = fx.compare_silence(study), fx.compare_posting(study)
inactive = tell.describe_inactive(fx.recency_curves(study), silence, posting)
show(inactive.text, part.show_inactive(inactive))

# %% [markdown]
# ## 5. What raises the chance?

# %%
changes = tell.describe_changes(study, whose)
show(changes.text, part.show_changes(study, changes))

# %% [markdown]
# ## 6. Should one take it personally?

# %%
carriers = tell.describe_carriers(study)
show(carriers.text, part.show_carriers(study, carriers))

# %% [markdown]
# ### One follow that went unanswered

# %%
surprise = fx.explain_surprise(study)
reasons = tell.describe_surprise(surprise)
show(reasons.text, part.show_surprise(reasons, surprise))

# %% [markdown]
# ## What practitioners claim
#
# Each claim has one contrast that was declared before any data were looked at.

# %%
claims = tell.describe_claims(study)
show(claims.text, part.show_claims(study, claims))

# %% [markdown]
# ## Does a single decider carry it?

# %%
influence = page.name_deciders(an.make_influence(main), names)
told = say.describe_influence(influence)
caption = "Share answered when one decider is left out, those with most answers first."
show(told.text, page.picture(draw.plot_influence, influence, told, row_inches=0.55,
                             caption=caption))  # fmt: skip

# %%
truth = compare_truth(main)
planted = say.describe_truth(truth, None if truth.empty else recovery_test(main))
numbers.record("truth", truth.to_dict("records"))
page.show_truth(planted)

# %% [markdown]
# ## Follow-back over time

# %%
curve = an.make_curve(main)
pace = say.describe_curve(curve, main)
caption = "Share of follows answered by day, with its interval; below, how many still waited."
show(pace.text, page.picture(draw.plot_follow_back_curve, curve, pace, caption=caption))

# %% [markdown]
# ## How good is the model?

# %%
split = an.main_split(main)
ladder = say.describe_ladder(main, split)
caption = "Every rung scored on the same dyads, none of which it was trained on."
rungs = page.picture(draw.plot_ladder, ladder.table, ladder, row_inches=0.6, caption=caption)
show(ladder.text, rungs, page.show_ladder(main, split))

# %%
bins, line = an.make_calibration(main, split)
page.picture(draw.plot_calibration, bins, say.describe_calibration(line))

# %%
gains = an.make_gains(main, split)
page.picture(draw.plot_gains, gains, say.describe_gains(gains))

# %% [markdown]
# ## Another question: which ties are mutual?
#
# A mutual tie may have begun on either side, so this is not about answers. Coefficients must not
# be compared with those above, but for features of the pair.

# %%
is_apart = with_mutuality and main.question != "mutuality" and not segment
ties = an.analyse(dataset, "mutuality", **options) if is_apart else None
if ties is not None:
    numbers.record("mutuality", say.collect_numbers(ties))
page.show_mutuality(ties)

# %% [markdown]
# ## Mutual beyond chance?

# %%
beside, chance = compare_with_chance(dataset, seed=seed, confidence=confidence)
numbers.record("reciprocity_beside_chance", chance)
show(beside.text, page.show_chance(beside))

# %% [markdown]
# ## What could not be measured

# %%
missing = say.describe_missing(main)
show(missing.text, page.show_missing(missing))

# %% [markdown]
# ## Data quality

# %%
quality = describe_dataset(dataset)
show(
    table(say.describe_data(main), "The data"),
    table(quality, "Rows read, dropped and kept", save_as="quality"),
)

# %%
page.show_uses(page.describe_counted(main), names_are_shown=show_names)

# %% [markdown]
# ## Method and limits

# %%
show(*say.describe_notes(main), details("How the numbers were made", *page.METHOD))

# %%
numbers
