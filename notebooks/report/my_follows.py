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
# # Who follows you back?

# %% tags=["parameters"]
data: str = "data/my_export"  # your export: zip, folder or file; several with ; between them
platform: str = ""  # which platform of the file, where it holds two: threads
ego: str = ""  # your user name, where the file does not say it
exported_at: str = ""  # day of the export, such as 2026-06-15, where the file does not say it
earlier: str = ""  # earlier exports of yours with ; between them, or kept: who left again
horizon_days: float = 30.0  # days within which an answer counts
confidence: float = 0.95  # of every interval
seed: int = 0  # of the folds on which the model is tried
show_names: bool = True  # show account names; false: pseudonyms
title: str = "Who follows you back?"  # heading of the report

# %%
from followkit.ego import describe as say
from followkit.ego import sections as part
from followkit.ego import study_ego
from followkit.html import Record, table
from followkit.own_export import load_own_export
from followkit.pseudonyms import name_accounts
from followkit.sources import describe_dataset

# %%
dataset = load_own_export(
    data, platform=platform, ego=ego, exported_at=exported_at, earlier=earlier
)
study = study_ego(dataset, horizon_days=horizon_days, confidence=confidence, seed=seed)
names = name_accounts(dataset, show_names=show_names)
numbers = Record()

# %%
answer = say.describe_answer(study)
numbers.show_as(**part.tell_data(names, earlier=earlier, ego=ego))
numbers.record("headline", answer.text.split(". ")[0].rstrip(".") + ".")
numbers.record("answer", answer.text)
numbers.record("ego", say.collect_ego_numbers(study))
numbers.record("main", say.collect_main(study))
part.show_opening(study, names)

# %%
part.show_trust(study)

# %%
part.show_answer(study)

# %%
part.show_states(study)

# %%
part.show_curve(study)

# %%
part.show_still(study)

# %%
part.show_reasons(study)

# %%
part.show_people(study, names)

# %%
part.show_limits(study)

# %% [markdown]
# ## Data quality

# %%
quality = describe_dataset(dataset)
table(quality, "Rows read, dropped and kept", save_as="quality")

# %%
part.show_uses(study, names)

# %% [markdown]
# ## Method

# %%
part.show_method(study)

# %%
numbers
