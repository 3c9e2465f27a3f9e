#!/usr/bin/env python3
"""Writes dates.tsv and dates.test.tsv: dates as people write them in English, and as ISO 8601 does. Ours, free for all.

No date of the second file is in the first.
"""
import datetime
import random

MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
ONES += "seventeen eighteen nineteen".split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDINALS = "_ first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth".split()
ORDINALS += "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split()


def number(n):
    """Below a hundred."""
    if n < 20:
        return ONES[n]
    return TENS[n // 10] + (f"-{ONES[n % 10]}" if n % 10 else "")


def ordinal(n):
    if n <= 20:
        return ORDINALS[n]
    return "thirtieth" if n == 30 else f"{TENS[n // 10]}-{ORDINALS[n % 10]}"


def year(y):
    century, rest = divmod(y, 100)
    if y // 10 == 200:
        return "two thousand" + (f" and {ONES[rest]}" if rest else "")
    if rest == 0:
        return f"{number(century)} hundred"
    return f"{number(century)} {'oh ' if rest < 10 else ''}{number(rest)}"


def suffix(n):
    return "th" if 10 < n < 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")


def forms(date):
    d, m, y = date.day, MONTHS[date.month - 1], date.year
    day = DAYS[date.weekday()]
    return [
        f"{m} {d}{suffix(d)}, {y}",
        f"{m} {d}, {y}",
        f"{d} {m} {y}",
        f"{day}, {d} {m} {y}",
        f"the {d}{suffix(d)} of {m}, {y}",
        f"{day[:3]} {m[:3]} {d} {y}",
        f"{d} {m[:3]}. {y}",
        f"{date.month}/{d}/{y}",
        f"{d}.{date.month}.{y}",
        f"{y}, {m} {d}",
        f"the {ordinal(d)} of {m}, {year(y)}",
        f"{m} the {ordinal(d)}, {year(y)}",
    ]


def main():
    rng = random.Random(1)
    first = datetime.date(1900, 1, 1)
    days = rng.sample(range((datetime.date(2100, 1, 1) - first).days), 8000)
    lines = []
    for day in days:
        date = first + datetime.timedelta(day)
        lines.append(f"{rng.choice(forms(date))}\t{date.isoformat()}\n")
    for name, part in (("dates.tsv", lines[:6000]), ("dates.test.tsv", lines[6000:])):
        with open(name, "w", encoding="utf8") as file:
            file.writelines(part)


if __name__ == "__main__":
    main()
