"""What pictures look like: the initiator's craft and palette (1b), the decider's taste (7b)."""

from __future__ import annotations

from followkit.features.claim import Claim
from followkit.features.context import FeatureFunction
from followkit.features.feature import Feature, Product

FEATURES: dict[str, FeatureFunction] = {}

ENTRIES: tuple[Feature, ...] = ()

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = ()
