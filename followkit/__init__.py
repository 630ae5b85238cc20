"""A follows B: will B follow back, and what moves that decision?"""

__version__ = "0.1.0"
