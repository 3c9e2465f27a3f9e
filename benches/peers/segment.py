#!/usr/bin/env python3
"""Speed of wordmill's tokenizers beside NLTK's, spaCy's and UDPipe's, on the same file.

    python benches/peers/segment.py WORDMILL FILE [UDPIPE_MODEL [MEGABYTES]]

FILE is running text in UTF-8, of which everyone gets the first MEGABYTES (default 2), and wordmill once more a
file of 64 MB of repeats, because on a small one its start counts. UDPIPE_MODEL is the one that tag.py trained. Peers
cut paragraph by paragraph and are timed in this process, loading not counted; wordmill is timed from start to exit, output
thrown away. Best of three runs that take turns. NLTK's Treebank tokenizer wants single sentences, and no data has to be
fetched for it; what it cuts here are paragraphs. Needs nltk, spacy, ufal.udpipe.
"""

import subprocess
import sys
import tempfile
import time

import spacy
from nltk.tokenize import NLTKWordTokenizer, TreebankWordTokenizer
from ufal.udpipe import Model, Sentence

RUNS = 3


def peers(model_path):
    """Functions from paragraphs to the number of tokens."""
    treebank, word = TreebankWordTokenizer(), NLTKWordTokenizer()
    blank = spacy.blank("en")
    blank.max_length = 10_000_000
    sentencizer = spacy.blank("en")
    sentencizer.add_pipe("sentencizer")
    found = {
        "nltk TreebankWordTokenizer": lambda texts: sum(len(treebank.tokenize(text)) for text in texts),
        "nltk word_tokenize without sentences": lambda texts: sum(len(word.tokenize(text)) for text in texts),
        'spacy blank("en")': lambda texts: sum(len(document) for document in blank.pipe(texts)),
        'spacy blank("en") + sentencizer': lambda texts: sum(len(document) for document in sentencizer.pipe(texts)),
    }
    if model_path:
        model = Model.load(model_path)
        if not model:
            sys.exit(f"{model_path}: not a model")

        def udpipe(texts):
            tokenizer, count = model.newTokenizer(Model.DEFAULT), 0
            for text in texts:
                tokenizer.setText(text)
                sentence = Sentence()
                while tokenizer.nextSentence(sentence):
                    # Without the root.
                    count += sentence.words.size() - 1
                    sentence = Sentence()
            return count

        found["ufal.udpipe tokenizer, EWT"] = udpipe
    return found


def wordmill(program, flags, path):
    """The number of tokens, and seconds with output thrown away."""
    command = [program, "tokenize", "-q", "--from", "text", *flags, path]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def tokens_of(program, flags, path):
    command = [program, "tokenize", "-q", "--from", "text", *flags, "--to", "words", path]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.count(b"\n")


def main():
    if len(sys.argv) not in (3, 4, 5):
        sys.exit(__doc__)
    program, path = sys.argv[1:3]
    model_path = sys.argv[3] if len(sys.argv) > 3 else None
    megabytes = float(sys.argv[4]) if len(sys.argv) > 4 else 2.0
    with open(path, encoding="utf-8") as file:
        text = file.read()[: int(megabytes * 1e6)]
    paragraphs = [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]
    size = len(text.encode())
    ours = {
        "wordmill unicode": ["--scheme", "unicode"],
        "wordmill ud": ["--scheme", "ud"],
    }
    found = peers(model_path)
    seconds, tokens = {}, {}
    with tempfile.NamedTemporaryFile("wb", suffix=".txt") as short, tempfile.NamedTemporaryFile("wb", suffix=".txt") as long:
        short.write(text.encode())
        short.flush()
        repeats = 64_000_000 // size + 1
        for _ in range(repeats):
            long.write(text.encode() + b"\n\n")
        long.flush()
        for _ in range(RUNS):
            for name, count in found.items():
                started = time.perf_counter()
                tokens[name] = count(paragraphs)
                seconds.setdefault(name, []).append((time.perf_counter() - started) / size)
            for name, flags in ours.items():
                tokens[name] = tokens_of(program, flags, short.name)
                for threads in (1, 2):
                    with_threads = [*flags, "--threads", str(threads)]
                    for file, bytes_read, how in (
                        (short.name, size, "start included"),
                        (long.name, repeats * (size + 2), "64 MB"),
                    ):
                        label = f"{name}, {threads} thread{'s' * (threads > 1)}, {how}"
                        tokens[label] = tokens[name]
                        took = wordmill(program, with_threads, file)
                        seconds.setdefault(label, []).append(took / bytes_read)
    print("tool", "MB/s", "tokens", sep="\t")
    for name, per_byte in seconds.items():
        print(name, f"{1e-6 / min(per_byte):.2f}", tokens[name], sep="\t")


if __name__ == "__main__":
    main()
