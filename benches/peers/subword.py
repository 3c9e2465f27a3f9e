"""Beside the Python packages `tokenizers` and `sentencepiece`: the same pieces, and how fast.

    python benches/peers/subword.py same WORDMILL FOLDER TEXT...    numbers of pieces must be equal, line by line
    python benches/peers/subword.py speed WORDMILL FOLDER TEXT...   seconds to train and to encode, two threads each

TEXT are files of sentences, FOLDER is for models. Files of ours are read by `tokenizers`, files of `tokenizers` and
models of `sentencepiece` by ours.
"""

import gzip
import os
import pathlib
import subprocess
import sys
import time

os.environ["RAYON_NUM_THREADS"] = "2"
os.environ["TOKENIZERS_PARALLELISM"] = "true"

import sentencepiece
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

ALGORITHMS = ["bpe", "unigram", "wordpiece", "byte-level"]
SIZE = 8000
# What Multi30k has little of.
ODD = [" leading", "two  spaces", "trailing ", "tab\there", "▁ ␛ ␛1", "e\u0301 日本語 العربية 😀", "</s> <0x41> [SEP]", ""]


def read(path):
    opened = gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")
    with opened as file:
        return file.read().split("\n")[:-1]


def run(wordmill, args, lines=None):
    text = None if lines is None else ("\n".join(lines) + "\n").encode()
    return subprocess.run([wordmill, "subword", *args], input=text, capture_output=True, check=True).stdout.decode()


def numbers(wordmill, model, lines):
    out = run(wordmill, ["encode", "--model", str(model), "--to", "ids"], lines)
    return [[int(n) for n in line.split()] for line in out.split("\n")[:-1]]


def peer(algorithm):
    """A tokenizer of the Python package, and its trainer, with what its documentation proposes."""
    specials = ["<pad>", "<s>", "</s>", "<unk>"]
    quiet = {"vocab_size": SIZE, "show_progress": False}
    if algorithm == "bpe":
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        trainer = trainers.BpeTrainer(special_tokens=specials, **quiet)
    elif algorithm == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(special_tokens=specials, unk_token="<unk>", **quiet)
    elif algorithm == "wordpiece":
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], **quiet)
    else:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(special_tokens=specials, initial_alphabet=alphabet, **quiet)
    tokenizer.normalizer = normalizers.NFC()
    return tokenizer, trainer


def differing(ours, theirs):
    return sum(a != b for a, b in zip(ours, theirs)) + abs(len(ours) - len(theirs))


def same(wordmill, folder, texts):
    lines = [line for text in texts for line in read(text)]
    tested = lines[:2000] + lines[-2000:] + ODD
    faults = 0
    for algorithm in ALGORITHMS:
        ours = folder / f"ours.{algorithm}.json"
        run(wordmill, ["train", *texts, "-a", algorithm, "--vocab-size", str(SIZE), "-o", str(ours)])
        theirs = Tokenizer.from_file(str(ours))
        expected = [e.ids for e in theirs.encode_batch(tested)]
        found = numbers(wordmill, ours, tested)
        decoded = run(wordmill, ["decode", "--model", str(ours)], [" ".join(map(str, n)) for n in found]).split("\n")[:-1]
        back = [theirs.decode(n, skip_special_tokens=False) for n in found]
        faults += report(f"our {algorithm} file in tokenizers", found, expected)
        faults += report(f"our {algorithm} file in tokenizers, decoded", decoded, back)

        tokenizer, trainer = peer(algorithm)
        tokenizer.train_from_iterator(lines, trainer)
        path = folder / f"theirs.{algorithm}.json"
        tokenizer.save(str(path))
        faults += report(
            f"their {algorithm} file in wordmill",
            numbers(wordmill, path, tested),
            [e.ids for e in tokenizer.encode_batch(tested, add_special_tokens=False)],
        )
    text = folder / "text.txt"
    text.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for kind, more in [("bpe", {}), ("unigram", {}), ("bpe", {"byte_fallback": True}), ("unigram", {"byte_fallback": True})]:
        prefix = folder / f"spm.{kind}.{len(more)}"
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=str(prefix), vocab_size=SIZE, model_type=kind, minloglevel=2, **more
        )
        model = sentencepiece.SentencePieceProcessor(model_file=f"{prefix}.model")
        plain = lines[:2000] + lines[-2000:]
        faults += report(
            f"{kind} of sentencepiece {more or ''}", numbers(wordmill, f"{prefix}.model", plain), model.encode(plain)
        )
    sys.exit(faults > 0)


def report(name, ours, theirs):
    count = differing(ours, theirs)
    print(f"{name}: {count} of {len(theirs)} lines differ", flush=True)
    for a, b in zip(ours, theirs):
        if a != b:
            print("  ours  ", a, "\n  theirs", b)
            break
    return count


def seconds(work, times=3):
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def speed(wordmill, folder, texts):
    """Ours is the whole command, reading and writing included; theirs is the call alone, on lines in memory."""
    lines = [line for text in texts for line in read(text)]
    text = folder / "text.txt"
    text.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} lines, {text.stat().st_size / 1e6:.1f} MB; best of 3, two threads")
    for algorithm in ALGORITHMS:
        tokenizer, trainer = peer(algorithm)
        theirs = seconds(lambda: tokenizer.train_from_iterator(lines, trainer))
        path = folder / f"theirs.{algorithm}.json"
        tokenizer.save(str(path))
        model = folder / f"ours.{algorithm}.json"
        flags = [str(text), "-a", algorithm, "--vocab-size", str(SIZE), "--threads", "2", "-o", str(model)]
        ours = seconds(lambda: run(wordmill, ["train", *flags]))
        print(f"train {algorithm}: wordmill {ours:.2f} s, tokenizers {theirs:.2f} s", flush=True)
        for name, file in [("our file", model), ("their file", path)]:
            loaded = Tokenizer.from_file(str(file))
            fast = seconds(lambda: loaded.encode_batch_fast(lines, add_special_tokens=False))
            theirs = seconds(lambda: loaded.encode_batch(lines, add_special_tokens=False))
            flags = ["--model", str(file), "--to", "ids", "--threads", "2", str(text), "-o", str(folder / "out")]
            ours = seconds(lambda: run(wordmill, ["encode", *flags]))
            print(
                f"encode {algorithm}, {name}: wordmill {ours:.2f} s, tokenizers {theirs:.2f} s, its fast call {fast:.2f} s",
                flush=True,
            )


def main():
    command, wordmill, folder, *texts = sys.argv[1:]
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    {"same": same, "speed": speed}[command](wordmill, folder, texts)


main()
