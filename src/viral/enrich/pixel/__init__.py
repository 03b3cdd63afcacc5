"""The offline default describer: what can be measured in the pixels, in words."""

from viral.enrich.pixel.describer import PixelDescriber

__all__ = ["PixelDescriber"]
