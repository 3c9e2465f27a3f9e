#!/usr/bin/env python3
"""Writes vectors.vec, analogies.txt and pairs.tsv: made-up vectors with the structure that learned ones have.

A word is a sum of meanings (royal, female, capital, the country it belongs to, ...) and a little of its own; each
meaning is a fixed random direction. The order of words stands for their frequency.
"""
import pathlib
import random

DIM = 24
FOLDER = pathlib.Path(__file__).parent

FUNCTION = "the of and in a to was is he she on at it for with".split()
CAPITALS = {
    "france": "paris", "england": "london", "italy": "rome", "germany": "berlin", "japan": "tokyo", "spain": "madrid",
    "greece": "athens", "poland": "warsaw", "egypt": "cairo", "norway": "oslo",
}
PEOPLE = {
    ("man", "woman"): [], ("king", "queen"): ["royal"], ("prince", "princess"): ["royal", "young"],
    ("boy", "girl"): ["young"], ("father", "mother"): ["parent"], ("son", "daughter"): ["child"],
    ("brother", "sister"): ["sibling"], ("uncle", "aunt"): ["kin"], ("actor", "actress"): ["stage"],
}
PLURALS = "cat dog horse bird house tree book car river city".split()
KINDS = {"cat": "animal", "dog": "animal", "horse": "animal", "bird": "animal", "house": "place", "tree": "plant",
         "book": "thing", "car": "thing", "river": "place", "city": "place"}
PAST = {"walk": "walked", "play": "played", "look": "looked", "jump": "jumped", "talk": "talked", "work": "worked"}

random.seed(7)
directions = {}


def direction(name, length=1.0):
    if name not in directions:
        raw = [random.gauss(0, 1) for _ in range(DIM)]
        norm = sum(x * x for x in raw) ** 0.5
        directions[name] = [x / norm for x in raw]
    return [length * x for x in directions[name]]


def word(name, *meanings):
    parts = [direction(meaning, length) for meaning, length in meanings] + [direction("word " + name, 0.35)]
    return name, [round(sum(column), 3) for column in zip(*parts)]


def words():
    for name in FUNCTION:
        yield word(name, ("function", 1.2), ("function " + name, 0.6))
    for (male, female), meanings in PEOPLE.items():
        shared = [("person", 1.0)] + [(meaning, 1.0) for meaning in meanings]
        yield word(male, *shared)
        yield word(female, *shared, ("female", 1.0))
    for country, capital in CAPITALS.items():
        yield word(country, ("country", 1.0), ("of " + country, 1.0))
        yield word(capital, ("country", 1.0), ("of " + country, 1.0), ("capital", 1.1))
    for noun in PLURALS:
        yield word(noun, (KINDS[noun], 1.0), ("noun " + noun, 0.8))
        yield word(noun + "s", (KINDS[noun], 1.0), ("noun " + noun, 0.8), ("plural", 1.0))
    for verb, past in PAST.items():
        yield word(verb, ("verb", 1.0), ("verb " + verb, 0.8))
        yield word(past, ("verb", 1.0), ("verb " + verb, 0.8), ("past", 1.0))


def questions(pairs, count):
    pairs = list(pairs)
    for step in range(1, count + 1):
        for i, (a, b) in enumerate(pairs):
            yield (a, b, *pairs[(i + step) % len(pairs)])


def main():
    table = list(words())
    with open(FOLDER / "vectors.vec", "w") as out:
        print(len(table), DIM, file=out)
        for name, values in table:
            print(name, *values, file=out)
    with open(FOLDER / "analogies.txt", "w") as out:
        for name, pairs in [
            ("capitals", ((capital.title(), country.title()) for country, capital in CAPITALS.items())),
            ("family", PEOPLE),
            ("gram1-plural", ((noun, noun + "s") for noun in PLURALS)),
            ("gram2-past-tense", list(PAST.items()) + [("sing", "sang")]),
        ]:
            print(":", name, file=out)
            for question in questions(pairs, 2):
                print(*question, file=out)
    judged = [("cat", "dog", 7.5), ("king", "queen", 9), ("king", "cat", 1), ("Paris", "London", 7), ("walk", "walked", 9),
              ("boy", "girl", 8), ("river", "uncle", 0.5), ("Rome", "Italy", 8), ("horse", "bird", 6), ("tree", "tokyo", 0.5),
              ("violin", "book", 3), ("car", "cars", 9.5)]
    with open(FOLDER / "pairs.tsv", "w") as out:
        for pair in judged:
            print(*pair, sep="\t", file=out)


main()
