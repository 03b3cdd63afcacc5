"""Hop 7: what is minimised, the one loop that minimises it, and the memory that validation sets beside a model."""

from viral.training.loop import EpochRecord, TrainReport, build_model, fit

__all__ = ["EpochRecord", "TrainReport", "build_model", "fit"]
