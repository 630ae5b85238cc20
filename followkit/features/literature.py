"""The papers that features and claims rest on, each written once."""

from __future__ import annotations

CHENG = (
    "Cheng, Romero, Meeder & Kleinberg (2011), Predicting reciprocity in social networks, "
    "IEEE SocialCom"
)
HOPCROFT = (
    "Hopcroft, Lou & Tang (2011), Who will follow you back? Reciprocal relationship prediction, "
    "CIKM"
)
ADAMIC = "Adamic & Adar (2003), Friends and neighbors on the Web, Social Networks 25"
#: Follow-back experiments: accounts were made that differed at random in what others saw of them.
AJZENMAN = (
    "Ajzenman, Ferman & Sant'Anna (2025), randomised follow-back experiments on Twitter among "
    "academics"
)
MOSLEH = (
    "Mosleh, Martel, Eckles & Rand (2021), Shared partisanship dramatically increases social tie "
    "formation in a Twitter field experiment, PNAS 118(7), doi:10.1073/pnas.2022761118"
)
KIM_JO = (
    "Kim & Jo (2016), Measuring burstiness for finite event sequences, Physical Review E 94, "
    "032311, doi:10.1103/PhysRevE.94.032311"
)
