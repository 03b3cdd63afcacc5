"""The planted shop: a generated catalogue with pictures, choices and known truth, the default input."""

from viral.lab.shop.config import KINDS, TRUTH_FILE, USERS_FILE, ShopConfig
from viral.lab.shop.make import make_shop
from viral.lab.shop.world import World, make_world

__all__ = ["KINDS", "TRUTH_FILE", "USERS_FILE", "ShopConfig", "World", "make_shop", "make_world"]
