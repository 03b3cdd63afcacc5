"""Why an item is recommended, in one sentence of plain words: made of the explanation, and of nothing beside it.

It names items of the history that the explanation has as evidence, the largest first, and no share but theirs of the
score; it says what counts most where one part is half of the score. People "chose" items, unless the log says that they
bought or looked at them.
"""

from collections.abc import Sequence
from typing import Any

from viral.base.language import ENGLISH, _, current, marked, n_
from viral.models.scorers import MEMORY, Scorer
from viral.run.bundle import Bundle
from viral.run.explain.explanation import Evidence, Explanation
from viral.run.explain.interaction_kind import KIND, PURCHASE, VIEW
from viral.run.explain.item_phrases import COUNTS, NamedItem, in_a_row

WORTH_NAMING = 0.25  # of what the strongest item adds
CARRIES = 0.25  # of the score: below it the items named are not why
ROUNDING = 0.005  # a share is said in per cent
COUNTS_MOST = 0.5  # of the score: a part that is said to
LEADING = {
    "text": marked("what counts most is its text"),
    "title": marked("what counts most is its title"),
    "description": marked("what counts most is how it is described"),
    "image": marked("what counts most is how it looks"),
    "visual": marked("what counts most is how it looks"),
    "audio": marked("what counts most is how it sounds"),
    "synergy": marked("what counts most is its words and its looks together"),
    "taste": marked("what counts most is what people with the same taste choose"),
}
VERBS = {PURCHASE: marked("bought"), VIEW: marked("looked at")}


def because(explanation: Explanation, bundle: Bundle) -> str:
    """The sentence, in the language at work; titles in it are cut short and on one line.

    An explanation without ``user_id`` is of a new user, by the items that they have just looked at.
    """
    if impersonal(bundle.scorer):
        return popular(bundle, explanation.item_id)
    if not explanation.taken:
        return _("Nothing is known yet of what they like; %(taken)s.", taken=_chosen_by(bundle, explanation.item_id))
    best = max((one.share for one in explanation.evidence), default=0.0)
    others = [one for one in explanation.evidence if one.item_id != explanation.item_id or not explanation.seen]
    named = [one for one in others if one.share >= WORTH_NAMING * best]
    values = {"chose": _verb(bundle) if explanation.user_id else _("have just looked at")}
    if named:
        values["items"] = in_a_row([_named(one, bundle) for one in named])
    if explanation.seen:
        return _of_what_they_have(values)
    return _carried(explanation, named, values) if explanation.score > 0 else _against(values)


def popular(bundle: Bundle, item_id: str) -> str:
    """Of an item that is recommended because it is popular."""
    return _("Because it is popular: %(taken)s.", taken=_chosen_by(bundle, item_id))


def impersonal(scorer: Scorer) -> bool:
    """Whether everybody has the same scores, as by popularity: no history is why."""
    vectors = scorer.vectors
    if vectors is None or scorer.item_weights is not None or vectors.users.shape[1] > 1:
        return False
    return bool((vectors.users == vectors.users[:1]).all())


def _carried(explanation: Explanation, named: Sequence[Evidence], values: dict[str, str]) -> str:
    """Of a score above zero: by the items that are named where they carry it, else by the taste as a whole."""
    if not named:
        return _("Because of their taste as a whole: no single item that they %(chose)s speaks for it.", **values)
    number, share = len(named), sum(one.share for one in named) / explanation.score
    if share < CARRIES:
        most = marked(
            "Because of their taste as a whole; of what they %(chose)s, most is said for it by %(items)s: %(share)s."
        )
        return _(most, **values, share=_of_the_score(share))
    said = _("Because they %(chose)s %(items)s", **values)
    leading, value = max(explanation.parts.items(), key=lambda part: part[1])
    counts_most = COUNTS_MOST * explanation.score <= value <= explanation.score
    if counts_most and leading == MEMORY:
        said += n_(", which often goes with it", ", which often go with it", number)
    share_of_it = n_("it carries %(share)s", "together they carry %(share)s", number, share=_of_the_score(share))
    said = _("%(because)s: %(more)s", because=said, more=share_of_it)
    clause = LEADING.get(leading.removeprefix("unique_")) if counts_most else None
    return _("%(said)s.", said=_("%(one)s, and %(other)s", one=said, other=_(clause)) if clause else said)


def _against(values: dict[str, str]) -> str:
    """Of a score that is not above zero."""
    if "items" not in values:
        return _("Nothing that they %(chose)s speaks for it.", **values)
    return _("Of what they %(chose)s, most is said for it by %(items)s, but more speaks against it.", **values)


def _of_what_they_have(values: dict[str, str]) -> str:
    """Of an item of the user's history."""
    if "items" not in values:
        return _("They %(chose)s it already.", **values)
    return _("They %(chose)s it already; of the rest, most is said for it by %(items)s.", **values)


def _of_the_score(share: float) -> str:
    if share >= 1 - ROUNDING:
        return (
            _("the whole score")
            if share <= 1 + ROUNDING
            else _("more than the whole score, for something else speaks against it")
        )
    return (
        _("under 1 % of the score") if share < ROUNDING else _("%(share)s %% of the score", share=f"{100 * share:.0f}")
    )


def _chosen_by(bundle: Bundle, item_id: str) -> str:
    """How many users interacted with an item: a clause."""
    number = int((bundle.seen.items == bundle.items.index(item_id)).sum())
    count = COUNTS[number] if current() == ENGLISH and number < len(COUNTS) else f"{number:,}"
    verb = _verb(bundle)
    return n_("%(count)s person %(chose)s it", "%(count)s people %(chose)s it", number, count=count, chose=verb)


def _verb(bundle: Bundle) -> str:
    return _(VERBS.get(str(bundle.about.get(KIND)), marked("chose")))


def _named(one: Evidence, bundle: Bundle) -> NamedItem:
    item, columns = bundle.items.index(one.item_id), bundle.material.columns
    of_item: dict[str, Any] = {name: columns[name][item] for name in ("category", "colour") if columns.get(name)}
    return NamedItem(one.item_id, one.title, **of_item)
