"""What can be said of a photo so that photo software shows it: stars, a colour, pick or reject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from blurmapper.errors import check_choice
from blurmapper.ranking.packets import Property

Colour = Literal["red", "yellow", "green", "blue", "purple"]
Flag = Literal["pick", "reject", "neither"]

STARS = ((0.2, 5), (0.4, 4), (0.6, 3), (0.8, 2))
"""S below which a photo gets as many stars; all others get one."""

REJECTED = -1
"""The rating of a photo that is rejected."""

RATING = Property("http://ns.adobe.com/xap/1.0/", "xmp", "Rating")
LABEL = Property("http://ns.adobe.com/xap/1.0/", "xmp", "Label")
DARKTABLE_COLOURS = Property("http://darktable.sf.net/", "darktable", "colorlabels", is_list=True)
DIGIKAM_COLOUR = Property("http://www.digikam.org/ns/1.0/", "digiKam", "ColorLabel")
DIGIKAM_PICK = Property("http://www.digikam.org/ns/1.0/", "digiKam", "PickLabel")
LIGHTROOM_PICK = Property("http://ns.adobe.com/xmp/1.0/DynamicMedia/", "xmpDM", "pick")
LIGHTROOM_GOOD = Property("http://ns.adobe.com/xmp/1.0/DynamicMedia/", "xmpDM", "good")

_FLAGS = (LIGHTROOM_PICK, LIGHTROOM_GOOD, DIGIKAM_PICK)

# digiKam counts from red on with orange between, darktable without.
_DIGIKAM = {"red": "1", "yellow": "3", "green": "4", "blue": "5", "purple": "6"}

# Of these 0 is no mark. Of darktable's colours it is red, and a label may be called so.
_NUMBERS = frozenset((RATING, DIGIKAM_COLOUR, DIGIKAM_PICK, LIGHTROOM_PICK))

_REJECTED_BY = {RATING: REJECTED, LIGHTROOM_PICK: -1, DIGIKAM_PICK: 1}
_PICKED_BY = {LIGHTROOM_PICK: 1, DIGIKAM_PICK: 3, LIGHTROOM_GOOD: "true"}

Marks = Mapping[Property, str]
"""Property -> value, that of a list its items behind each other."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What is said of a photo; what is None is not said.

    Attributes
    ----------
    rating : int or None
        1 to 5 stars; 0, none, which takes them back; or -1, rejected.
    colour : {"red", "yellow", "green", "blue", "purple"} or None
    flag : {"pick", "reject", "neither"} or None
        Neither takes back what was said.
    """

    rating: int | None = None
    colour: Colour | None = None
    flag: Flag | None = None

    def __str__(self) -> str:
        """Return what is said, in words."""
        stars = {REJECTED: "rejected", 0: "no stars", 1: "1 star"}
        said = [] if self.rating is None else [stars.get(self.rating, f"{self.rating} stars")]
        said += [self.colour] if self.colour else []
        said += ["picked"] if self.flag == "pick" else []
        said += ["neither picked nor rejected"] if self.flag == "neither" else []
        said += ["rejected"] if self.flag == "reject" and self.rating != REJECTED else []
        return ", ".join(said) or "nothing"

    def properties(self) -> Marks:
        """Return what says so in XMP, in the words of Adobe's programs, darktable and digiKam.

        A colour is ``xmp:Label`` by its English name, ``darktable:colorlabels`` and
        ``digiKam:ColorLabel``; a flag is ``xmpDM:pick`` and ``xmpDM:good`` (Lightroom Classic
        13.2 and later) and ``digiKam:PickLabel``.
        """
        marks: dict[Property, str] = {}
        if self.rating is not None:
            marks[RATING] = str(self.rating)
        if self.colour is not None:
            marks[LABEL] = self.colour.capitalize()
            marks[DARKTABLE_COLOURS] = str(get_args(Colour).index(self.colour))
            marks[DIGIKAM_COLOUR] = _DIGIKAM[self.colour]
        if self.flag is not None:
            said = {"pick": ("1", "true", "3"), "reject": ("-1", "false", "1")}
            marks |= zip(_FLAGS, said.get(self.flag, ("0", "", "0")), strict=True)
        return marks

    def over(self, other: Mark | None) -> Mark:
        """Return this mark, and what another says beside it and does not gainsay it."""
        if other is None:
            return self
        if _gainsay(self.properties(), other.properties()):
            other = Mark(colour=other.colour)
        rating = other.rating if self.rating is None else self.rating
        return Mark(rating, self.colour or other.colour, self.flag or other.flag)


ALL_PROPERTIES = frozenset(Mark(1, "red", "pick").properties())
"""The properties that marks are made of."""


def to_mark(words: Iterable[str]) -> Mark:
    """Return the mark that words name: reject, pick, a colour, or 1 to 5 for stars.

    A photo that is rejected has no stars, but a rating of -1. Of words that gainsay each other the
    last counts.

    Raises
    ------
    ConfigError
        If a word is none of these.

    Examples
    --------
    >>> to_mark(["reject", "red"])
    Mark(rating=-1, colour='red', flag='reject')
    """
    marks = {
        "reject": Mark(REJECTED, flag="reject"),
        "pick": Mark(flag="pick"),
        **{colour: Mark(colour=colour) for colour in get_args(Colour)},
        **{str(stars): Mark(stars) for stars in range(1, 6)},
    }
    mark = Mark()
    for word in words:
        check_choice("mark", word, marks)
        mark = marks[word].over(mark)
    return mark


def rate(blur: float) -> int:
    """Return 5 to 1 stars for mean blur: five below 0.2, four below 0.4, and so on to one.

    Examples
    --------
    >>> [rate(degree) for degree in (0, 0.2, 0.5, 0.99, 1)]
    [5, 4, 3, 1, 1]
    """
    return next((stars for below, stars in STARS if blur < below), 1)


def is_by_hand(wanted: Marks, given: Marks) -> bool:
    """Say whether something else is given than is wanted, or gainsays it, and not only nothing."""
    return (
        _gainsay(wanted, given)
        or _take_back(given, wanted)
        or any(
            said != _meaning(name, wanted[name])
            and (name != LIGHTROOM_GOOD or (not wanted[name] and value.lower() != "false"))
            for name, value in given.items()
            if name in wanted and (said := _meaning(name, value))
        )
    )


def drop_nothing(given: Marks) -> Marks:
    """Return those of marks that say something, which no stars, no colour and no flag do not."""
    return {name: value for name, value in given.items() if _meaning(name, value)}


def _meaning(name: Property, value: str) -> str | float:
    """Return what a value says, of numbers however they are written; nothing is false."""
    try:
        return float(value) if name in _NUMBERS else value
    except ValueError:
        return value


def _gainsay(one: Marks, other: Marks) -> bool:
    """Say whether a photo is rejected by the one and has stars, or is picked, by the other."""
    return (_reject(one) and _keep(other)) or (_keep(one) and _reject(other))


def _take_back(earlier: Marks, later: Marks) -> bool:
    """Say whether a rating of -1, which is a flag too, is taken back as one of the two."""
    was_rejected = _meaning(RATING, earlier.get(RATING, "")) == REJECTED
    return was_rejected and "0" in (later.get(RATING), later.get(LIGHTROOM_PICK))


def _reject(marks: Marks) -> bool:
    return any(_meaning(name, value) == _REJECTED_BY.get(name) for name, value in marks.items())


def _keep(marks: Marks) -> bool:
    stars = _meaning(RATING, marks.get(RATING, ""))
    return (isinstance(stars, float) and stars > 0) or any(
        _meaning(name, value.lower()) == _PICKED_BY.get(name) for name, value in marks.items()
    )


def find_gainsaid(earlier: Marks, later: Marks) -> set[Property]:
    """Return what earlier marks say beside later ones that these gainsay or take back."""
    if not (_gainsay(earlier, later) or _take_back(earlier, later)):
        return set()
    return {name for name in (RATING, *_FLAGS) if name in earlier and name not in later}


def join_marks(earlier: Marks, later: Marks) -> Marks:
    """Return marks with what earlier ones say beside them, and does not gainsay them.

    What says nothing takes back what was said.
    """
    gone = find_gainsaid(earlier, later)
    joined = {**earlier, **later}
    return drop_nothing({name: value for name, value in joined.items() if name not in gone})
