"""The demonstration: the planted shop from pictures to a report, every hop for real."""

from viral.apps.demo.steps import DEMO_RECIPES, DEMO_SHOP, run_demo

__all__ = ["DEMO_RECIPES", "DEMO_SHOP", "run_demo"]
