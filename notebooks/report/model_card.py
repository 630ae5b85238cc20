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
# # How far can the model be trusted?

# %% tags=["parameters"]
data: str = "data/town"  # folder, DuckDB file or edge list
mapping: str = ""  # TOML file that names the columns, where they differ
question: str = "auto"  # auto, follow_back, late_answer or mutuality
horizon_days: float = 30.0  # days within which an answer counts
seed: int = 0  # of folds and splits
confidence: float = 0.95  # of every interval
allow_untimed: bool = False  # also use data whose moment is unknown
split: str = "auto"  # how dyads are held out: auto, time or accounts
title: str = "Model card"  # heading of the report

# %%
from followkit import analysis as an
from followkit import card_sections as part
from followkit import describe as say
from followkit import describe_card as tell
from followkit import figures as draw
from followkit import model_card as card
from followkit import sections as page

# %%
from followkit.html import Record, details, lead, show, table
from followkit.planted import compare_truth, recovery_test
from followkit.pseudonyms import tell_data
from followkit.small_cells import hide_small_parts
from followkit.sources import find_data, load_dataset

# %%
dataset = load_dataset(find_data(data), mapping=find_data(mapping) if mapping else None)
options = {"seed": seed, "confidence": confidence, "allow_untimed": allow_untimed}
chosen = an.choose_question(dataset, question)
main = an.analyse(dataset, chosen, horizon_days=horizon_days, **options)
held = card.choose_split(main, split)
numbers = Record()

# %%
bins, line = an.make_calibration(main, held)
strata = card.make_strata(main, held)
bands = hide_small_parts(card.make_bands(main, held), ["n", "answer_count"])
opening = tell.describe_card(main, held, strata, line)
numbers.record("headline", tell.describe_card_headline(opening))
numbers.record("answer", opening.text)
numbers.record("main", say.collect_numbers(main))
numbers.show_as(data=tell_data(data, dataset))
show(lead(opening.text), page.show_export(dataset))

# %% [markdown]
# ## Who trained it on what

# %%
training = card.make_training(main, held)
trained = tell.describe_training(main, held, training)
show(trained.text, part.show_training(trained))

# %% [markdown]
# ### Settings
#
# Nothing is tuned in the logistic models: their features come in the order of the catalogue, as
# many as the answers carry.

# %%
tuned = card.make_tuned(main, held)
settings = tell.describe_tuned(tuned)
show(settings.text, part.show_tuned(settings))

# %% [markdown]
# ## How well it tells dyads apart

# %%
scores = card.make_scores(main, held)
ladder, rungs = say.describe_ladder(main, held), tell.describe_rungs(main, held)
show(rungs.text, part.show_scores(scores, ladder, main))

# %% [markdown]
# ### Against each other model, dyad by dyad

# %%
paired = card.make_paired(main, held)
beaten = tell.describe_paired(paired)
show(beaten.text, part.show_paired(beaten))

# %% [markdown]
# ### Among deciders equally much followed
#
# A score that only finds out who has few followers looks good over all dyads. So answered and
# unanswered dyads are compared once more, only where their deciders have about as many followers.

# %%
matched, levels = tell.describe_strata(strata), tell.describe_bands(bands)
show(matched.text, part.show_strata(matched, levels))

# %% [markdown]
# ## Can its probabilities be taken at their word?

# %%
calibrated = say.describe_calibration(line)
show(calibrated.text, part.show_calibration(bins, calibrated))

# %%
parts = card.make_decomposition(main, held)
made_of = tell.describe_decomposition(parts)
show(made_of.text, part.show_decomposition(made_of))

# %% [markdown]
# ## What it would find first

# %%
gains = an.make_gains(main, held)
found = tell.describe_gains_band(gains)
show(found.text, part.show_gains(found))

# %% [markdown]
# ## What it has learnt

# %%
effects, coefficients = say.describe_effects(main), card.make_coefficients(main)
caption = "The strongest ten. Right: the average change in probability, in points."
forest = page.picture(draw.plot_odds_ratios, page.label_effects(effects.table), effects,
                      row_inches=0.74, caption=caption)  # fmt: skip
show(effects.text, forest, page.show_effects(effects), part.show_coefficients(coefficients))

# %%
truth = compare_truth(main)
planted = say.describe_truth(truth, None if truth.empty else recovery_test(main))
page.show_truth(planted)

# %%
part.show_uses(page.describe_counted(main))

# %% [markdown]
# ## Limits

# %%
numbers.record("card", tell.collect_card_numbers(
    training=training, tuned=tuned, scores=scores, paired=paired, strata=strata, bands=bands,
    calibration_line=line, decomposition=parts, gains=gains.iloc[::10],
    coefficients=coefficients, truth=truth))  # fmt: skip
show(*say.describe_notes(main), details("How the numbers were made", *page.METHOD),
     table(say.describe_data(main), "The data"))  # fmt: skip

# %%
numbers
