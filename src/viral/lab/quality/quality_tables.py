"""The measurements of descriptions as tables and bars."""

from collections.abc import Iterable

from viral.base.language import _, marked
from viral.evaluation import PairedTest
from viral.lab.quality.planted_comparison import READ, SUMMARIES, Gain, Planted
from viral.lab.quality.quality_measures import MATCHED, MEANING, Quality
from viral.lab.quality.title_agreement import Agreement
from viral.lab.report import Bar, BarChart, Estimate, Section, Table
from viral.lab.report.wording import fixed, percent

SUMMARY_NAMES = {
    "exact": marked("named, and no other value"),
    "f1": marked("by degrees: F1 of the named values"),
    "right": marked("named at all"),
}
BAR_NAMES = {"exact": marked("only its own"), "f1": "F1", "right": marked("named")}
NAMED = (marked("object"), marked("colour"), marked("pattern"), marked("tag"))
BASES = {MATCHED: marked("as said"), MEANING: marked("without the titles' words")}


def planted_sections(found: Planted) -> list[Section]:
    """What was named, attribute by attribute; the summaries and their gain; what can be read from the vectors."""
    sections: list[Section] = [_attributes(found), _bars(found)]
    if found.gains:
        sections.append(_gains(found))
    if found.read:
        sections.append(_read(found))
    return sections


def _attribute(name: str) -> str:
    return _(name) if name in NAMED else name


def _attributes(found: Planted) -> Table:
    fields = {_("named"): "right", _("another's"): "foreign", _("nobody's"): "invented", _("only its own"): "exact"}
    rows = [
        (f"{_attribute(name)}, {prompt}", *(percent(float(getattr(named[name], field))) for field in fields.values()))
        for name in next(iter(found.by_prompt.values()))
        for prompt, named in found.by_prompt.items()
    ]
    return Table.of_numbers(
        _("What is named"),
        (_("attribute, prompt"), *fields),
        rows,
        caption=_(
            "%(items)s items. Named: the product's value. Another's: a value of another thing in the picture, of the"
            " pictures that have one (of the tag: the slogan). Nobody's: a value that was planted nowhere in the"
            " picture. Only its own: the product's value and no other.",
            items=f"{found.items:,}",
        ),
        intro=_(
            "Every value that was planted is looked for in the words. The title states object and colour as well;"
            " pattern and tag can only have been seen."
        ),
    )


def _bars(found: Planted) -> BarChart:
    bars = [
        Bar(
            label=f"{_(label)}, {prompt}",
            value=Estimate(found.summaries[prompt][name]),
            highlight=prompt in found.gains,
        )
        for name, label in BAR_NAMES.items()
        for prompt in found.summaries
    ]
    return BarChart(
        heading=_("Attribute accuracy"),
        bars=tuple(bars),
        quantity=_("Mean over colour, pattern and tag"),
        percent=True,
        caption=_(
            "Only its own: the product's value is named and no other. F1: the same by degrees; a text that names the"
            " right value among n others counts 2 / (2 + n). Named: whatever else is named beside it."
        ),
    )


def _gains(found: Planted) -> Table:
    rows = [
        (f"{_(SUMMARY_NAMES[name])}, {prompt}", *_gain_cells(gains[name]))
        for prompt, gains in found.gains.items()
        for name in SUMMARIES
    ]
    columns = (_("measure"), "plain", _("this prompt"), _("difference [95 %]"), "p", _("relative gain [95 %]"))
    return Table.of_numbers(
        _("What the title adds"),
        columns,
        rows,
        caption=_(
            "Mean over colour, pattern and tag; paired by item: bootstrap intervals and sign-flip test over items."
        ),
    )


def _gain_cells(gain: Gain) -> tuple[str, ...]:
    relative = f"{percent(gain.relative, signed=True)}"
    if gain.plain:
        low, high = (percent(value, signed=True) for value in (gain.relative_low, gain.relative_high))
        relative += f" [{low}, {high}]"
    return (percent(gain.plain), percent(gain.guided), _interval(gain), _p(gain.p_value), relative)


def _interval(test: Gain | PairedTest | Agreement) -> str:
    return f"{fixed(test.difference, 3, signed=True)} [{fixed(test.low, 3)}, {fixed(test.high, 3)}]"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else fixed(value, 3)


def _read(found: Planted) -> Table:
    prompts = list(found.read)
    names = [name for name in READ if name in next(iter(found.read.values()))]
    chance = next(iter(found.read.values()))
    rows = [
        (
            _attribute(name),
            *(percent(max(found.read[prompt][name][kind] for kind in ("linear", "nonlinear"))) for prompt in prompts),
            percent(chance[name]["chance"]),
        )
        for name in names
    ]
    columns = (_("attribute"), *prompts, _("chance"))
    return Table.of_numbers(
        _("What can be read from the vectors"),
        columns,
        rows,
        caption=_(
            "Accuracy of the better of a linear and a kernel probe on items held out (four folds), from the sentence"
            " vectors of the descriptions alone, without the titles. Chance: always the commonest value."
        ),
        intro=_("A model sees the sentence vector, not the sentence. This is what it can know of the product."),
    )


def agreement_tables(quality: Quality) -> list[Section]:
    """Agreement with the titles, and how much of it the prompt with the title has more; nothing without titles."""
    if not quality.agreement:
        return []
    rows = [
        (f"{prompt}, {_(BASES[basis])}", *_agreement_cells(one))
        for basis in BASES
        for prompt, found in quality.agreement.items()
        for one in [found[basis]]
    ]
    columns = (_("description"), _("own title"), _("another's"), _("difference [95 %]"), "p", _("own is nearer"))
    tables: list[Section] = [
        Table.of_numbers(
            _("Description and title"),
            columns,
            rows,
            caption=_(
                "Mean cosine of sentence vectors. As said: against all other titles; p by 1,000 shuffles of the titles."
                " Without the titles' words: each description loses every word of its own and of one other title, then"
                " is compared with these two; sign-flip test. Own is nearer: 50 % is chance."
            ),
            intro=_("Do descriptions belong to their items? For any data set with titles, without knowing the truth."),
        )
    ]
    if quality.against_plain:
        tables.append(_against_plain(quality))
    return tables


def _agreement_cells(one: Agreement) -> Iterable[str]:
    return (fixed(one.own, 3), fixed(one.other, 3), _interval(one), _p(one.p_value), percent(one.nearer))


def _against_plain(quality: Quality) -> Table:
    rows = [
        (f"{prompt}, {_(BASES[basis])}", _interval(tests[basis]), _p(tests[basis].p_value), str(tests[basis].wins))
        for prompt, tests in quality.against_plain.items()
        for basis in BASES
    ]
    columns = (_("description"), _("more than plain [95 %]"), "p", _("items that gain"))
    return Table.of_numbers(
        _("Agreement, against plain"),
        columns,
        rows,
        caption=_("Differences of the differences above, paired by item: bootstrap interval, sign-flip test."),
    )
