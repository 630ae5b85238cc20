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
# # Start here
#
# 1. Pick a data set below, or put your own folder with `follows.csv` into `data/`.
# 2. Open *What are the data like?* first, and read what they can and cannot answer.
# 3. Then look at one factor, one account or one follow; the first cell says of which data.
# 4. Run all cells (Run → Run All Cells). Change a value in the first cell and run again.
# 5. A report for others: `followkit report --data data/town` in a terminal.

# %% tags=["parameters"]
folder: str = "data"  # where data sets are looked for, here and in the folders above
notebooks: str = "notebooks"  # where notebooks are looked for
data: str = "data/nostr"  # the data set to look into first

# %%
from followkit import explore
from followkit import explore_sections as see

# %% [markdown]
# ## Data sets

# %%
found = explore.list_datasets(folder)
explore.show_datasets(found)

# %%
explore.choose(see.show_data, data=explore.pick(found["data"], data))

# %% [markdown]
# ## Notebooks
#
# Under `explore` for yourself, under `report` for pages that others read.

# %%
explore.show_notebooks(explore.list_notebooks(notebooks))
