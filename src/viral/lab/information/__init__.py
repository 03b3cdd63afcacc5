"""Information that can be checked: what text and picture tell of users' choices, in bits (``docs/information.md``)."""
