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
# # How long does an answer take?

# %% tags=["parameters"]
data: str = "data/town"  # folder, DuckDB file or edge list
mapping: str = ""  # TOML file that names the columns, where they differ
horizon_days: float = 30.0  # days within which an answer counts
landmark_days: float = 7.0  # days without an answer: is it still worth waiting?
link: str = "cloglog"  # of the hazard regression: cloglog (hazard ratios) or logit (odds ratios)
bin_count: int = 20  # bins of waiting time at most, evenly spaced in log time
late_entry: bool = False  # also use follows whose decider was watched only from a later time on
confidence: float = 0.95  # of every interval
title: str = "How long does an answer take?"  # heading of the report

# %%
from followkit import describe_latency as say
from followkit import latency_sections as part
from followkit.html import Record, details, show, table
from followkit.latency_study import study_latency
from followkit.pseudonyms import tell_data
from followkit.sections import show_export, show_uses
from followkit.sources import describe_dataset, find_data, load_dataset

# %%
dataset = load_dataset(find_data(data), mapping=find_data(mapping) if mapping else None)
study = study_latency(
    dataset, horizon_days=horizon_days, landmark_days=landmark_days, link=link,
    bin_count=bin_count, late_entry=late_entry, confidence=confidence,
)  # fmt: skip
numbers = Record()

# %%
answer = say.describe_latency(study)
numbers.record("headline", answer.text.split(". ")[0].rstrip(".") + ".")
numbers.record("answer", answer.text)
numbers.record("latency", say.collect_latency_numbers(study))
numbers.show_as(data=tell_data(data, dataset))
show(show_export(dataset), part.show_answer(study, answer))

# %%
part.show_chances(study)

# %%
part.show_times(study)

# %%
part.show_pace(study)

# %%
part.show_hazard_ratios(study)

# %%
part.show_later(study)

# %%
part.show_groups(study)

# %% [markdown]
# ## Data quality

# %%
quality = describe_dataset(dataset)
table(quality, "Rows read, dropped and kept", save_as="quality")

# %%
show_uses(say.describe_counted(study))

# %% [markdown]
# ## Method and limits

# %%
details("How the numbers were made", *part.METHOD)

# %%
numbers
