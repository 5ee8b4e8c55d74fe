"""Who a declared robot is: the catalogue of User-Agent tokens, and rules for robots it does not list."""

from contentguard.crawlers.catalogue import CATALOGUE, Catalogue

__all__ = ["CATALOGUE", "Catalogue"]
