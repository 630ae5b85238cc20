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
# # How far can each question be answered?

# %% tags=["parameters"]
data: str = "data/nostr; data/town"  # folders, files or folders of data sets, with ; between
question: str = "all"  # all, auto, follow_back, late_answer or mutuality
horizon_days: float = 30.0  # days within which an answer counts
seed: int = 0  # of folds and splits
confidence: float = 0.95  # of every interval
with_naive: bool = True  # also show what features with the answers left in would seem to be worth
title: str = "How far can each question be answered?"  # heading of the report

# %%
from followkit import comparison_sections as part
from followkit import describe_comparison as say
from followkit.comparison import compare_datasets, find_datasets
from followkit.html import Record, lead, show
from followkit.sections import show_uses

# %%
datasets = find_datasets(data)
found = compare_datasets(datasets, question=question, horizon_days=horizon_days, seed=seed,
                         confidence=confidence, with_naive=with_naive)  # fmt: skip
answer = say.describe_comparison(found)
numbers = Record()
numbers.record("headline", say.describe_headline(found))
numbers.record("answer", answer.text)
numbers.record("comparison", say.collect_comparison(found))
show(lead(answer.text))

# %% [markdown]
# ## One table

# %%
part.show_overview(found)

# %% [markdown]
# ## Every rung, data set by data set

# %%
part.show_rungs(found)

# %% [markdown]
# ## What is leakage worth?
#
# Much published code computes features once, on the whole network, in which the answers to be
# predicted already stand. The same model is scored here both ways.

# %%
part.show_leaks(found)

# %% [markdown]
# ## What could not be scored

# %%
part.show_failures(found)

# %%
show_uses(say.describe_counted(found))

# %% [markdown]
# ## Method and limits

# %%
show(*say.METHOD, part.show_scores(found))

# %%
numbers
