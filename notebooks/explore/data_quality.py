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
# # What are the data like?
#
# Before any question: what was read, what is unknown, who was watched when, and what that allows.

# %% tags=["parameters"]
data: str = "data/nostr"  # folder, DuckDB file or edge list
mapping: str = ""  # TOML file that names the columns, where they differ
table: str = "follows"  # the table to look into column by column
confidence: float = 0.95  # of every interval

# %%
from followkit import explore, quality
from followkit import explore_sections as see
from followkit.sources import find_data, load_dataset

# %%
dataset = load_dataset(find_data(data), mapping=find_data(mapping) if mapping else None)
dataset

# %% [markdown]
# ## Which questions can they answer?

# %%
see.show_questions(dataset)

# %% [markdown]
# ## What was read and what was dropped?

# %%
see.show_steps(dataset)

# %% [markdown]
# ## What is unknown?

# %%
see.show_unknown(dataset)

# %% [markdown]
# ## One table, column by column

# %%
explore.choose(see.show_table, dataset, name=explore.pick(dataset.tables, table))

# %% [markdown]
# ## When did things happen?

# %%
see.show_times(dataset)

# %% [markdown]
# ## Who was watched when?
#
# An absent follow says no only where somebody could have seen it.

# %%
see.show_watched(dataset)

# %% [markdown]
# ## How unequal are followers and followees?

# %%
see.show_degrees(dataset)

# %% [markdown]
# ## What became of follows?

# %%
see.show_churn(dataset)

# %% [markdown]
# ## Which horizon do the data carry?

# %%
see.show_horizons(dataset, confidence=confidence)

# %% [markdown]
# ## The same as tables
#
# Every view above is made from a table that you can take further.

# %%
quality.list_unknown(dataset).head()
