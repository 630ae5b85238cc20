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
# # One account
#
# Its follows and their answers beside all others. Few follows say little about anybody, and nothing
# about reasons; this is for looking at one's own data, not for ranking people. Accounts are shown
# by their own ids: do not pass this page on.

# %% tags=["parameters"]
data: str = "data/nostr"  # folder, DuckDB file or edge list
mapping: str = ""  # TOML file that names the columns, where they differ
question: str = "auto"  # auto, follow_back, late_answer or mutuality
horizon_days: float = 30.0  # days within which an answer counts
seed: int = 0  # of folds
confidence: float = 0.95  # of every interval
account: str = ""  # an account_id; the first in the data without

# %%
from followkit import explore, portraits
from followkit import explore_sections as see
from followkit.sources import find_data, load_dataset

# %%
dataset = load_dataset(find_data(data), mapping=find_data(mapping) if mapping else None)
main = explore.prepare(dataset, question, horizon_days=horizon_days, seed=seed,
                       confidence=confidence)  # fmt: skip
accounts = portraits.list_accounts(main)
account = account or accounts[0]
main.dyads

# %% [markdown]
# ## As initiator and as decider

# %%
explore.choose(see.show_account, main, account=explore.pick(accounts, account))

# %% [markdown]
# ## What goes with a change?
#
# Over the follows that it made: what the model predicts if one thing were different.

# %%
explore.choose(see.show_account_changes, main, account=explore.pick(accounts, account))

# %% [markdown]
# ## The same as tables

# %%
portraits.compare_rates(main, account)

# %%
portraits.list_dyads_of(main, account, "initiator").head(10)
