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
# # One follow
#
# What had happened before it, what the model made of that, and what came of it. Accounts are shown
# by their own ids: do not pass this page on.

# %% tags=["parameters"]
data: str = "data/town"  # folder, DuckDB file or edge list
mapping: str = ""  # TOML file that names the columns, where they differ
question: str = "auto"  # auto, follow_back, late_answer or mutuality
horizon_days: float = 30.0  # days within which an answer counts
seed: int = 0  # of folds
confidence: float = 0.95  # of every interval
initiator: str = ""  # who followed; the likeliest of the unanswered follows without
decider: str = ""  # who was followed
days: float = 84.0  # how far back the picture of what happened before reaches

# %%
from followkit import explore, histories
from followkit import explore_sections as see
from followkit.sources import find_data, load_dataset

# %%
dataset = load_dataset(find_data(data), mapping=find_data(mapping) if mapping else None)
main = explore.prepare(dataset, question, horizon_days=horizon_days, seed=seed,
                       confidence=confidence)  # fmt: skip
dyad = histories.find_dyad(main, initiator, decider)
main.model

# %% [markdown]
# ## The follow

# %%
follows = explore.pick(histories.list_dyads(main), dyad)
explore.choose(see.show_dyad, main, dyad_id=follows)

# %% [markdown]
# ## What had happened before
#
# Strictly before the follow, in counts and moments, without texts and the pair's own two ties.

# %%
explore.choose(see.show_history, main, days, dyad_id=follows)

# %% [markdown]
# ## The same as tables

# %%
histories.count_windows(histories.list_events(main, dyad))

# %%
histories.list_features(main, dyad).head(12)
