"""Proposals: which type a column of texts has. All values decide together, and what does not fit is never hidden."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from core.base.errors import Invalid
from core.base.text import clean, folded_key, one_line
from core.column_types import (
    TYPES,
    Checkbox,
    Choice,
    Date,
    DateTime,
    Email,
    Link,
    LongText,
    Money,
    Number,
    Percent,
    Person,
    Phone,
    Text,
)
from core.column_types.base import NO_REFERENCES, Draft, Option, References
from core.column_types.checkbox import WORDS
from core.column_types.choices import LABEL_LENGTH, PALETTE
from core.column_types.currencies import currencies_of
from core.column_types.date_text import ORDERS, orders_of
from core.column_types.number_text import NumberReading, reading_of, within_limits

FITTING = 0.95
MAX_CHOICES = 20
_CHOICE_REPEATS = 3
_LONG_TEXT = 250
_MAX_LABEL_LENGTH = 60
_ID_DIGITS = 11
_FIRST_LOOK = 50
_CODE = re.compile(rf"0[0-9]+|[0-9]{{{_ID_DIGITS},}}")
_MONEY_WORDS = """
    amount money value price revenue cost budget sales fee arr mrr acv tcv
    betrag umsatz preis wert montant prix valeur importe precio valor
"""
_CODE_WORDS = "id code zip postcode postal plz sku nr"
_PHONE_WORDS = "phone telephone tel mobile cell fax telefon handy portable"
_MONEY_NAMES, _CODE_NAMES, _PHONE_NAMES = (
    frozenset(words.split()) for words in (_MONEY_WORDS, _CODE_WORDS, _PHONE_WORDS)
)
_WON, _LOST = (
    re.compile(r"\b(won|gewonnen|gagnée?|ganad[oa])\b", re.IGNORECASE),
    re.compile(r"\b(lost|verloren|perdue?|perdid[oa])\b", re.IGNORECASE),
)
_SURE_PHONE = re.compile(r"\+|\(|00[1-9][0-9 ]{7}")
# "TOP 10" and "ALL 50" are classes of customers before they are pa'anga and lek.
_NO_CURRENCIES = frozenset(["TOP", "ALL"])


@dataclass(frozen=True, slots=True)
class Proposal:
    """A type with its rules and options. `undecided` names the rules that the texts leave open: ask the person."""

    type: str
    rules: dict[str, Any] = field(default_factory=dict)
    options: list[Option] = field(default_factory=list)
    undecided: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnTexts:
    """The texts of a column, cleaned: how many are filled, each different one once, and the words of its name."""

    filled: int
    texts: list[str]
    words: frozenset[str]
    references: References

    def all_but_few(self, fits: Callable[[str], bool]) -> bool:
        """Whether nearly all texts fit. A first look at a few spares reading the rest where most do not."""
        if sum(map(fits, self.texts[:_FIRST_LOOK])) * 2 < len(self.texts[:_FIRST_LOOK]):
            return False
        return sum(map(fits, self.texts)) >= len(self.texts) * FITTING


def propose_type(texts: Iterable[str], name: str = "", references: References = NO_REFERENCES) -> Proposal:
    """The type that nearly all texts have, with the rules that they prove; text where they agree on nothing."""
    sample = _sample(texts, name, references)
    if not sample.texts:
        return Proposal(Text.name)
    for propose in (_checkbox, _date, _number, _email, _link, _phone, _person, _choice):
        if proposal := propose(sample):
            return proposal
    return _text(sample)


def _sample(texts: Iterable[str], name: str, references: References) -> ColumnTexts:
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    different: dict[str, int] = {}
    for text, count in counts.items():
        cleaned = _cleaned(text)
        if cleaned:
            different[cleaned] = different.get(cleaned, 0) + count
    words = frozenset(re.findall(r"[a-z]+|[^\W\d_a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()))
    return ColumnTexts(sum(different.values()), list(different), words, references)


def _cleaned(text: str) -> str:
    """The clean text; nothing for one that no type can store, which will be shown as not fitting."""
    try:
        return clean(text)
    except Invalid:
        return ""


def _checkbox(sample: ColumnTexts) -> Proposal | None:
    """Propose a checkbox for words for yes and no; 0 and 1 alone are numbers."""
    words = {folded_key(text) for text in sample.texts} if len(sample.texts) <= MAX_CHOICES else {""}
    return Proposal(Checkbox.name) if words <= WORDS.keys() and not words <= {"0", "1"} else None


def _date(sample: ColumnTexts) -> Proposal | None:
    return _dated(Date.name, sample) or _dated(DateTime.name, sample)


def _dated(name: str, sample: ColumnTexts) -> Proposal | None:
    """The order of day and month that the dates prove; two orders in one column prove none."""
    by_order = [_reader(name, {"date_order": order}) for order in ORDERS]
    if not sample.all_but_few(lambda text: any(read(text) for read in by_order)):
        return None
    proofs = [min(orders) for text in sample.texts if len(orders := orders_of(one_line(text))) == 1]
    reads = _reader(name, {})
    if agreed := _agreed(proofs):
        return Proposal(name, {"date_order": agreed})
    if sample.all_but_few(reads):
        return Proposal(name)
    return None if proofs else Proposal(name, undecided=("date_order",))


def _number(sample: ColumnTexts) -> Proposal | None:
    """A number, unless the digits are a code: leading zeros, many digits, or a name that says so."""
    digits = [text for text in sample.texts if text.isdigit()]
    if any(map(_CODE.fullmatch, digits)) or (len(digits) == len(sample.texts) and _names_a_code(sample)):
        return None
    read = cache(_reading)
    if not sample.all_but_few(lambda text: read(text) is not None):
        return None
    readings = [reading for text in sample.texts if (reading := read(text))]
    name, rules = _kind_of_number({reading.unit for reading in readings}, sample)
    return _formatted(name, rules, readings) if name else None


def _names_a_code(sample: ColumnTexts) -> bool:
    return bool(sample.words & (_CODE_NAMES | _PHONE_NAMES)) and not sample.words & _MONEY_NAMES


def _kind_of_number(units: set[str], sample: ColumnTexts) -> tuple[str | None, dict[str, Any]]:
    """Percent or money by the signs, money also by the name. A column with several currencies stays text."""
    signs = units - {""}
    if signs == {"%"}:
        return (Percent.name, {}) if units == signs else (None, {})
    possible = [currencies_of(sign) for sign in signs]
    if not signs:
        return (Money.name if sample.words & _MONEY_NAMES else Number.name), {}
    shared = [code for code in possible[0] if all(code in codes for codes in possible)]
    # A crown or a pound sign alone may be several currencies; a dollar sign says the American one.
    sure = len(shared) == 1 or signs & {"$", "£", "¥"}
    return (Money.name, {"currency": shared[0]} if sure else {}) if shared else (None, {})


def _formatted(name: str, rules: dict[str, Any], readings: Sequence[NumberReading]) -> Proposal:
    """The number format that the texts prove; left open where they prove none and can be read both ways."""
    proofs = [reading.format for reading in readings if reading.format]
    if agreed := _agreed(proofs):
        return Proposal(name, rules | {"number_format": agreed})
    open_to_both = any(reading.ambiguous for reading in readings)
    return Proposal(name, rules, undecided=("number_format",) if open_to_both else ())


def _agreed(proofs: Sequence[str]) -> str | None:
    """Return what nearly all texts prove; the few others will be shown as misfits."""
    commonest = Counter(proofs).most_common(1)
    return commonest[0][0] if commonest and commonest[0][1] >= len(proofs) * FITTING else None


def _reading(text: str) -> NumberReading | None:
    try:
        reading = reading_of(text)
        for number in (reading.dotted, reading.comma):
            within_limits(number or Decimal(0), text)
    except Invalid:
        return None
    has_known_unit = reading.unit in {"", "%"} or (currencies_of(reading.unit) and reading.unit not in _NO_CURRENCIES)
    return reading if has_known_unit else None


def _email(sample: ColumnTexts) -> Proposal | None:
    return Proposal(Email.name) if sample.all_but_few(_reader(Email.name, {})) else None


def _link(sample: ColumnTexts) -> Proposal | None:
    return Proposal(Link.name) if sample.all_but_few(_reader(Link.name, {})) else None


def _phone(sample: ColumnTexts) -> Proposal | None:
    """Phone numbers look like many codes: they begin as numbers from afar do, or the column's name says so."""
    has_phone_name = bool(sample.words & _PHONE_NAMES)
    reads = _reader(Phone.name, {})
    fits = sample.all_but_few(lambda text: reads(text) and (has_phone_name or bool(_SURE_PHONE.match(text))))
    return Proposal(Phone.name) if fits else None


def _person(sample: ColumnTexts) -> Proposal | None:
    names = sample.references.people.names
    if not names or len(sample.texts) > len(names) * 2:
        return None
    reads = _reader(Person.name, {}, sample.references)
    # A column of small numbers would otherwise be a column of user ids.
    fits = all(reads(text) and not text.isdigit() for text in sample.texts)
    return Proposal(Person.name) if fits else None


def _choice(sample: ColumnTexts) -> Proposal | None:
    """Few labels, each written several times."""
    labels: dict[str, str] = {}
    for text in sample.texts[: MAX_CHOICES * 2 + 1]:
        labels.setdefault(folded_key(text), one_line(text))
    few = len(labels) <= MAX_CHOICES and len(sample.texts) <= MAX_CHOICES * 2
    if not few or sample.filled < len(labels) * _CHOICE_REPEATS or max(map(len, labels.values())) > _MAX_LABEL_LENGTH:
        return None
    return Proposal(Choice.name, options=options_for(labels.values()))


def options_for(labels: Iterable[str]) -> list[Option]:
    """Options for the labels, in their order. Where a label says won or lost, all are stages: open, then won, lost."""
    shortened = [label[:LABEL_LENGTH] for label in labels]
    kinds = {label: "won" if _WON.search(label) else "lost" if _LOST.search(label) else "open" for label in shortened}
    staged = set(kinds.values()) != {"open"}
    ordered = sorted(shortened, key=lambda label: ["open", "won", "lost"].index(kinds[label]))
    return [
        Option(
            id=f"o{number}",
            label=label,
            color=PALETTE[(number - 1) % len(PALETTE)],
            kind=kinds[label] if staged else None,
            probability={"won": 100, "lost": 0}.get(kinds[label]) if staged else None,
        )
        for number, label in enumerate(ordered, 1)
    ]


def _text(sample: ColumnTexts) -> Proposal:
    long = any("\n" in text or len(text) > _LONG_TEXT for text in sample.texts)
    return Proposal(LongText.name if long else Text.name)


def _reader(name: str, rules: dict[str, Any], references: References = NO_REFERENCES) -> Callable[[str], bool]:
    """Whether a text can be read by the type under these rules."""
    parse = TYPES[name].parser(Draft(name, rules), references)

    def reads(text: str) -> bool:
        try:
            parse(text)
        except Invalid:
            return False
        return True

    return reads
