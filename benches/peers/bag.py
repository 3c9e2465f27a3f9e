#!/usr/bin/env python3
"""Bags of words beside scikit-learn and gensim: the same matrices, and at what speed.

    python benches/peers/bag.py agree WORDMILL DATA
    python benches/peers/bag.py speed WORDMILL DATA [MEGABYTES]
    python benches/peers/bag.py growth WORDMILL DATA
    python benches/peers/bag.py search WORDMILL DATA

`agree` makes the matrices of DATA/newsgroups20-subset with every option set below by both tools and compares them:
vocabulary and order of columns, counts exactly, weights within 1e-12 relative. SMART notation is compared with gensim.
`max_features` cuts through ties here by byte order and there by the sort; the sets compared keep whole tie groups.

`speed` repeats the same documents as lines to MEGABYTES (default 200) and takes DATA/text-english as lines; both tools
fit and transform, wordmill as a whole program with two threads that writes to a file, scikit-learn as a program that
reads the lines and keeps the matrix in memory, less the time of its imports. Best of three rounds in turns, with the
highest peak of memory.

`growth` runs wordmill alone, once, on 20, 200 and 2,000 MB of both texts. `search` indexes the first 100,000 lines of more than 20
characters of DATA/enwiki-cased and asks for runs of three words and for the first 20 words of lines, drawn at random, then for
the neighbours of the first 20,000.
Needs scikit-learn, scipy and gensim.
"""

import gzip
import itertools
import json
import lzma
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np
import scipy.sparse as sparse
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer

# Flags, and what they are in scikit-learn: (class, arguments).
STOP = ["the", "of", "and", "to", "in", "is", "that", "it", "for", "on"]
COUNTS = [
    ("", {}),
    ("--ngrams 1-2", dict(ngram_range=(1, 2))),
    ("--ngrams 2-3 --min-df 3", dict(ngram_range=(2, 3), min_df=3)),
    ("--no-lower", dict(lowercase=False)),
    ("--strip-accents", dict(strip_accents="unicode")),
    ("--strip-accents=ascii --no-lower", dict(strip_accents="ascii", lowercase=False)),
    ("--stopwords STOP --ngrams 1-2", dict(stop_words=STOP, ngram_range=(1, 2))),
    ("--min-df 5 --max-df 0.5", dict(min_df=5, max_df=0.5)),
    ("--min-df 0.01 --max-df 300", dict(min_df=0.01, max_df=300)),
    ("--binary", dict(binary=True)),
    ("--binary --min-df 2 --ngrams 1-3", dict(binary=True, min_df=2, ngram_range=(1, 3))),
    ("--analyzer char --ngrams 1-3", dict(analyzer="char", ngram_range=(1, 3))),
    ("--analyzer char --ngrams 2-5 --min-df 10 --no-lower", dict(analyzer="char", ngram_range=(2, 5), min_df=10, lowercase=False)),
    ("--analyzer char_wb --ngrams 2-4", dict(analyzer="char_wb", ngram_range=(2, 4))),
    ("--analyzer char_wb --ngrams 5-6 --max-df 0.2", dict(analyzer="char_wb", ngram_range=(5, 6), max_df=0.2)),
    ("--pattern [A-Za-z]+ --no-lower", dict(token_pattern="[A-Za-z]+", lowercase=False)),
    ("--pattern ([a-z]+)ing", dict(token_pattern="([a-z]+)ing")),
    ("--vocab VOCAB", dict(vocabulary=["zebra", "windows", "god", "the", "a b"])),
]
WEIGHTS = [
    ("", {}),
    ("--norm l1", dict(norm="l1")),
    ("--norm none", dict(norm=None)),
    ("--sublinear", dict(sublinear_tf=True)),
    ("--no-smooth --norm none", dict(smooth_idf=False, norm=None)),
    ("--no-smooth --sublinear --norm l1 --ngrams 1-2", dict(smooth_idf=False, sublinear_tf=True, norm="l1", ngram_range=(1, 2))),
    ("--idf none --sublinear", dict(use_idf=False, sublinear_tf=True)),
    ("--binary --min-df 2", dict(binary=True, min_df=2)),
    ("--analyzer char_wb --ngrams 3 --min-df 0.001 --max-df 0.9", dict(analyzer="char_wb", ngram_range=(3, 3), min_df=0.001, max_df=0.9)),
    ("--min-df 3 --max-df 0.3 --ngrams 1-2 --sublinear", dict(min_df=3, max_df=0.3, ngram_range=(1, 2), sublinear_tf=True)),
    ("--vocab VOCAB", dict(vocabulary=["zebra", "windows", "god", "the", "a b"])),
]
HASHED = [
    ("bow", "--hashing 20", dict(norm=None)),
    ("bow", "--hashing 10 --ngrams 1-2", dict(n_features=1 << 10, ngram_range=(1, 2), norm=None)),
    ("bow", "--hashing 12 --analyzer char --ngrams 3 --binary", dict(n_features=1 << 12, analyzer="char", ngram_range=(3, 3), binary=True, norm=None)),
    ("tfidf", "--hashing 20 --idf none", dict()),
    ("tfidf", "--hashing 16 --idf none --norm l1", dict(n_features=1 << 16, norm="l1")),
]
SMART = ["ntc", "nfc", "lfn", "lpc", "dtn", "afc", "bpn", "Ltc", "ltu", "nfu", "ntb"]


def read_documents(data):
    with gzip.open(f"{data}/newsgroups20-subset/docs.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file]


def ours(program, command, flags, path, folder):
    out = os.path.join(folder, "m.npz")
    flags = flags.replace("STOP", f"{folder}/stop.txt").replace("VOCAB", f"{folder}/vocab.txt").split()
    subprocess.run([program, command, "-q", *flags, path, "-o", out], check=True)
    terms = []
    if os.path.exists(f"{folder}/m.terms.tsv"):
        with open(f"{folder}/m.terms.tsv", encoding="utf-8", newline="\n") as file:
            terms = [unescape(line.rstrip("\n").split("\t")[0]) for line in file]
        os.remove(f"{folder}/m.terms.tsv")
    return sparse.load_npz(out), terms


def unescape(term):
    return term.replace("\\\\", "\0").replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r").replace("\0", "\\")


def in_byte_order(matrix, terms):
    order = sorted(range(len(terms)), key=lambda i: terms[i].encode())
    return sparse.csr_matrix(matrix)[:, order], [terms[i] for i in order]


def difference(ours, theirs):
    """The largest relative difference of two matrices' cells; infinite where one has none."""
    theirs = sparse.csr_matrix(theirs)
    theirs.eliminate_zeros()
    theirs.sort_indices()
    if ours.shape != theirs.shape or not np.array_equal(ours.indptr, theirs.indptr):
        return np.inf
    if not np.array_equal(ours.indices, theirs.indices):
        return np.inf
    if ours.nnz == 0:
        return 0.0
    return float(np.max(np.abs(ours.data - theirs.data) / np.abs(theirs.data)))


def report(name, found, limit):
    print(f"{'same' if found <= limit else 'DIFFERENT'}\t{found:.1e}\t{name}", flush=True)
    return found <= limit


def agree(program, data):
    documents = read_documents(data)
    good = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "docs.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps({"text": text}) + "\n" for text in documents)
        with open(f"{folder}/stop.txt", "w", encoding="utf-8") as file:
            file.writelines(word + "\n" for word in STOP)
        vocabulary = dict(COUNTS)["--vocab VOCAB"]["vocabulary"]
        with open(f"{folder}/vocab.txt", "w", encoding="utf-8") as file:
            file.writelines(word + "\n" for word in vocabulary)
        for command, kind, sets, limit in (("bow", CountVectorizer, COUNTS, 0), ("tfidf", TfidfVectorizer, WEIGHTS, 1e-12)):
            for flags, arguments in sets:
                vectorizer = kind(**arguments)
                matrix, terms = vectorizer.fit_transform(documents), list(vectorizer.get_feature_names_out())
                if "vocabulary" not in arguments:
                    matrix, terms = in_byte_order(matrix, terms)
                found, names = ours(program, command, flags, path, folder)
                gap = difference(found, matrix) if not names or names == terms else np.inf
                good.append(report(f"{command} {flags}", gap, limit))
        for most in (1, 37, 1000):
            vectorizer = CountVectorizer(min_df=2)
            matrix, terms = vectorizer.fit_transform(documents), vectorizer.get_feature_names_out()
            totals = np.asarray(matrix.sum(axis=0)).ravel()
            chosen = sorted(range(len(terms)), key=lambda i: (-totals[i], terms[i].encode()))[:most]
            chosen.sort(key=lambda i: terms[i].encode())
            found, names = ours(program, "bow", f"--min-df 2 --max-features {most}", path, folder)
            gap = difference(found, matrix[:, chosen]) if names == [terms[i] for i in chosen] else np.inf
            good.append(report(f"bow --min-df 2 --max-features {most}", gap, 0))
        for command, flags, arguments in HASHED:
            matrix = HashingVectorizer(**arguments).transform(documents)
            found, _ = ours(program, command, flags, path, folder)
            good.append(report(f"{command} {flags}", difference(found, matrix), 1e-12))
        hashed = HashingVectorizer(n_features=1 << 18, norm=None).transform(documents)
        found, _ = ours(program, "tfidf", "--hashing 18", path, folder)
        good.append(report("tfidf --hashing 18", difference(found, TfidfTransformer().fit_transform(hashed)), 1e-12))
        good += smart(program, documents, path, folder)
    print(f"{sum(good)} of {len(good)} agree")
    sys.exit(0 if all(good) else 1)


def smart(program, documents, path, folder):
    from gensim.corpora import Dictionary
    from gensim.matutils import corpus2csc
    from gensim.models import TfidfModel

    analyze = CountVectorizer().build_analyzer()
    words = [analyze(text) for text in documents]
    dictionary = Dictionary(words)
    corpus = [dictionary.doc2bow(text) for text in words]
    terms = [dictionary[i] for i in range(len(dictionary))]
    for letters in SMART:
        model = TfidfModel(corpus, dictionary=dictionary, smartirs=letters)
        matrix = corpus2csc((model[bow] if bow else [] for bow in corpus), num_terms=len(dictionary)).T
        matrix, names = in_byte_order(matrix, terms)
        found, found_names = ours(program, "tfidf", f"--smartirs {letters}", path, folder)
        # gensim leaves out weights below 1e-12.
        found.data[np.abs(found.data) <= 1e-12] = 0
        found.eliminate_zeros()
        yield report(f"tfidf --smartirs {letters}", difference(found, matrix) if found_names == names else np.inf, 1e-12)


PEER = """
import sys
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
kind = {"bow": CountVectorizer, "tfidf": TfidfVectorizer}[sys.argv[1]]
with open(sys.argv[2], encoding="utf-8") as file:
    matrix = kind().fit_transform(file)
"""

# A program's peak counts from that of the process that starts it: a small one does.
LAUNCHER = """
import os, sys, time
started = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(child, 0)
print(status, time.perf_counter() - started, usage.ru_maxrss / 1024)
"""

ROUNDS = 3


def measured(command, given=None):
    """Seconds and peak megabytes of a program, which reads the file `given` from its beginning."""
    command = [shutil.which(command[0]), *command[1:]]
    if given is not None:
        given.seek(0)
    launch = [sys.executable, "-S", "-c", LAUNCHER, *command]
    launched = subprocess.run(launch, check=True, capture_output=True, text=True, stdin=given)
    status, seconds, peak = map(float, launched.stdout.split())
    if status != 0:
        sys.exit(f"{command}: status {status:.0f}")
    return seconds, peak


def corpora(data, folder, megabytes):
    """Texts of one document a line, repeated to a size."""
    lines = "".join(" ".join(text.split()) + "\n" for text in read_documents(data))
    books = ""
    for name in ("inaugural", "moby-dick", "state_union", "war-and-peace"):
        with gzip.open(f"{data}/text-english/{name}.txt.gz", "rt", encoding="utf-8") as file:
            books += file.read()
    for name, text in (("newsgroups", lines), ("books", books)):
        text = text.encode()
        path = os.path.join(folder, f"{name}.txt")
        with open(path, "wb") as file:
            left = round(megabytes * 1e6)
            while left > 0:
                # The last one ends with a line.
                file.write(text[: text.rfind(b"\n", 0, left) + 1] if left < len(text) else text)
                left -= len(text)
        yield name, path


def speed(program, data, megabytes=200.0):
    print("command\ttext\tMB\ttool\tMB/s\tpeak MiB\ttimes as fast\tpeak, part")
    with tempfile.TemporaryDirectory() as folder:
        for name, path in corpora(data, folder, megabytes):
            out = os.path.join(folder, "m.npz")
            for job in ("bow", "tfidf", "bow --counts"):
                flags = ["-q", "--threads", "2", path] + ([] if "--counts" in job else ["-o", out])
                tools = {"wordmill": [program, *job.split(), *flags]}
                if "--counts" not in job:
                    # Its imports are not its work.
                    tools["scikit-learn"] = [sys.executable, "-c", PEER, job, path]
                    tools["imports"] = [sys.executable, "-c", PEER.splitlines()[2]]
                rounds = [{tool: measured(command) for tool, command in tools.items()} for _ in range(ROUNDS)]
                best = {tool: (min(r[tool][0] for r in rounds), max(r[tool][1] for r in rounds)) for tool in tools}
                seconds, peak = best["wordmill"]
                ratios = ""
                if "scikit-learn" in best:
                    peer = best["scikit-learn"][0] - best["imports"][0]
                    mine = best["scikit-learn"][1]
                    print(f"{job}\t{name}\t{megabytes:g}\tscikit-learn\t{megabytes / peer:.1f}\t{mine:.0f}", flush=True)
                    ratios = f"\t{peer / seconds:.1f}\t1/{mine / peak:.1f}"
                print(f"{job}\t{name}\t{megabytes:g}\twordmill\t{megabytes / seconds:.1f}\t{peak:.0f}{ratios}", flush=True)


def growth(program, data):
    print("command\ttext\tMB\tMB/s\tpeak MiB")
    for megabytes in (20, 200, 2000):
        with tempfile.TemporaryDirectory() as folder:
            for name, path in corpora(data, folder, megabytes):
                model, out = (os.path.join(folder, file) for file in ("model", "m.npz"))
                jobs = {
                    "bow --counts": ["bow", "--counts", path],
                    "bow": ["bow", path, "-o", out],
                    "tfidf": ["tfidf", path, "--save", model, "-o", out],
                    "tfidf --model": ["tfidf", path, "--model", model],
                }
                for job, command in jobs.items():
                    seconds, peak = measured([program, *command, "-q", "--threads", "2"])
                    print(f"{job}\t{name}\t{megabytes}\t{megabytes / seconds:.0f}\t{peak:.0f}", flush=True)


def search(program, data):
    random.seed(1)
    with lzma.open(f"{data}/enwiki-cased/enwiki-cased.txt.xz", "rt", encoding="utf-8") as file:
        lines = list(itertools.islice((line for line in file if len(line) > 20), 100_000))
    long = [words for words in map(str.split, lines) if len(words) >= 20]
    starts = [(random.choice(long), random.randrange(17)) for _ in range(10_000)]
    queries = {
        "3 words": [" ".join(words[at : at + 3]) for words, at in starts],
        "20 words": [" ".join(words[:20]) for words, _ in starts[:5000]],
    }
    print("command\tranking\tper second\tpeak MiB")
    with tempfile.TemporaryDirectory() as folder:
        texts, asked, index, small = (os.path.join(folder, file) for file in ("texts", "asked", "index", "small"))
        for path, rows in ((texts, lines), (small, lines[:20_000])):
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(rows)
        make = [program, "tfidf", "-q", "--threads", "2", "--save-index"]
        seconds, peak = measured([*make, index, texts])
        print(f"index\t\t{len(lines) / seconds:.0f}\t{peak:.0f}", flush=True)
        for name, rows in queries.items():
            with open(asked, "w", encoding="utf-8") as file:
                file.writelines(row + "\n" for row in rows)
            for ranking in ("cosine", "bm25"):
                # The launcher hands its own input on.
                with open(asked, "rb") as given:
                    command = [program, "tfidf", "search", "--threads", "2", "--rank", ranking, index]
                    seconds, peak = min(measured(command, given) for _ in range(ROUNDS))
                print(f"search, {name}\t{ranking}\t{len(rows) / seconds:.0f}\t{peak:.0f}", flush=True)
        measured([*make, index, small])
        seconds, peak = measured([program, "tfidf", "similar", "--threads", "2", index])
        print(f"similar, of 20,000\tcosine\t{20_000 / seconds:.0f}\t{peak:.0f}", flush=True)


def main():
    jobs = {"agree": agree, "speed": speed, "growth": growth, "search": search}
    if len(sys.argv) < 4 or sys.argv[1] not in jobs:
        sys.exit(__doc__)
    jobs[sys.argv[1]](*sys.argv[2:4], *map(float, sys.argv[4:]))


if __name__ == "__main__":
    main()
