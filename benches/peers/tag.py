#!/usr/bin/env python3
"""Tagging and lemmatizing beside UDPipe 1 (ufal.udpipe): scores on EWT dev and speed on running text, in one run.

    python benches/peers/tag.py WORDMILL DATA FOLDER [MEGABYTES]

UDPipe is trained here, on EWT train, tokenizer and tagger (tags and lemmas) with their default options and no parser;
the model is kept in FOLDER and used again, since training takes minutes. wordmill runs with the models inside it, which
cards say what. Both get the same text and print CoNLL-U; both are scored by `wordmill pos eval` and `lemmatize eval`,
which agree with the shared task's own evaluator (check_eval.py). Speed is words of output per second on MEGABYTES
(default 1) of War and Peace with one worker thread, best of three runs that take turns; UDPipe's time is that of its calls in this
process, wordmill's that of the whole program. Needs ufal.udpipe.
"""

import gzip
import json
import os
import subprocess
import sys
import time

from ufal.udpipe import InputFormat, Model, OutputFormat, Pipeline, ProcessingError, Sentence, Sentences, Trainer

RUNS = 3


def sentences_of(text):
    reader, error = InputFormat.newConlluInputFormat(), ProcessingError()
    reader.setText(text)
    sentences, sentence = Sentences(), Sentence()
    while reader.nextSentence(sentence, error):
        sentences.push_back(sentence)
        sentence = Sentence()
    if error.occurred():
        sys.exit(error.message)
    return sentences


def train(conllu, path):
    error, started = ProcessingError(), time.perf_counter()
    model = Trainer.train(
        "morphodita_parsito", sentences_of(conllu), Sentences(), Trainer.DEFAULT, Trainer.DEFAULT, Trainer.NONE, error
    )
    if error.occurred():
        sys.exit(error.message)
    with open(path, "wb") as file:
        file.write(model)
    print(f"# UDPipe trained in {time.perf_counter() - started:.0f} s", file=sys.stderr)


def udpipe(model, text, given):
    """The CoNLL-U that UDPipe makes of `text`: "tokenizer" for raw text, "conllu" for gold tokens."""
    error = ProcessingError()
    pipeline = Pipeline(model, given, Pipeline.DEFAULT, Pipeline.NONE, "conllu")
    output = pipeline.process(text, error)
    if error.occurred():
        sys.exit(error.message)
    return output


def run(command, text=None):
    data = text.encode() if text is not None else None
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout.decode()


def scores(wordmill, gold, system):
    """F1 in percent, by the name of the figure."""
    found = {}
    for command in ("pos", "lemmatize"):
        report = json.loads(run([wordmill, command, "eval", gold, "--system", system, "--to", "json"]))
        for name, score in report["runs"][0]["scores"].items():
            found[name] = 100 * score["f1"]
    return found


def words_in(conllu):
    return sum(line[:1].isdigit() and line.split("\t", 1)[0].isdigit() for line in conllu.split("\n"))


def timed(call):
    started = time.perf_counter()
    output = call()
    return words_in(output), time.perf_counter() - started


def read(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return file.read()


def without_annotation(conllu):
    """Forms, tokens and spacing only."""
    lines = []
    for line in conllu.split("\n"):
        columns = line.split("\t")
        if len(columns) == 10:
            if "." in columns[0]:
                continue
            columns[2:9] = ["_"] * 7
        lines.append("\t".join(columns))
    return "\n".join(lines)


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    wordmill, data, folder = sys.argv[1:4]
    megabytes = float(sys.argv[4]) if len(sys.argv) == 5 else 1.0
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "udpipe-ewt.model")
    if not os.path.exists(path):
        train(read(f"{data}/ud-english-ewt/en_ewt-ud-train.conllu.gz"), path)
    model = Model.load(path)
    if not model:
        sys.exit(f"{path}: not a model")

    gold_text = read(f"{data}/ud-english-ewt/en_ewt-ud-dev.conllu.gz")
    gold, bare, system = (os.path.join(folder, name) for name in ("gold.conllu", "bare.conllu", "system.conllu"))
    for name, content in ((gold, gold_text), (bare, without_annotation(gold_text))):
        with open(name, "w", encoding="utf-8") as file:
            file.write(content)
    raw = run([wordmill, "tokenize", "-q", "--to", "raw", gold])
    annotate = [wordmill, "annotate", "-q", "--threads", "1", "--layers", "tokens,pos,lemma", "--to", "conllu"]
    outputs = {
        ("gold tokens", "udpipe"): lambda: udpipe(model, without_annotation(gold_text), "conllu"),
        ("gold tokens", "wordmill"): lambda: run(annotate + [bare]),
        ("raw text", "udpipe"): lambda: udpipe(model, raw, "tokenizer"),
        ("raw text", "wordmill"): lambda: run(annotate + ["--from", "text"], raw),
    }
    print("given", "figure", "udpipe", "wordmill", sep="\t")
    for given in ("gold tokens", "raw text"):
        found = {}
        for tool in ("udpipe", "wordmill"):
            with open(system, "w", encoding="utf-8") as file:
                file.write(outputs[given, tool]())
            found[tool] = scores(wordmill, gold, system)
        for name in found["udpipe"]:
            print(given, name, *(f"{found[tool][name]:.2f}" for tool in ("udpipe", "wordmill")), sep="\t")

    text = read(f"{data}/text-english/war-and-peace.txt.gz")[: int(megabytes * 1e6)]
    rates = {"udpipe": [], "wordmill": []}
    for _ in range(RUNS):
        for tool, call in (
            ("udpipe", lambda: udpipe(model, text, "tokenizer")),
            ("wordmill", lambda: run(annotate + ["--from", "text"], text)),
        ):
            words, seconds = timed(call)
            rates[tool].append(words / seconds)
    print("speed", "words/s", *(f"{max(rates[tool]):.0f}" for tool in ("udpipe", "wordmill")), sep="\t")


if __name__ == "__main__":
    main()
