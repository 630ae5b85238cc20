"""Factor 1, perceived account worth: what the initiator's own output looks like."""

from __future__ import annotations

from followkit.features.claim import Claim
from followkit.features.context import FeatureFunction
from followkit.features.feature import Feature, Product

FEATURES: dict[str, FeatureFunction] = {}

ENTRIES: tuple[Feature, ...] = ()

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = ()
