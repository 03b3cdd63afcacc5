"""Faults say what, where and what to do."""

import pytest

from viral.base.errors import DataError, UnknownIdError, UsageError, ViralError, nearest


def test_the_message_has_place_and_remedy():
    error = DataError("3 rows are broken", where="items.csv, row 7", hint="correct them")
    assert str(error) == "items.csv, row 7: 3 rows are broken\n  → correct them"
    assert str(ViralError("no more")) == "no more"


@pytest.mark.parametrize(("error", "code"), [(ViralError, 1), (DataError, 1), (UnknownIdError, 1), (UsageError, 2)])
def test_exit_codes(error, code):
    assert error("x").exit_code == code
    assert issubclass(error, ViralError)


def test_nearest():
    known = ["num_layers", "num_neighbors", "embedding_dim"]
    assert nearest("num_layer", known).startswith("did you mean num_layers")
    assert nearest("zzz", known) == "known: embedding_dim, num_layers, num_neighbors"
    many = [f"word{n:02d}" for n in range(30)]
    assert nearest("???", many).endswith("word11 …")
    assert nearest("anything", []) == "known: "
