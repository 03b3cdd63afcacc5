"""Hop 2: pictures to words."""

from viral.enrich.base import Answer, BudgetSpent, Describer, Description, Picture, Prompt, Refused
from viral.enrich.describers import DESCRIBERS, describer_named
from viral.enrich.descriptions import Descriptions, all_descriptions, load_descriptions, save_descriptions
from viral.enrich.edits import edit, load_edits, unlock
from viral.enrich.ledger import LEDGER_FILE, Ledger
from viral.enrich.prompts import load_prompt, prompt_names
from viral.enrich.recheck import Rechecked, recheck
from viral.enrich.run import enrich
from viral.enrich.terms import Terms

__all__ = [
    "DESCRIBERS",
    "LEDGER_FILE",
    "Answer",
    "BudgetSpent",
    "Describer",
    "Description",
    "Descriptions",
    "Ledger",
    "Picture",
    "Prompt",
    "Rechecked",
    "Refused",
    "Terms",
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
