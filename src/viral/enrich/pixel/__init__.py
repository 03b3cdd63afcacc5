"""The offline default describer: what can be measured in the pixels, in words."""

from viral.enrich.pixel.describer import PixelConfig, PixelDescriber

__all__ = ["PixelConfig", "PixelDescriber"]
