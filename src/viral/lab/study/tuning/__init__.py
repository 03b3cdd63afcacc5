"""``viral tune``: the hyper-parameters of a model, chosen on validation, in trials that may be stopped at any time."""
