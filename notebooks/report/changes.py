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
# # What changed?

# %% tags=["parameters"]
data: str = "data/town"  # folder, DuckDB file or edge list
data_second: str = ""  # where the second part comes from; the same data without
mapping: str = ""  # TOML file that names the columns, where they differ
segment: str = "month=2025-03"  # the first part; all follows without
segment_second: str = "month=2025-06"  # the second part
question: str = "auto"  # auto, follow_back, late_answer or mutuality
horizon_days: float = 30.0  # days within which an answer counts
seed: int = 0  # of folds and splits
confidence: float = 0.95  # of every interval
name_first: str = ""  # what to call the first part; after its segment without
name_second: str = ""  # what to call the second part
title: str = "What changed?"  # heading of the report

# %%
from followkit import analysis as an
from followkit import change_sections as part
from followkit import describe_changes as say
from followkit.changes import compare_parts
from followkit.html import Record, details
from followkit.pseudonyms import name_accounts, tell_data
from followkit.sections import describe_counted, show_uses
from followkit.sources import find_data, load_dataset

# %%
named = find_data(mapping) if mapping else None
first_data = load_dataset(find_data(data), mapping=named)
second_data = load_dataset(find_data(data_second), mapping=named) if data_second else first_data
first_names, second_names = name_accounts(first_data), name_accounts(second_data)

# %%
segment = first_names.find_segment(segment)
segment_second = second_names.find_segment(segment_second)
shown = first_names.name_segment(segment), second_names.name_segment(segment_second)
chosen = an.choose_question(first_data, question)
options = {"horizon_days": horizon_days, "seed": seed, "confidence": confidence}

# %%
first = an.analyse(first_data, chosen, segment=segment, with_ladder=False, **options)
second = an.analyse(second_data, chosen, segment=segment_second, with_ladder=False, **options)
changes = compare_parts(first, second)
names = say.name_parts(changes, (name_first, name_second), shown)
numbers = Record()
called = tell_data(data, first_data), data_second and tell_data(data_second, second_data)
numbers.show_as(data=called[0], data_second=called[1])
numbers.show_as(segment=shown[0], segment_second=shown[1])

# %%
answer = say.describe_change(changes, names)
numbers.record("headline", answer.text.split(". ")[0].rstrip(".") + ".")
numbers.record("answer", answer.text)
numbers.record("changes", say.collect_changes(changes, names))
part.show_change(changes, answer)

# %% [markdown]
# ## Other pairs, or other answers?

# %%
pieces = say.describe_pieces(changes, names)
part.show_pieces(pieces)

# %% [markdown]
# ## What goes with an answer, then and now
#
# Each odds ratio is *associated with* an answer while the other features stay the same.

# %%
effects = say.describe_effect_changes(changes, names)
part.show_effect_changes(changes, names, effects)

# %%
show_uses(f"{describe_counted(first)} Beside them: {describe_counted(second)}")

# %% [markdown]
# ## Method and limits

# %%
details("How the numbers were made", *part.METHOD)

# %%
numbers
