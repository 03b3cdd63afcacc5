"""Hop 2: pictures to words."""

from viral.data.descriptions import Description, Descriptions, all_descriptions, load_descriptions, save_descriptions
from viral.data.edits import edit, load_edits, unlock
from viral.enrich.describers import DESCRIBERS, describer_named
from viral.enrich.enrich_catalog import enrich
from viral.enrich.ledger import LEDGER_FILE, Ledger
from viral.enrich.picture_sources import EnrichOptions
from viral.enrich.prompts import load_prompt, prompt_names
from viral.enrich.protocol import Answer, BudgetSpent, Describer, Picture, Prompt, Refused
from viral.enrich.recheck import Rechecked, recheck

__all__ = [
    "DESCRIBERS",
    "LEDGER_FILE",
    "Answer",
    "BudgetSpent",
    "Describer",
    "Description",
    "Descriptions",
    "EnrichOptions",
    "Ledger",
    "Picture",
    "Prompt",
    "Rechecked",
    "Refused",
    "all_descriptions",
    "describer_named",
    "edit",
    "enrich",
    "load_descriptions",
    "load_edits",
    "load_prompt",
    "prompt_names",
    "recheck",
    "save_descriptions",
    "unlock",
]
