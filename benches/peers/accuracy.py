#!/usr/bin/env python3
"""Accuracy beside UDPipe 1 (ufal.udpipe) and spaCy: peers that learn from the files our models learn from.

    python benches/peers/accuracy.py WORDMILL DATA FOLDER [TASK[:TOOL]...]

TASK is `ewt` or `gum` (tags and lemmas), `uner` or `conll` (entities), TOOL is `udpipe`, `spacy` or `wordmill`; without
any, all of them. A peer is trained on the training file of its task the first time and its model kept in FOLDER, with
the seconds it took; everything is scored on the development file by `wordmill pos`, `lemmatize` and `ner eval`, which
agree with the evaluators of the shared tasks (check_eval.py). wordmill itself runs with the models inside it, which cards
say what they learned from; it has none for `conll`, whose types and texts are not theirs.

Prints tables parted by tabs: F1 in percent, for tags from gold tokens and, for `ewt`, from raw text with blank
lines between paragraphs. UDPipe has its default options, no parser, and no tokenizer where none is asked for. spaCy has the configuration
of `spacy init config --optimize efficiency` (a small CNN, no vectors), one sentence a document, gold tokens, so none from raw
text; of its checkpoints, one every EVERY steps, that which is best on the development file itself is taken, as `spacy
train` does: its scores are a little too good. UNER is learned with OTH, which is then left out, as our model does.
Needs ufal.udpipe and spacy.
"""

import contextlib
import gzip
import json
import os
import re
import subprocess
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

EWT, GUM, UNER, CONLL = "ud-english-ewt/en_ewt-ud", "ud-english-gum/en_gum-ud", "uner-english-ewt/en_ewt-ud", "conll2003-eval-only/eng"
TAGS = {
    "ewt": (f"{EWT}-train.conllu.gz", f"{EWT}-dev.conllu.gz"),
    "gum": (f"{GUM}-train-open.conllu.gz", f"{GUM}-dev-open.conllu.gz"),
}
# Files, the columns of the form and of the tag, and the type that is learned and not shown.
ENTITIES = {
    "uner": (f"{UNER}-train.iob2.gz", f"{UNER}-dev.iob2.gz", 1, 2, "OTH"),
    "conll": (f"{CONLL}.train.gz", f"{CONLL}.testa.gz", 0, 3, None),
}
# Steps of spaCy's training at most; one is 100 words at first and 1,000 after 2,300 steps.
STEPS = {"ewt": 3600, "gum": 3200, "uner": 2800, "conll": 2800}
EVERY = 400
# Tasks that raw text is scored for too.
RAW = ("ewt",)
FIGURES = ("Sentences", "Words", "UPOS", "XPOS", "UFeats", "Lemmas")


def read(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def run(command, text=None):
    data = text.encode() if text is not None else None
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout.decode()


def report(wordmill, command, gold, system, *options):
    output = run([wordmill, command, "eval", gold, "--system", system, "--to", "json", *options])
    return json.loads(output)["runs"][0]


def trained(path, train):
    """Calls `train` unless `path` is there, and notes the seconds of wall clock and of the processor."""
    if os.path.exists(path):
        return
    wall, processor = time.perf_counter(), time.process_time()
    train()
    seconds = f"{time.perf_counter() - wall:.0f} s, {time.process_time() - processor:.0f} s of the processor"
    write(f"{path}.seconds", seconds + "\n")
    print(f"# {os.path.basename(path)} trained in {seconds}", file=sys.stderr)


# CoNLL-U


def blocks(conllu):
    """Sentences: the comments, and the rows of tokens and words without empty nodes."""
    for block in re.split(r"\n\s*\n", conllu):
        lines = block.split("\n")
        rows = [line.split("\t") for line in lines if line and line[0] != "#"]
        rows = [row for row in rows if "." not in row[0]]
        if rows:
            yield [line for line in lines if line.startswith("#")], rows


def words_of(rows):
    return [row for row in rows if "-" not in row[0]]


def bare(conllu):
    """Forms, tokens and spacing only."""
    lines = []
    for comments, rows in blocks(conllu):
        lines += comments
        lines += ["\t".join(row[:2] + ["_"] * 7 + row[9:]) for row in rows]
        lines.append("")
    return "\n".join(lines) + "\n"


def running_text(conllu):
    text = ""
    for comments, rows in blocks(conllu):
        if text and any(re.match(r"# new(doc|par)\b", comment) for comment in comments):
            text = text.rstrip() + "\n\n"
        inside = 0
        for row in rows:
            if "-" in row[0]:
                inside = int(row[0].split("-")[1])
            elif int(row[0]) <= inside:
                continue
            text += row[1] + ("" if "SpaceAfter=No" in row[9].split("|") else " ")
    return text


# UDPipe


def udpipe_train(conllu, tokenizer, path):
    from ufal.udpipe import InputFormat, ProcessingError, Sentence, Sentences, Trainer

    error, reader, sentences = ProcessingError(), InputFormat.newConlluInputFormat(), Sentences()
    reader.setText(conllu)
    sentence = Sentence()
    while reader.nextSentence(sentence, error):
        sentences.push_back(sentence)
        sentence = Sentence()
    options = Trainer.DEFAULT if tokenizer else Trainer.NONE, Trainer.DEFAULT, Trainer.NONE
    model = "" if error.occurred() else Trainer.train("morphodita_parsito", sentences, Sentences(), *options, error)
    if error.occurred():
        sys.exit(error.message)
    with open(path, "wb") as file:
        file.write(model)


def udpipe(path, text, given):
    from ufal.udpipe import Model, Pipeline, ProcessingError

    model, error = Model.load(path), ProcessingError()
    if not model:
        sys.exit(f"{path}: not a model")
    output = Pipeline(model, given, Pipeline.DEFAULT, Pipeline.NONE, "conllu").process(text, error)
    if error.occurred():
        sys.exit(error.message)
    return output


# spaCy


def spacy_train(task, pipeline, docs_of, texts, path):
    """`docs_of(vocab, text)` makes the documents of the training and of the development text."""
    import spacy
    from spacy.cli.init_config import init_config
    from spacy.cli.train import train
    from spacy.tokens import DocBin

    vocab, files = spacy.blank("en").vocab, []
    for name, text in zip(("train", "dev"), texts):
        files.append(f"{path}.{name}.spacy")
        DocBin(docs=docs_of(vocab, text), attrs=DOCUMENT).to_disk(files[-1])
    config = f"{path}.cfg"
    init_config(lang="en", pipeline=pipeline, optimize="efficiency", silent=True).to_disk(config)
    training = {
        "paths.train": files[0],
        "paths.dev": files[1],
        "corpora.train.gold_preproc": True,
        "corpora.dev.gold_preproc": True,
        "training.max_steps": STEPS[task],
        "training.eval_frequency": EVERY,
        # The steps are few enough not to stop before.
        "training.patience": 0,
    }
    with contextlib.redirect_stdout(sys.stderr):
        train(config, f"{path}.runs", overrides=training)
    os.rename(f"{path}.runs/model-best", path)


DOCUMENT = ["ORTH", "SPACY", "TAG", "POS", "MORPH", "LEMMA", "SENT_START", "ENT_IOB", "ENT_TYPE"]


def tagged_docs(vocab, conllu):
    from spacy.tokens import Doc

    for _, rows in blocks(conllu):
        words = words_of(rows)
        yield Doc(
            vocab,
            words=[row[1] for row in words],
            pos=[row[3] for row in words],
            tags=[row[4] for row in words],
            morphs=[row[5] for row in words],
            lemmas=[row[2] for row in words],
            sent_starts=[True] + [False] * (len(words) - 1),
        )


def spacy_tags(path, conllu):
    import spacy
    from spacy.tokens import Doc

    nlp, sentences = spacy.load(path), list(blocks(conllu))
    docs = (Doc(nlp.vocab, words=[row[1] for row in words_of(rows)]) for _, rows in sentences)
    lines = []
    for (comments, rows), doc in zip(sentences, nlp.pipe(docs)):
        tokens = iter(doc)
        lines += comments
        for row in rows:
            if "-" not in row[0]:
                token = next(tokens)
                row[2:6] = token.lemma_, token.pos_, token.tag_, str(token.morph) or "_"
            lines.append("\t".join(row))
        lines.append("")
    return "\n".join(lines) + "\n"


def tagged_sentences(text, form, tag):
    """Lists of forms and of IOB2 tags, whichever kind of IOB the text has."""
    for block in re.split(r"\n\s*\n", text):
        rows = [line.split() for line in block.split("\n") if line and not line.startswith(("# ", "-DOCSTART-"))]
        tags, before = [], "O"
        for row in rows:
            now = row[tag]
            tags.append("B" + now[1:] if now[0] == "I" and before[1:] != now[1:] else now)
            before = now
        if rows:
            yield [row[form] for row in rows], tags


def columns_of(sentences):
    return "\n".join("".join(f"{form}\t{tag}\n" for form, tag in zip(*sentence)) for sentence in sentences)


def entity_docs(vocab, text):
    from spacy.tokens import Doc

    for forms, tags in tagged_sentences(text, 0, 1):
        yield Doc(vocab, words=forms, ents=tags, sent_starts=[True] + [False] * (len(forms) - 1))


def spacy_entities(path, text, hidden):
    import spacy
    from spacy.tokens import Doc

    nlp = spacy.load(path)
    docs = (Doc(nlp.vocab, words=forms) for forms, _ in tagged_sentences(text, 0, 1))
    shown = []
    for doc in nlp.pipe(docs):
        tags = ["O" if token.ent_iob_ in "O" or token.ent_type_ == hidden else f"{token.ent_iob_}-{token.ent_type_}" for token in doc]
        shown.append(([token.text for token in doc], tags))
    return columns_of(shown)


# The tables


def tags(task, tools, wordmill, data, folder):
    learned, gold_text = (read(f"{data}/{name}") for name in TAGS[task])
    gold, system = (os.path.join(folder, f"{task}-{name}.conllu") for name in ("gold", "system"))
    write(gold, gold_text)
    annotate = [wordmill, "annotate", "-q", "--threads", "1", "--layers", "tokens,pos,lemma", "--to", "conllu"]
    for tool in tools:
        path = os.path.join(folder, f"{tool}-{task}.model")
        outputs, raw = {}, None
        if tool == "udpipe":
            trained(path, lambda: udpipe_train(learned, task in RAW, path))
            outputs["gold tokens"] = lambda: udpipe(path, bare(gold_text), "conllu")
            raw = lambda: udpipe(path, running_text(gold_text), "tokenizer")
        elif tool == "spacy":
            layers = ["tagger", "morphologizer", "trainable_lemmatizer"]
            trained(path, lambda: spacy_train(task, layers, tagged_docs, (learned, gold_text), path))
            outputs["gold tokens"] = lambda: spacy_tags(path, bare(gold_text))
        else:
            outputs["gold tokens"] = lambda: run(annotate + ["--from", "conllu"], bare(gold_text))
            raw = lambda: run(annotate + ["--from", "text"], running_text(gold_text))
        if raw and task in RAW:
            outputs["raw text"] = raw
        for given, output in outputs.items():
            write(system, output())
            found = report(wordmill, "pos", gold, system)["scores"]
            found.update(report(wordmill, "lemmatize", gold, system)["scores"])
            shown = (f"{100 * found[name]['f1']:.2f}" if name in found else "" for name in FIGURES)
            print(task, given, tool, *shown, sep="\t", flush=True)


def entities(task, tools, wordmill, data, folder):
    train_name, gold_name, form, tag, hidden = ENTITIES[task]
    learned, gold_text = (columns_of(tagged_sentences(read(f"{data}/{name}"), form, tag)) for name in (train_name, gold_name))
    gold, system = (os.path.join(folder, f"{task}-{name}.iob2") for name in ("gold", "system"))
    write(gold, gold_text)
    for tool in tools:
        if tool == "spacy":
            path = os.path.join(folder, f"spacy-{task}.model")
            trained(path, lambda: spacy_train(task, ["ner"], entity_docs, (learned, gold_text), path))
            write(system, spacy_entities(path, gold_text, hidden))
            found = report(wordmill, "ner", gold, system, "--columns", "form,ner")
        elif tool == "wordmill" and task == "uner":
            output = run([wordmill, "ner", "eval", gold, "--columns", "form,ner", "--to", "json"])
            found = json.loads(output)["runs"][0]
        else:
            continue
        found = found["entities"]
        for label, score in [("all", found["micro"]), *found["types"].items()]:
            figures = (f"{100 * score[name]:.2f}" for name in ("precision", "recall", "f1"))
            print(task, label, tool, *figures, score["gold"], sep="\t", flush=True)


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    wordmill, data, folder, *chosen = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    tools = ("udpipe", "spacy", "wordmill")
    headers = (
        (TAGS, tags, ("task", "given", "tool", *FIGURES)),
        (ENTITIES, entities, ("task", "label", "tool", "precision", "recall", "F1", "gold")),
    )
    for tasks, table, header in headers:
        rows = {}
        for task in tasks:
            named = [tool for tool in tools if not chosen or task in chosen or f"{task}:{tool}" in chosen]
            if named:
                rows[task] = named
        if rows:
            print(*header, sep="\t", flush=True)
        for task, named in rows.items():
            table(task, named, wordmill, data, folder)


if __name__ == "__main__":
    main()
