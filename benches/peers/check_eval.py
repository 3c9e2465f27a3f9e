#!/usr/bin/env python3
"""Checks the evaluation against udtools (udeval, the CoNLL 2018 scorer) and seqeval (strict IOB2).

    check_eval.py WORDMILL GOLD.conllu FOLDER [--corruptions 200] [--labels LABELS.iob2] [--real SYSTEM.conllu]

Makes seeded corruptions of GOLD in FOLDER, scores each with `wordmill pos eval` and `wordmill ner eval`
(--system FILE --to json), and compares precision, recall, F1 and aligned accuracy, rounded to two decimals as
percentages. --labels joins the entity labels of a Universal NER file by sent_id; without it, proper nouns make
labels. --real compares one more output, of any tool. Needs: pip install udtools seqeval.
"""

import argparse
import copy
import gzip
import json
import random
import subprocess
import sys
import warnings
from collections import namedtuple
from pathlib import Path

from seqeval.metrics import classification_report
from seqeval.scheme import IOB2
from udtools.udeval import evaluate, load_conllu_file

warnings.filterwarnings("ignore")
METRICS = ["Tokens", "Sentences", "Words", "UPOS", "XPOS", "UFeats", "AllTags", "Lemmas"]
ID, FORM, LEMMA, UPOS, XPOS, FEATS, HEAD, DEPREL, DEPS, MISC = range(10)

# A surface token: its form, and the columns of its words (one, unless it is a multi-word token).
Token = namedtuple("Token", "form words multiword")


def open_text(path):
    return gzip.open(path, "rt", encoding="utf-8") if str(path).endswith(".gz") else open(path, encoding="utf-8")


def read(path):
    """Sentences as (sent_id, tokens); empty nodes and other comments are left out."""
    sentences, tokens, sent_id, until = [], [], None, 0
    with open_text(path) as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("#"):
                if line.startswith("# sent_id = "):
                    sent_id = line[12:]
            elif not line:
                if tokens:
                    sentences.append((sent_id, tokens))
                tokens, until = [], 0
            else:
                columns = line.split("\t")
                if "." in columns[ID]:
                    continue
                if "-" in columns[ID]:
                    until = int(columns[ID].split("-")[1])
                    tokens.append(Token(columns[FORM], [], True))
                elif int(columns[ID]) <= until:
                    tokens[-1].words.append(columns)
                else:
                    tokens.append(Token(columns[FORM], [columns], False))
    if tokens:
        sentences.append((sent_id, tokens))
    return sentences


def write(path, sentences):
    """Numbers the words anew; the heads are a chain, because udeval wants a tree and is not asked for it."""
    with open(path, "w", encoding="utf-8") as out:
        for sent_id, tokens in sentences:
            out.write(f"# sent_id = {sent_id}\n")
            number = 0
            for token in tokens:
                if token.multiword:
                    ids = f"{number + 1}-{number + len(token.words)}"
                    out.write("\t".join([ids, token.form] + ["_"] * 8) + "\n")
                for columns in token.words:
                    number += 1
                    deprel = "root" if number == 1 else "dep"
                    row = [str(number)] + columns[FORM:HEAD] + [str(number - 1), deprel, "_", columns[MISC]]
                    out.write("\t".join(row) + "\n")
            out.write("\n")


def split_token(token, rng):
    at = rng.randrange(1, len(token.form))
    parts = []
    for form in (token.form[:at], token.form[at:]):
        columns = list(token.words[0])
        columns[FORM] = form
        parts.append(Token(form, [columns], False))
    return parts


def merge_tokens(left, right, rng):
    form = left.form + (" " if rng.random() < 0.3 else "") + right.form
    if rng.random() < 0.3:
        return Token(form, left.words + right.words, True)
    columns = list(left.words[0])
    columns[FORM] = form
    return Token(form, [columns], False)


def resplit(token, rng):
    """Another split of a multi-word token, or one out of a plain token; characters need not add up."""
    cut = rng.randrange(1, len(token.form))
    forms = [token.form[:cut], token.form[cut:]]
    if rng.random() < 0.3:
        forms.insert(1, rng.choice(["x", "Not", "n't"]))
    if rng.random() < 0.3:
        forms = [form.upper() for form in forms]
    words = []
    for form in forms:
        columns = list(rng.choice(token.words))
        columns[FORM] = form
        words.append(columns)
    return Token(token.form, words, True)


def change_columns(columns, rng, rate, values):
    for column in (LEMMA, UPOS, XPOS, FEATS):
        if rng.random() < rate:
            columns[column] = rng.choice(values[column])
    if rng.random() < rate:
        columns[FEATS] = "|".join(reversed(columns[FEATS].split("|")))
    if rng.random() < rate:
        columns[LEMMA] = rng.choice(["_", columns[LEMMA].lower(), columns[FORM]])


def corrupt(sentences, seed, values):
    rng = random.Random(seed)
    # Each corruption at a rate of its own, some absent.
    rates = {kind: rng.choice([0, 0.002, 0.02, 0.1, 0.3]) for kind in
             ("split", "merge", "resplit", "flatten", "columns", "join", "break", "move")}
    result = []
    for sent_id, tokens in copy.deepcopy(sentences):
        out, i = [], 0
        while i < len(tokens):
            token = tokens[i]
            i += 1
            if rng.random() < rates["merge"] and i < len(tokens):
                out.append(merge_tokens(token, tokens[i], rng))
                i += 1
            elif rng.random() < rates["resplit"] and len(token.form) > 1:
                out.append(resplit(token, rng))
            elif rng.random() < rates["split"] and len(token.form) > 1:
                out.extend(split_token(token, rng))
            elif token.multiword and rng.random() < rates["flatten"]:
                whole = "".join(columns[FORM] for columns in token.words) == token.form
                if whole:
                    out.extend(Token(columns[FORM], [columns], False) for columns in token.words)
                else:
                    columns = token.words[0]
                    columns[FORM] = token.form
                    out.append(Token(token.form, [columns], False))
            else:
                out.append(token)
        for token in out:
            for columns in token.words:
                change_columns(columns, rng, rates["columns"], values)
        if result and rng.random() < rates["join"]:
            result[-1][1].extend(out)
        elif len(out) > 1 and rng.random() < rates["break"]:
            at = rng.randrange(1, len(out))
            result.append((sent_id, out[:at]))
            result.append((sent_id, out[at:]))
        elif result and len(out) > 1 and rng.random() < rates["move"]:
            result[-1][1].append(out[0])
            result.append((sent_id, out[1:]))
        else:
            result.append((sent_id, out))
    return result


def score(wordmill, command, gold, system):
    call = [wordmill, command, "eval", str(gold), "--system", str(system), "--to", "json"]
    done = subprocess.run(call, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(call)}\nexit {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)["runs"][0]


def percent(value):
    return None if value is None else f"{100 * value:.2f}"


def compare_words(wordmill, gold, gold_file, system_file):
    """The disagreements, as text."""
    expected = evaluate(gold, load_conllu_file(str(system_file), {"multiple_roots_okay": 1}))
    found = score(wordmill, "pos", gold_file, system_file)["scores"]
    for metric in METRICS:
        theirs, ours = expected[metric], found[metric]
        for key in ("precision", "recall", "f1", "aligned_accuracy"):
            a, b = percent(getattr(theirs, key)), percent(ours.get(key))
            if a != b:
                yield f"{system_file}: {metric} {key}: udeval {a}, wordmill {b}"
        if theirs.correct != ours["correct"]:
            yield f"{system_file}: {metric} correct: udeval {theirs.correct}, wordmill {ours['correct']}"


def labels_of(sentences):
    rows = []
    for _, tokens in sentences:
        words = [columns for token in tokens for columns in token.words]
        items = [[item for item in columns[MISC].split("|") if item.startswith("NER=")] for columns in words]
        rows.append([found[0][4:] if found else "O" for found in items])
    return rows


def with_labels(sentences, rows):
    result = copy.deepcopy(sentences)
    for (_, tokens), labels in zip(result, rows):
        words = [columns for token in tokens for columns in token.words]
        for columns, label in zip(words, labels):
            items = [item for item in columns[MISC].split("|") if item != "_" and not item.startswith("NER=")]
            if label != "O":
                items.append(f"NER={label}")
            columns[MISC] = "|".join(items) or "_"
    return result


def read_labels(path):
    by_id, sent_id = {}, None
    with open_text(path) as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("# sent_id = "):
                sent_id = line[12:]
                by_id[sent_id] = []
            elif line and not line.startswith("#"):
                by_id[sent_id].append(line.split("\t")[2])
    return by_id


def corrupt_labels(rows, seed):
    """Wrong, shifted, split, joined, missing and invented entities, and I- without B-."""
    rng = random.Random(seed)
    rate = rng.choice([0.002, 0.02, 0.1, 0.3])
    types = ["PER", "ORG", "LOC", "MISC"]
    result = []
    for labels in rows:
        labels = list(labels)
        for i, label in enumerate(labels):
            if label == "O":
                if rng.random() < rate / 5:
                    labels[i] = rng.choice("BI") + "-" + rng.choice(types)
                continue
            if rng.random() > rate:
                continue
            prefix, name = label.split("-", 1)
            change = rng.randrange(6)
            if change == 0:
                labels[i] = f"{prefix}-{rng.choice(types)}"
            elif change == 1:
                labels[i] = f"{'I' if prefix == 'B' else 'B'}-{name}"
            elif change == 2:
                labels[i] = "O"
            elif change == 3 and i + 1 < len(labels):
                labels[i], labels[i + 1] = labels[i + 1], labels[i]
            elif change == 4 and i + 1 < len(labels):
                labels[i + 1] = f"I-{name}"
            elif change == 5 and i > 0:
                labels[i - 1], labels[i] = f"B-{name}", f"I-{name}"
        result.append(labels)
    return result


def compare_entities(wordmill, gold_rows, system_rows, gold_file, system_file):
    expected = classification_report(gold_rows, system_rows, output_dict=True, mode="strict", scheme=IOB2,
                                     zero_division=0)
    found = score(wordmill, "ner", gold_file, system_file)["entities"]
    if found["matched_by"] != "words":
        yield f"{system_file}: matched by {found['matched_by']}"
    theirs = {name: row for name, row in expected.items() if not name.endswith(" avg")}
    ours = dict(found["types"])
    if sorted(theirs) != sorted(ours):
        yield f"{system_file}: types {sorted(theirs)} / {sorted(ours)}"
    theirs["micro avg"], ours["micro avg"] = expected["micro avg"], found["micro"]
    for name in sorted(set(theirs) & set(ours)):
        for a_key, b_key in (("precision", "precision"), ("recall", "recall"), ("f1-score", "f1"), ("support", "gold")):
            a, b = percent(float(theirs[name][a_key])), percent(ours[name][b_key])
            if a != b:
                yield f"{system_file}: {name} {b_key}: seqeval {a}, wordmill {b}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wordmill")
    parser.add_argument("gold")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corruptions", type=int, default=200)
    parser.add_argument("--sentences", type=int, default=300, help="of GOLD that are corrupted each time")
    parser.add_argument("--labels")
    parser.add_argument("--real", help="a CoNLL-U file with the text of the whole of GOLD")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    whole = read(args.gold)
    values = {column: sorted({columns[column] for _, tokens in whole for token in tokens for columns in token.words})
              for column in (LEMMA, UPOS, XPOS, FEATS)}
    differences = []

    gold_file, system_file = args.folder / "gold.conllu", args.folder / "system.conllu"
    single_roots = {"multiple_roots_okay": 1}
    if args.real:
        write(gold_file, whole)
        write(system_file, read(args.real))
        gold = load_conllu_file(str(gold_file), single_roots)
        differences += compare_words(args.wordmill, gold, gold_file, system_file)
    for seed in range(args.corruptions):
        start = random.Random(seed).randrange(max(1, len(whole) - args.sentences))
        part = whole[start:start + args.sentences]
        gold_file, system_file = args.folder / f"gold-{seed}.conllu", args.folder / f"system-{seed}.conllu"
        write(gold_file, part)
        write(system_file, corrupt(part, seed, values))
        gold = load_conllu_file(str(gold_file), single_roots)
        found = list(compare_words(args.wordmill, gold, gold_file, system_file))
        differences += found
        if not found:
            gold_file.unlink()
            system_file.unlink()
    print(f"words: {args.corruptions} corruptions, {len(differences)} differences")

    if args.labels:
        by_id = read_labels(args.labels)
        rows = [by_id.get(sent_id, []) for sent_id, _ in whole]
        whole = with_labels(whole, rows)
    else:
        rows = [["B-PER" if columns[UPOS] == "PROPN" else "O" for token in tokens for columns in token.words]
                for _, tokens in whole]
        whole = with_labels(whole, rows)
    gold_rows = labels_of(whole)
    gold_file, system_file = args.folder / "gold-ner.conllu", args.folder / "system-ner.conllu"
    write(gold_file, whole)
    before = len(differences)
    for seed in range(args.corruptions):
        system_rows = corrupt_labels(gold_rows, seed)
        write(system_file, with_labels(whole, system_rows))
        differences += compare_entities(args.wordmill, gold_rows, system_rows, gold_file, system_file)
    print(f"entities: {args.corruptions} corruptions, {len(differences) - before} differences")
    print("\n".join(differences[:50]))
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
