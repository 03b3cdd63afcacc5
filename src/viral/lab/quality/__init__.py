"""How good descriptions are, and where items lie: measured, and as pages to look at."""

from viral.lab.quality.measure import Quality, description_quality
from viral.lab.quality.prompts import descriptions_by_prompt

__all__ = ["Quality", "description_quality", "descriptions_by_prompt"]
