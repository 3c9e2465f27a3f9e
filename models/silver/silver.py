#!/usr/bin/env python3
"""Text that a teacher has annotated (silver): which it is, and how its tags are kept.

    silver.py text DATA_DIR WORDMILL OUT_DIR            sentences of each source, words parted by spaces: OUT_DIR/SOURCE.tok
    silver.py unpack TEXT_DIR SILVER [SOURCE …]         CoNLL-U of those sentences and the tags of SILVER (.xz)
    silver.py pack TEXT_DIR TAGS LABELS FOLDER SILVER   SILVER of what teacher.py has written to FOLDER

DATA_DIR is that of models/train.sh; WORDMILL may be followed by --model FILE of a tokenizer. SILVER has no text in it, only
tags, and where in the text they belong, in characters that are not white space: a sentence that is cut into other words today
is left out. A line for each sentence, `gap TAB characters TAB tags TAB labels`: characters since the sentence before it, its
length, a character for each word's joint tag (`!` is the first of the list), the same for labels of entities, if it has any.
"""

import gzip
import json
import lzma
import os
import re
import subprocess
import sys

# Of every n-th ten sentences of a source.
SOURCES = {
    "masc": 1,
    "state_union": 1,
    "war-and-peace": 2,
    "moby-dick": 2,
    "tatoeba": 1,
    "tweets": 1,
    "wiki": 4,
}
BLOCK = 10
# What the teacher reads besides.
READ_ONLY = ("inaugural",)
BOOKS = ("state_union", "war-and-peace", "moby-dick", *READ_ONLY)
TWEETS = [f"btc-twitter/{part}.conll.gz" for part in "abegh"]
TWEETS += ["wnut17/wnut17train.conll.gz", "wnut17/emerging.dev.conll.gz"]
TWEETS += [
    f"crossner/{domain}-{part}.txt.gz"
    for domain in ("ai", "literature", "music", "politics", "science")
    for part in ("train", "dev")
]
FIRST = 0x21


def lines_of(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def running(words):
    """MASC's words as running text."""
    text = " ".join(words).replace("``", '"').replace("''", '"')
    text = re.sub(r" ([.,;:?!%)\]}])", r"\1", text)
    text = re.sub(r"([(\[{$#]) ", r"\1", text)
    text = re.sub(r" ('(?:s|re|ve|ll|d|m)\b|n't\b)", r"\1", text, flags=re.I)
    text = re.sub(r"(\w-) (\w)", r"\1\2", text)
    first, *quoted = text.split('"')
    for number, part in enumerate(quoted):
        first = first + '"' + part.lstrip() if number % 2 == 0 else first.rstrip() + '"' + part
    return first


def masc(data):
    lines = lines_of(f"{data}/masc-pos/train.txt.gz")
    lines = [line.strip() for line in lines if line.strip() and not line.startswith("# doc")]
    return "\n\n".join(running([word.rsplit("_", 1)[0] for word in line.split(" ")]) for line in lines) + "\n"


def tatoeba(data):
    files = [f"{data}/tatoeba_en_{language}/train.en.gz" for language in ("de", "fr")]
    sentences = dict.fromkeys(line.strip() for file in files for line in lines_of(file))
    return "\n\n".join(sentence for sentence in sentences if sentence) + "\n"


def wiki(data):
    with lzma.open(f"{data}/enwiki-cased/enwiki-cased.txt.xz", "rt", encoding="utf-8", newline="\n") as file:
        return file.read()


def tweets(data):
    """These have words already."""
    sentences, words = [], []
    for file in TWEETS:
        for line in [*lines_of(f"{data}/{file}"), ""]:
            word = (line.split("\t") if "\t" in line else line.split() or [""])[0].strip().replace(" ", "")
            if line.strip():
                words += [word] if word else []
            elif words:
                sentences.append(" ".join(words))
                words = []
    return "\n".join(sentences) + "\n"


def write_text(data, wordmill, out):
    readers = {"masc": masc, "tatoeba": tatoeba, "wiki": wiki}
    for source in [*SOURCES, *READ_ONLY]:
        if source == "tweets":
            tokens = tweets(data).encode()
        else:
            if source in BOOKS:
                with gzip.open(f"{data}/text-english/{source}.txt.gz", "rt", encoding="utf-8", newline="\n") as file:
                    text = file.read()
            else:
                text = readers[source](data)
            command = [wordmill[0], "tokenize", "-q", *wordmill[1:], "--from", "text"]
            tokens = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
        with open(f"{out}/{source}.tok", "wb") as file:
            file.write(tokens)


def sentences_of(folder, source):
    """Words of each sentence, and where it starts."""
    start = 0
    with open(f"{folder}/{source}.tok", encoding="utf-8", newline="\n") as file:
        for line in file:
            words = line.rstrip("\n").split(" ")
            if words != [""]:
                yield words, start
                start += sum(map(len, words))


def pack(folder, tags, labels, teacher, out):
    with open(tags) as file:
        tags = json.load(file)
    with open(labels) as file:
        labels = json.load(file)
    chosen, counts = {}, [0] * len(tags)
    for source, every in SOURCES.items():
        # 16 bits for each word of the source
        with open(f"{teacher}/{source}.pos", "rb") as file:
            tagged = memoryview(file.read()).cast("H")
        with open(f"{teacher}/{source}.ner", "rb") as file:
            named = file.read()
        at, rows = 0, []
        for number, (words, start) in enumerate(sentences_of(folder, source)):
            end = at + len(words)
            if number // BLOCK % every == 0:
                rows.append((start, sum(map(len, words)), tagged[at:end], named[at:end]))
                for tag in tagged[at:end]:
                    counts[tag] += 1
            at = end
        assert at == len(tagged) == len(named), source
        chosen[source] = rows
    order = sorted(range(len(tags)), key=lambda tag: -counts[tag])
    letter = {tag: chr(FIRST + rank) for rank, tag in enumerate(order)}
    with lzma.open(out, "wt", encoding="utf-8", newline="\n", preset=9 | lzma.PRESET_EXTREME) as file:
        file.writelines("#tag\t" + "\t".join(tags[tag]) + "\n" for tag in order)
        file.writelines(f"#label\t{label}\n" for label in labels)
        for source, rows in chosen.items():
            file.write(f"#source\t{source}\n")
            last = 0
            for start, length, tagged, named in rows:
                names = "".join(chr(FIRST + label) for label in named) if any(named) else ""
                file.write(f"{start - last}\t{length}\t{''.join(letter[tag] for tag in tagged)}\t{names}\n")
                last = start + length


def unpack(folder, path, chosen):
    tags, labels, used, lost = [], [], 0, 0
    sentences, skip = {}, False
    with lzma.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in file:
            fields = line.rstrip("\n").split("\t")
            if fields[0] == "#tag":
                tags.append("\t".join(fields[1:]))
            elif fields[0] == "#label":
                labels.append(fields[1])
            elif fields[0] == "#source":
                skip = fields[1] not in (chosen or SOURCES)
                if not skip:
                    sentences, at = {start: words for words, start in sentences_of(folder, fields[1])}, 0
                    print("# newdoc")
            elif not skip:
                start = at + int(fields[0])
                at = start + int(fields[1])
                words = sentences.get(start, [])
                if len(words) != len(fields[2]) or sum(map(len, words)) != at - start:
                    lost += 1
                    continue
                used += 1
                for number, (word, tag) in enumerate(zip(words, fields[2])):
                    label = labels[ord(fields[3][number]) - FIRST] if fields[3] else "O"
                    misc = "_" if label == "O" else f"NER={label}"
                    print(f"{number + 1}\t{word}\t_\t{tags[ord(tag) - FIRST]}\t_\t_\t_\t{misc}")
                print()
    print(f"silver: {used} sentences, {lost} left out for they are cut into other words today", file=sys.stderr)
    if lost > used // 20:
        sys.exit("silver: too many; is this the text that the teacher read?")


def main():
    match sys.argv[1:]:
        case ["text", data, *wordmill, out]:
            os.makedirs(out, exist_ok=True)
            write_text(data, wordmill, out)
        case ["unpack", folder, silver, *chosen]:
            unpack(folder, silver, chosen)
        case ["pack", folder, tags, labels, teacher, silver]:
            pack(folder, tags, labels, teacher, silver)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
