"""Ids and indices."""

import pytest

from viral.data import Vocabulary
from viral.errors import DataError, UnknownIdError


def test_there_and_back():
    vocabulary = Vocabulary(["b", "a", "ä", "0"], "item")
    assert [vocabulary.index(external) for external in vocabulary.ids] == [0, 1, 2, 3]
    assert vocabulary.indices(["0", "b", "0"]).tolist() == [3, 0, 3]
    assert vocabulary.indices([]).dtype.is_floating_point is False
    assert "ä" in vocabulary and "c" not in vocabulary and len(vocabulary) == 4


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(UnknownIdError, match="unknown user 'A77x'") as caught:
        Vocabulary(["A77", "B12", "C99"], "user").index("A77x")
    assert "did you mean A77?" in caught.value.hint


def test_an_id_is_text_compared_exactly():
    vocabulary = Vocabulary(["7", "07"], "user")
    assert vocabulary.index("7") != vocabulary.index("07")
    with pytest.raises(UnknownIdError):
        vocabulary.index(7)
    with pytest.raises(UnknownIdError):
        vocabulary.index(" 7")


def test_a_repeated_id_is_refused():
    with pytest.raises(DataError, match="user ids are not unique"):
        Vocabulary(["a", "b", "a"], "user")


def test_equality_is_of_ids_in_order():
    assert Vocabulary("abc") == Vocabulary("abc", "item")
    assert hash(Vocabulary("abc")) == hash(Vocabulary("abc"))
    assert Vocabulary("abc") != Vocabulary("acb")
    assert Vocabulary("abc") != ("a", "b", "c")
    assert repr(Vocabulary("abc", "item")) == "Vocabulary(3 item ids)"
