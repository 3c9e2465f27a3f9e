#!/usr/bin/env python3
"""`wordmill vectors` beside gensim: the same scores, and exact search.

    vectors.py scores --data DIR --wordmill BINARY VECTORS...    # every section and set; fails where one differs
    vectors.py speed --wordmill BINARY --work DIR                # neighbours of 2,000 words among 400,000 x 300

DIR of `scores` holds questions-words.txt and EN-*.txt; VECTORS are in word2vec's binary format. Needs gensim (4.4) from
PyPI. The vectors of `speed` are random: exact search does not care.
"""
import argparse, json, subprocess, sys, time
from pathlib import Path


def scores(args):
    """Right answers of each section, and correlations to nine places."""
    from gensim.models import KeyedVectors
    data = Path(args.data)
    questions, sets = data / "questions-words.txt", sorted(data.glob("EN-*.txt"))
    differ = 0
    for path in args.vectors:
        command = [args.wordmill, "vectors", "eval", path, "--to", "json", "--analogies", questions, "--pairs", *sets]
        start = time.time()
        found = json.loads(subprocess.check_output(command))
        ours = time.time() - start
        vectors = KeyedVectors.load_word2vec_format(path, binary=True)
        start = time.time()
        _, sections = vectors.evaluate_word_analogies(str(questions))
        print(f"{path}: wordmill {ours:.1f} s for all, gensim {time.time() - start:.1f} s for the analogies", flush=True)
        expected = {s["section"]: (len(s["correct"]), len(s["correct"]) + len(s["incorrect"])) for s in sections}
        expected["total"] = expected.pop("Total accuracy")
        for score in found["analogies"]:
            name, pair = score["section"], (score["correct"], score["known"])
            if name in expected and pair != expected[name]:
                differ += 1
                print(f"  {name}: wordmill {pair}, gensim {expected[name]}")
        for score, path_of_set in zip(found["pairs"], sets):
            rho = vectors.evaluate_word_pairs(str(path_of_set))[1][0]
            if abs(rho - score["spearman"]) > 1e-9:
                differ += 1
                print(f"  {score['set']}: wordmill {score['spearman']}, gensim {rho}")
    print(f"{differ} numbers differ")
    sys.exit(differ > 0)


def speed(args):
    """Loading, and queries a second: the time of 2,032 queries less that of 32, by 2,000."""
    import numpy
    path = Path(args.work) / "random-400k-300.bin"
    rows, dim = 400_000, 300
    if not path.exists():
        matrix = numpy.random.default_rng(1).standard_normal((rows, dim), dtype=numpy.float32)
        with open(path, "wb") as out:
            out.write(f"{rows} {dim}\n".encode())
            for i, row in enumerate(matrix):
                out.write(f"w{i} ".encode() + row.tobytes())
    fast = path.with_suffix(".safetensors")
    if not fast.exists():
        subprocess.run([args.wordmill, "vectors", "convert", path, "-o", fast], check=True)
    for threads in (1, 2):
        for file in (path, fast):
            times = []
            for count in (32, 2032):
                words = "\n".join(f"w{i * 97 % rows}" for i in range(count)).encode()
                command = [args.wordmill, "vectors", "nearest", file, "--stdin", "--threads", str(threads)]
                start = time.time()
                subprocess.run(command, input=words, stdout=subprocess.DEVNULL, check=True)
                times.append(time.time() - start)
            print(f"{file.suffix} {threads} threads: {times[0]:.2f} s to the first answers, "
                  f"{2000 / (times[1] - times[0]):.0f} queries/s after", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["scores", "speed"])
    parser.add_argument("vectors", nargs="*")
    parser.add_argument("--data")
    parser.add_argument("--wordmill", default="wordmill")
    parser.add_argument("--work", default=".")
    args = parser.parse_intermixed_args()
    {"scores": scores, "speed": speed}[args.what](args)


main()
