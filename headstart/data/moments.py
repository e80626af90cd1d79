"""Dates and times as people and programs write them: 2024-01-31T08:00Z, 31.01.2024, 01/31/2024 2:30 PM, 31 Jan 2024.

A column of days and months by number has one order, day first or month first, the one by which more of its cells read.
Where both do, points and dashes say day first, slashes month first. Times with a zone are taken to UTC; others stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

__all__ = ["Moments", "Order", "is_date_name", "moment_of_digits", "read_moments", "seconds_of"]

Order = Literal["year first", "day first", "month first"]

_TIME = (
    r"(?:[T ,]+ ?(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<part>[0-9]{1,9}))?)?"
    r" ?(?P<half>[AaPp]\.?[Mm]\.?)? ?(?P<zone>Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_NAME = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR = r"(?P<year>1[0-9]{3}|2[0-9]{3})"
YEAR_FIRST = re.compile(rf"{_YEAR}(?P<mark>[-/.])(?P<month>[0-9]{{1,2}})(?:(?P=mark)(?P<day>[0-9]{{1,2}}){_TIME})?")
NUMBERS = re.compile(
    rf"(?P<first>[0-9]{{1,2}})(?P<mark>[-/.]) ?(?P<second_>[0-9]{{1,2}})(?P=mark) ?"
    rf"(?P<year>1[0-9]{{3}}|2[0-9]{{3}}|[0-9]{{2}}){_TIME}"
)
NAMED = [
    re.compile(rf"(?:[a-z]{{3,9}}\.?,? )?(?P<day>[0-9]{{1,2}})[ -]{_NAME}[ ,-]+{_YEAR}{_TIME}", re.I),
    re.compile(rf"(?:[a-z]{{3,9}}\.?,? )?{_NAME} (?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,? {_YEAR}{_TIME}", re.I),
]
DURATION = re.compile(
    r"(?:(?P<days>-?[0-9]+) days?,? ?)?"
    r"(?:(?P<sign>[+-]?)(?P<h>[0-9]{1,2}):(?P<m>[0-9]{2}):(?P<s>[0-9]{2}(?:\.[0-9]+)?))?"
)
DATE_NAME = re.compile(r"(?i:.*(date|datum|fecha|day|when|time|timestamp)(s|_?\d+)?|.*_(at|on|dt)|dt|ds|ymd|yyyymmdd)")
LONGEST = 48


class Moments(NamedTuple):
    """The moment (without a zone; UTC where it had one) of each word that is a date, and the order of its parts.

    either   whether all would read by day first and by month first too
    """

    values: dict[str, datetime]
    order: Order
    either: bool = False


def read_moments(words: Mapping[str, int], *, earlier_order: Order | None = None) -> Moments:
    """Distinct words and how often each occurs -> those that are dates.

    earlier_order   of an earlier reading of the column, which decides where both would do
    """
    short = [word for word in words if len(word) <= LONGEST]
    plain = {word: moment for word in short if (moment := _year_first(word) or _named(word)) is not None}
    numbers = {word: match for word in short if word not in plain and (match := NUMBERS.fullmatch(word))}
    by_day = {word: at for word, match in numbers.items() if (at := _moment(match, "second_", "first")) is not None}
    by_month = {word: at for word, match in numbers.items() if (at := _moment(match, "first", "second_")) is not None}
    days, months = (sum(words[word] for word in read) for read in (by_day, by_month))
    slashes = sum(words[word] for word, match in numbers.items() if match["mark"] == "/")
    day_first = 2 * slashes < days if earlier_order in (None, "year first") else earlier_order == "day first"
    day_first = days > months or (days == months and day_first)
    if not numbers:
        return Moments(plain, earlier_order or "year first")
    order: Order = "day first" if day_first else "month first"
    return Moments(plain | (by_day if day_first else by_month), order, days == months and by_day != by_month)


def seconds_of(word: str) -> float | None:
    """A length of time or a time of day in seconds, as pandas writes it: 1 days 02:00:00, 14:30:00."""
    match = DURATION.fullmatch(word)
    if not word or match is None or not (match["days"] or match["h"]):
        return None
    clock = 3600 * int(match["h"]) + 60 * int(match["m"]) + float(match["s"]) if match["h"] else 0.0
    return 86400.0 * int(match["days"] or 0) + (-clock if match["sign"] == "-" else clock)


def is_date_name(name: str) -> bool:
    """Whether a column is called as one of dates is: date, birthday, created_at."""
    return DATE_NAME.fullmatch(name.strip()) is not None


def moment_of_digits(number: float) -> datetime | None:
    """The day that a number such as 20240131 stands for; None where it is none from 1900 to 2100."""
    year, rest = divmod(int(number), 10000)
    try:
        return datetime(year, rest // 100, rest % 100) if number == int(number) and 1900 <= year <= 2100 else None
    except ValueError:
        return None


def _year_first(word: str) -> datetime | None:
    match = YEAR_FIRST.fullmatch(word)
    return None if match is None else _moment(match, "month", "day")


def _named(word: str) -> datetime | None:
    for pattern in NAMED:
        if (match := pattern.fullmatch(word)) is not None:
            return _moment(match, "", "day")
    return None


def _moment(match: re.Match[str], month: str, day: str) -> datetime | None:
    """None where there is no such day or time."""
    year = int(match["year"])
    if year < 100:
        if match["mark"] == "." and len(match["first"] + match["second_"]) < 4:
            return None  # 10.2.24 is rather a version
        year += 1900 if year >= 70 else 2000
    number = int(match[month]) if month else 1 + _MONTHS.index(match["name"][:3].lower())
    try:
        return datetime(year, number, int(match[day] or 1)) + _time(match)
    except (ValueError, OverflowError):
        return None


def _time(match: re.Match[str]) -> timedelta:
    """Since midnight, less the offset of the zone. Raises ValueError where there is no such time."""
    if not match["hour"]:
        return timedelta()
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"hour {hour}")
        hour = hour % 12 + (12 if match["half"][0] in "pP" else 0)
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        raise ValueError(f"time {hour}:{minute}:{second}")
    micro = int((match["part"] or "0").ljust(6, "0")[:6])
    since = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micro)
    zone = match["zone"]
    if zone is None or zone[0] not in "+-":
        return since
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return since - offset if zone[0] == "+" else since + offset
