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
# # One factor at a time
#
# How often follows are answered along one feature: as it is, and with all else as observed.

# %% tags=["parameters"]
data: str = "data/nostr"  # folder, DuckDB file or edge list
mapping: str = ""  # TOML file that names the columns, where they differ
question: str = "auto"  # auto, follow_back, late_answer or mutuality
horizon_days: float = 30.0  # days within which an answer counts
seed: int = 0  # of folds
confidence: float = 0.95  # of every interval
delta: float = 0.01  # changes in probability smaller than this are negligible
factor: int = 3  # which of the nine factors
feature: str = "initiator_ratio_log"  # which feature to look at closely

# %%
from followkit import binned, explore
from followkit import explore_sections as see
from followkit.factors import judge
from followkit.sources import find_data, load_dataset

# %%
dataset = load_dataset(find_data(data), mapping=find_data(mapping) if mapping else None)
main = explore.prepare(dataset, question, horizon_days=horizon_days, seed=seed,
                       confidence=confidence, with_claims=True)  # fmt: skip
claims = judge(main, delta)
main.model

# %% [markdown]
# ## The factor

# %%
explore.choose(see.show_factor, main, claims, factor=explore.pick(see.list_factors(), factor))

# %% [markdown]
# ## One feature
#
# Dots: the share answered, nothing held equal. Diamonds: the model, with this feature alone set to
# the middle of the bin for everybody. Where they part, something that goes with the feature makes
# the difference. A claim is judged by its declared contrast alone, by Holm's rule over all claims.

# %%
explore.choose(
    see.show_feature, main, claims, feature=explore.pick(see.list_features(main), feature)
)

# %% [markdown]
# ## The same as a table

# %%
binned.bin_feature(main, feature, most_bins=8)
