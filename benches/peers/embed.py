#!/usr/bin/env python3
"""word2vec beside gensim, and with n-grams beside fastText: scores over several seeds, words a second in the same run.

    embed.py train  --corpus FILE --seeds 5 --work DIR [--cbow] [--hs] [--dim N]   # gensim's vectors, a file a seed
    embed.py scores --data DIR VECTORS...                                          # every set, mean and standard error
    embed.py speed  --corpus FILE --wordmill BINARY --work DIR [--rounds N]        # whole processes in turns
    embed.py growth --corpus FILE --wordmill BINARY --work DIR [--rounds N]        # by threads, text and vocabulary

DIR of `scores` holds questions-words.txt and EN-*.txt. Needs gensim (4.4) and fasttext-wheel from PyPI, and NumPy. All
train with 2 threads, window 5, 5 negatives, 5 epochs, sample 1e-4, words seen 5 times.
"""
import argparse, json, logging, math, os, resource, statistics, subprocess, sys, time
from pathlib import Path

PAIRS = ["WS-353-ALL", "WS-353-SIM", "WS-353-REL", "MTurk-771", "MTurk-287", "RG-65", "MC-30"]


def gensim_train(args, seed, out):
    """One run of gensim over a file of sentences, saved as word2vec binary."""
    from gensim.models import Word2Vec
    model = Word2Vec(
        corpus_file=args.corpus, vector_size=args.dim, window=5, min_count=5, sample=1e-4, epochs=args.epochs,
        workers=2, seed=seed, sg=0 if args.cbow else 1, hs=1 if args.hs else 0, negative=0 if args.hs else 5)
    model.wv.save_word2vec_format(str(out), binary=True)


def fasttext_train(args, out):
    """One run of fastText with words' n-grams of 3 to 6 characters."""
    import fasttext
    model = fasttext.train_unsupervised(
        args.corpus, model="cbow" if args.cbow else "skipgram", dim=args.dim, ws=5, minCount=5, neg=5, t=1e-4,
        epoch=args.epochs, thread=2, minn=3, maxn=6, bucket=2_000_000, verbose=0)
    with open(out, "w") as file:
        file.write(f"{len(model.words)} {args.dim}\n")
        for word in model.words:
            file.write(word + " " + " ".join(f"{x:.5g}" for x in model.get_word_vector(word)) + "\n")


def train(args):
    """Vectors of gensim for each seed, those that exist left as they are."""
    for seed in range(1, args.seeds + 1):
        out = Path(args.work) / f"gensim-{'cbow' if args.cbow else 'sg'}{'-hs' if args.hs else ''}-{args.dim}-{seed}.bin"
        if out.exists():
            continue
        start = time.time()
        gensim_train(args, seed, out)
        print(out, f"{time.time() - start:.1f} s", flush=True)


def scores_of(path, data):
    """Analogies (semantic, syntactic, all) in per cent of the questions whose words are known, and rank correlations."""
    from gensim.models import KeyedVectors
    vectors = KeyedVectors.load_word2vec_format(path, binary=str(path).endswith(".bin"))
    _, sections = vectors.evaluate_word_analogies(str(data / "questions-words.txt"))
    def share(keep):
        chosen = [s for s in sections if keep(s["section"])]
        right, wrong = (sum(len(s[k]) for s in chosen) for k in ("correct", "incorrect"))
        return 100 * right / max(1, right + wrong)
    named = [s["section"] for s in sections if s["section"] != "Total accuracy"]
    result = {
        "semantic": share(lambda s: s in named and not s.startswith("gram")),
        "syntactic": share(lambda s: s in named and s.startswith("gram")),
        "analogies": share(lambda s: s in named),
        # Settings are chosen on the odd sections and MTurk-287; the even ones and the other sets tell how good they are.
        "odd": share(lambda s: s in named[0::2]),
        "even": share(lambda s: s in named[1::2]),
    }
    for name in PAIRS:
        result[name] = vectors.evaluate_word_pairs(str(data / f"EN-{name}.txt"))[1][0] * 100
    return result


def scores(args):
    """A table of every set: one column a file, then mean and standard error."""
    rows = [scores_of(path, Path(args.data)) for path in args.vectors]
    for name in rows[0]:
        values = [row[name] for row in rows]
        error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0
        print(f"{name:12}", *(f"{v:6.2f}" for v in values), f"| {statistics.mean(values):6.2f} ± {error:.2f}")


def measured(command):
    """Wall seconds and peak resident MiB of a whole process."""
    start = time.time()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{command}: status {status}")
    return time.time() - start, usage.ru_maxrss / 1024


def ours(args, corpus, *more):
    """The command of a run of wordmill with the settings of all comparisons."""
    return [args.wordmill, "word2vec", "train", str(corpus), "-o", str(Path(args.work) / "speed.bin"), "-q", "--dim",
            str(args.dim), "--window", "5", "--sample", "1e-4", "--objective", "hierarchical" if args.hs else "negative",
            "--model", "cbow" if args.cbow else "skip-gram", *["--min-n=3", "--max-n=6"] * args.subwords, *map(str, more)]


def speed(args):
    """Whole processes in turns, each side's best and worst time."""
    words = sum(len(line.split()) for line in open(args.corpus)) * args.epochs
    kind = ["--cbow"] * args.cbow + ["--hs"] * args.hs + ["--subwords"] * args.subwords
    peer = "fastText" if args.subwords else "gensim"
    mine = ours(args, args.corpus, "--threads", 2, "--min-count", 5, "--epochs", args.epochs)
    theirs = [sys.executable, __file__, "one", "--corpus", args.corpus, "--work", str(args.work), "--dim",
              str(args.dim), "--epochs", str(args.epochs)] + kind
    times = {"wordmill": [], peer: []}
    for _ in range(args.rounds):
        for name, command in (("wordmill", mine), (peer, theirs)):
            seconds, peak = measured(command)
            times[name].append(seconds)
            print(f"{name:9} {seconds:7.1f} s {words / seconds / 1e3:7.0f} thousand words/s {peak:6.0f} MiB", flush=True)
    print(f"ratio {min(times[peer]) / min(times['wordmill']):.2f} (best of {args.rounds})")


def repeated(text, size, out):
    """A file of about `size` bytes of the text again and again."""
    with open(out, "wb") as file:
        while file.tell() < size:
            file.write(text[:size - file.tell()])
    return out


def zipf(vocabulary, words, out):
    """A file of lines of 20 words drawn by Zipf's law, p(r) ~ 1 / (r + 2.7), from so many."""
    import numpy
    random = numpy.random.default_rng(1)
    sums = numpy.cumsum(1 / (numpy.arange(vocabulary) + 2.7))
    names = numpy.array([f"w{n}" for n in range(vocabulary)])
    with open(out, "w") as file:
        for _ in range(words // 1_000_000):
            drawn = names[numpy.searchsorted(sums, random.random(1_000_000) * sums[-1])]
            file.writelines(" ".join(line) + "\n" for line in drawn.reshape(-1, 20))
    return out


def growth(args):
    """Median thousand words a second of whole processes: by threads, by size of the text at one vocabulary, by size of
    the vocabulary at one size of text."""
    work, text = Path(args.work), open(args.corpus, "rb").read()
    series = [(f"{threads} threads", args.corpus, ["--threads", threads, "--min-count", 5]) for threads in (1, 2)]
    for size in (10, 30, 100, 300, 1000):
        file = repeated(text, size * 1_000_000, work / f"growth-{size}.txt")
        series.append((f"{size} MB", file, ["--threads", 2, "--max-vocab", 20_000]))
    del text  # A child's peak counts what its parent had in memory.
    for vocabulary in (10_000, 30_000, 100_000, 300_000, 1_000_000):
        file = zipf(vocabulary, 20_000_000, work / f"zipf-{vocabulary}.txt")
        series.append((f"{vocabulary} words", file, ["--threads", 2, "--min-count", 1]))
    rates = {name: [] for name, *_ in series}
    for _ in range(args.rounds):
        for name, file, more in series:
            words = sum(line.count(b" ") + 1 for line in open(file, "rb")) * args.epochs
            seconds, peak = measured(ours(args, file, "--epochs", args.epochs, *more))
            rates[name].append(words / seconds / 1e3)
            print(f"{name:16} {seconds:7.1f} s {rates[name][-1]:7.0f} thousand words/s {peak:6.0f} MiB", flush=True)
    for name, values in rates.items():
        print(f"{name:16} median {statistics.median(values):7.0f} best {max(values):7.0f} thousand words/s")


def one(args):
    """One run of the peer, for `speed`."""
    if args.subwords:
        fasttext_train(args, Path(args.work) / "speed-fasttext.vec")
    else:
        gensim_train(args, 1, Path(args.work) / "speed-gensim.bin")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["train", "scores", "speed", "growth", "one"])
    parser.add_argument("vectors", nargs="*")
    parser.add_argument("--corpus"), parser.add_argument("--work", default="."), parser.add_argument("--data")
    parser.add_argument("--wordmill", default="target/release/wordmill")
    for name, value in (("--seeds", 5), ("--dim", 100), ("--epochs", 5), ("--rounds", 3)):
        parser.add_argument(name, type=int, default=value)
    parser.add_argument("--cbow", action="store_true"), parser.add_argument("--hs", action="store_true")
    parser.add_argument("--subwords", action="store_true")
    args = parser.parse_intermixed_args()
    globals()[args.mode](args)


if __name__ == "__main__":
    main()
