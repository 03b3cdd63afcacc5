"""The planted shop: a generated catalogue with pictures, choices and known truth, the default input."""

from viral.shop.config import KINDS, ShopConfig
from viral.shop.make import TRUTH_FILE, USERS_FILE, make_shop
from viral.shop.world import World, make_world

__all__ = ["KINDS", "TRUTH_FILE", "USERS_FILE", "ShopConfig", "World", "make_shop", "make_world"]
