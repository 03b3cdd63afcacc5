"""Information of text and picture about users' choices, in bits (``docs/information.md``)."""
