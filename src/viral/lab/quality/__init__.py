"""How good descriptions are, and where items lie: measured, and as pages to look at."""

from viral.lab.quality.quality_measures import Quality, description_quality, descriptions_by_prompt

__all__ = ["Quality", "description_quality", "descriptions_by_prompt"]
