#!/usr/bin/env python3
"""The teacher: an encoder over words that has read all of the text with words hidden, and then learned tags and entities.

    teacher.py pretrain DATA_DIR TEXT_DIR FOLDER [SECONDS]   reads the text for so long (370); the encoder goes to FOLDER
    teacher.py pos      DATA_DIR TEXT_DIR FOLDER             learns tags, scores itself, tags the text: FOLDER/SOURCE.pos
    teacher.py ner      DATA_DIR TEXT_DIR FOLDER             the same with entities: FOLDER/SOURCE.ner

DATA_DIR is that of models/train.sh, TEXT_DIR what `silver.py text` has written; `silver.py pack` makes one file of the result.
Needs torch, and a GPU (one H100: 7 minutes to read, 3 for each task); TINY=N takes N sentences of each file, to try it out.

A word is a vector of its lower-cased form and a sum of vectors of what is seen of it (form, shape, prefixes, suffixes, hashed).
Eight layers of attention with rotary positions (Su et al. 2021, RoFormer), normalised before each step, read windows of 128
words. Hidden words are guessed among 40,000 forms, as in Devlin et al. (2019, BERT), and their shape and ending besides.
"""

import json
import math
import os
import pickle
import random
import re
import sys
import time
import zlib
from collections import Counter

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import silver

TINY = int(os.environ.get("TINY", 0))
WIDTH, LAYERS, HEADS, INNER, BATCH = (64, 2, 4, 128, 8) if TINY else (512, 8, 8, 2048, 256)
OF_FORM, OF_PROPERTY = (32, 32) if TINY else (256, 128)
WINDOW, BUCKETS, PROPERTIES = 128, 1 << 17, 12
PADDING, END, HIDDEN, UNKNOWN = range(4)
GUESSED_FORMS, GUESSED_SHAPES = 40_000, 3_000
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
STARTED = time.time()


def say(*words):
    print(f"{time.time() - STARTED:6.1f}", *words, flush=True)


# ---- words


def shape(word):
    out = []
    for c in word:
        kind = "d" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c
        if out[-2:] != [kind, kind]:
            out.append(kind)
    return "".join(out)


def properties(word):
    def bucket(kind, part):
        return zlib.crc32(f"{kind}:{part}".encode()) % (BUCKETS - 1) + 1

    lower = word.lower()
    found = [bucket("l", lower), bucket("e", word), bucket("s", shape(word))]
    found += [bucket(f"p{n}", lower[:n]) if len(lower) > n else 0 for n in range(1, 5)]
    return found + [bucket(f"f{n}", lower[-n:]) if len(lower) > n else 0 for n in range(1, 6)]


class Vocabulary:
    """Forms: padding, end of a sentence, hidden word, then all that occur, the most frequent first."""

    def __init__(self, counts):
        forms = [form for form, _ in counts.most_common()]
        lower, endings = Counter(), Counter()
        for form in forms:
            lower[form.lower()] += counts[form]
            endings[form.lower()[-3:], shape(form)] += counts[form]
        self.forms = ["<pad>", "</s>", "<hidden>", *forms]
        self.index = {form: number for number, form in enumerate(self.forms)}
        frequent = [form for form, count in lower.most_common(90_000) if count >= 4]
        self.rows = {form: row for row, form in enumerate(frequent, UNKNOWN + 1)}
        self.lower = [PADDING, END, HIDDEN] + [self.rows.get(form.lower(), UNKNOWN) for form in forms]
        self.properties = [[0] * PROPERTIES] * 3 + [properties(form) for form in forms]
        kinds = {kind: number for number, (kind, _) in enumerate(endings.most_common(GUESSED_SHAPES))}
        self.kinds = [-100] * 3 + [kinds.get((form.lower()[-3:], shape(form)), -100) for form in forms]
        self.guessed_forms, self.guessed_kinds = min(GUESSED_FORMS, len(forms)), len(kinds)

    def add(self, forms):
        for form in forms:
            if form not in self.index:
                self.index[form] = len(self.forms)
                self.forms.append(form)
                self.lower.append(self.rows.get(form.lower(), UNKNOWN))
                self.properties.append(properties(form))


# ---- the network


def turn(x, angles):
    a, b = x.chunk(2, -1)
    cos, sin = angles
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.before_attention, self.before_inner = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)

    def forward(self, x, angles, mask):
        rows, length, _ = x.shape
        split = self.qkv(self.before_attention(x)).view(rows, length, 3, HEADS, WIDTH // HEADS)
        q, k, v = split.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(turn(q, angles).to(v.dtype), turn(k, angles).to(v.dtype), v, attn_mask=mask)
        x = x + F.dropout(self.out(seen.transpose(1, 2).reshape(rows, length, WIDTH)), 0.1, self.training)
        inner = F.gelu(self.up(self.before_inner(x)), approximate="tanh")
        return x + F.dropout(self.down(inner), 0.1, self.training)


class Encoder(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.forms = nn.Embedding(len(vocabulary.rows) + UNKNOWN + 1, OF_FORM)
        self.properties = nn.Embedding(BUCKETS, OF_PROPERTY, padding_idx=0)
        nn.init.normal_(self.forms.weight, std=0.3)
        nn.init.normal_(self.properties.weight, std=0.1)
        self.entry, self.after_entry = nn.Linear(OF_FORM + OF_PROPERTY, WIDTH), nn.LayerNorm(WIDTH)
        self.layers, self.last = nn.ModuleList(Layer() for _ in range(LAYERS)), nn.LayerNorm(WIDTH)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        for layer in self.layers:
            for linear in (layer.out, layer.down):
                nn.init.normal_(linear.weight, std=0.02 / math.sqrt(2 * LAYERS))
        half = WIDTH // HEADS
        self.register_buffer("speeds", 1 / 10_000 ** (torch.arange(0, half, 2) / half), persistent=False)

    def know(self, vocabulary):
        self.lower = torch.tensor(vocabulary.lower, device=DEVICE)
        self.seen = torch.tensor(vocabulary.properties, device=DEVICE, dtype=torch.int32)

    def words(self, ids, unknown=0.0):
        """(rows, length, OF_FORM + OF_PROPERTY): each form is looked up once."""
        forms, inverse = ids.unique(return_inverse=True)
        of_form = F.embedding(inverse, self.forms(self.lower[forms]))
        of_seen = F.embedding(inverse, self.properties(self.seen[forms].long()).sum(1))
        if unknown:
            drop = (torch.rand(ids.shape, device=DEVICE) < unknown) & (ids > HIDDEN)
            of_form = torch.where(drop[..., None], self.forms.weight[UNKNOWN], of_form)
        return torch.cat([of_form, of_seen], -1)

    def forward(self, words, ids):
        """What the last layer says, and each."""
        x = F.dropout(self.after_entry(self.entry(words)), 0.1, self.training)
        turns = torch.arange(ids.shape[1], device=DEVICE)[:, None] * self.speeds
        mask = (ids != PADDING)[:, None, None, :] if (ids == PADDING).any() else None
        steps = []
        for layer in self.layers:
            x = layer(x, (turns.cos(), turns.sin()), mask)
            steps.append(x)
        return self.last(x), steps


class Tagger(nn.Module):
    """Heads over all layers of an encoder, the words themselves, and the source of the text."""

    def __init__(self, encoder, heads, sources):
        super().__init__()
        self.encoder, self.source = encoder, nn.Embedding(sources, 32)
        self.shares = nn.Parameter(torch.zeros(LAYERS))
        self.hidden = nn.Linear(WIDTH + OF_FORM + OF_PROPERTY + 32, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.heads = nn.ModuleList(nn.Linear(WIDTH, labels) for labels in heads)

    def forward(self, ids, source, unknown=0.0):
        words = self.encoder.words(ids, unknown)
        last, steps = self.encoder(words, ids)
        read = last + sum(share * F.layer_norm(x, (WIDTH,)) for share, x in zip(self.shares.softmax(0), steps))
        source = self.source(source)[:, None].expand(-1, ids.shape[1], -1)
        words = F.dropout(self.encoder.words(ids), 0.4, self.training)
        z = torch.cat([F.dropout(read, 0.2, self.training), words.to(read.dtype), source.to(read.dtype)], -1)
        z = F.dropout(self.norm(F.gelu(self.hidden(z))), 0.2, self.training)
        return [head(z) for head in self.heads]


def mixed():
    return torch.autocast(DEVICE, dtype=torch.bfloat16, enabled=DEVICE == "cuda")


# ---- data


def sentences_of(text):
    """Sentences of each source of running text."""
    for source in [*silver.SOURCES, *silver.READ_ONLY]:
        with open(f"{text}/{source}.tok", encoding="utf-8", newline="\n") as file:
            words = [line.rstrip("\n").split(" ") for line in file]
        yield source, [sentence for sentence in words if sentence != [""]][: TINY or None]


def documents(path, columns):
    """Documents of sentences of words, of which only some columns are kept; where no document is marked, each sentence is one."""
    found, sentence, marked, left_out = [[]], [], False, []
    for line in [*silver.lines_of(path), ""]:
        if line.startswith("# newdoc"):
            found.append([])
            marked = True
            if UNVERIFIED.search(line):
                left_out.append(found[-1])
        elif not line.strip():
            if sentence:
                found[-1].append(sentence)
            sentence = []
        elif "\t" in line or not line.startswith("#"):
            fields = line.split("\t") if "\t" in line else line.split()
            if columns[0] == 0 or fields[0].isdigit():
                sentence.append(tuple(fields[column].strip() for column in columns))
    if not marked:
        return [[sentence] for sentence in found[0]][: TINY or None]
    ids = set(map(id, left_out))
    return [document for document in found if document and id(document) not in ids][: TINY // 5 or None]


# Genres of GUM that are left out, as in models/train.sh.
UNVERIFIED = re.compile("GUM_(conversation|court|vlog)")


def treebank(data, name):
    return documents(f"{data}/{name}", (1, 3, 4, 5))


def windows(found, draw=None):
    """Neighbouring sentences of a document, up to so many words: pairs of (document, sentence)."""
    for d, document in enumerate(found):
        window, words = [], 0
        limit = draw.choice([WINDOW // 4, WINDOW // 2, WINDOW]) if draw else WINDOW
        for s, sentence in enumerate(document):
            if window and words + len(sentence) + 1 > limit:
                yield window
                window, words = [], 0
                limit = draw.choice([WINDOW // 4, WINDOW // 2, WINDOW]) if draw else WINDOW
            window.append((d, s))
            words += len(sentence) + 1
        if window:
            yield window


def padded(rows, fill):
    longest = max(map(len, rows))
    return torch.tensor([row + [fill] * (longest - len(row)) for row in rows]).to(DEVICE)


# ---- reading


def pretrain(data, text, folder, seconds=370.0):
    torch.manual_seed(1)
    np.random.seed(1)
    read = [sentence for _, sentences in sentences_of(text) for sentence in sentences]
    for name in ("ud-english-ewt/en_ewt-ud-train.conllu.gz", "ud-english-gum/en_gum-ud-train-open.conllu.gz"):
        read += [[word[0] for word in sentence] for document in treebank(data, name) for sentence in document]
    vocabulary = Vocabulary(Counter(word for sentence in read for word in sentence))
    ids = [number for sentence in read for number in [*map(vocabulary.index.__getitem__, sentence), END]]
    say(len(ids), "words,", len(vocabulary.forms), "forms")
    with open(f"{folder}/vocabulary.pkl", "wb") as file:
        pickle.dump(vocabulary, file)
    ids = torch.tensor(ids, device=DEVICE, dtype=torch.int32)
    kinds = torch.tensor(vocabulary.kinds, device=DEVICE)
    encoder = Encoder(vocabulary).to(DEVICE)
    encoder.know(vocabulary)
    guess = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.LayerNorm(WIDTH)).to(DEVICE)
    form = nn.Linear(WIDTH, vocabulary.guessed_forms).to(DEVICE)
    kind = nn.Linear(WIDTH, vocabulary.guessed_kinds).to(DEVICE)
    parts = nn.ModuleList([encoder, guess, form, kind])
    tables = {encoder.forms.weight, encoder.properties.weight}
    decayed = [p for p in parts.parameters() if p.dim() > 1 and p not in tables]
    others = [p for p in parts.parameters() if p.dim() < 2 or p in tables]
    rates = [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    adam = torch.optim.AdamW(rates, betas=(0.9, 0.98), eps=1e-6, fused=DEVICE == "cuda")
    began, step, losses = time.time(), 0, []
    while (done := (time.time() - began) / seconds) < 1:
        shift = np.random.randint(WINDOW)
        rows = ids[shift : shift + (len(ids) - shift) // WINDOW * WINDOW].view(-1, WINDOW)
        for chosen in torch.randperm(len(rows), device=DEVICE).split(BATCH):
            done = (time.time() - began) / seconds
            if done >= 1:
                break
            for group in adam.param_groups:
                group["lr"] = 1e-3 * min(1, (step + 1) / 300) * min(1, (1 - done) / 0.7)
            x = rows[chosen].long()
            chance = torch.rand(x.shape, device=DEVICE)
            asked = (chance < 0.2) & (x > HIDDEN)
            given = torch.where(asked & (chance < 0.17), HIDDEN, x)
            with mixed():
                hidden = guess(encoder(encoder.words(given), given)[0][asked])
                target = x[asked] - HIDDEN - 1
                target = torch.where(target < vocabulary.guessed_forms, target, -100)
                of_form = F.cross_entropy(form(hidden).float(), target)
                loss = of_form + 0.5 * F.cross_entropy(kind(hidden).float(), kinds[x[asked]])
            adam.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(parts.parameters(), 1.0)
            adam.step()
            losses.append(of_form.detach())
            step += 1
            if step % 200 == 0:
                say("step", step, f"loss {torch.stack(losses).mean():.3f}")
                losses = []
    torch.save(encoder.state_dict(), f"{folder}/encoder.pt")


# ---- learning


def fit(vocabulary, folder, sets, heads, seed, epochs=8, rate=4e-4):
    """Sets are (number of the source, documents of (form, label of each head), share of its windows in an epoch)."""
    draw = random.Random(seed)
    torch.manual_seed(seed)
    encoder = Encoder(vocabulary).to(DEVICE)
    encoder.load_state_dict(torch.load(f"{folder}/encoder.pt", map_location=DEVICE))
    encoder.know(vocabulary)
    model = Tagger(encoder, heads, 1 + max(source for source, _, _ in sets)).to(DEVICE).train()
    read = set(encoder.parameters())
    groups = [
        {"params": list(read), "share": 0.5},
        {"params": [p for p in model.parameters() if p not in read], "share": 2.0},
    ]
    adam = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01, fused=DEVICE == "cuda")
    step, total = 0, None
    for _ in range(epochs):
        items = []
        for source, found, share in sets:
            for window in windows(found, draw):
                if draw.random() >= share:
                    continue
                ids, labels = [], [[] for _ in heads]
                for d, s in window:
                    for form, of_heads in [*found[d][s], (END, [-100] * len(heads))]:
                        ids.append(form)
                        for row, label in zip(labels, of_heads):
                            row.append(label)
                items.append((source, ids, labels))
        draw.shuffle(items)
        items = [x for at in range(0, len(items), 512) for x in sorted(items[at : at + 512], key=lambda x: len(x[1]))]
        batches = [[]]
        for item in items:
            longest = max(len(other[1]) for other in [*batches[-1], item])
            if batches[-1] and longest * (len(batches[-1]) + 1) > 3000:
                batches.append([])
            batches[-1].append(item)
        draw.shuffle(batches)
        total = total or len(batches) * epochs * 1.02
        for batch in batches:
            for group in adam.param_groups:
                group["lr"] = rate * group["share"] * min(1, (step + 1) / (0.1 * total)) * max(0, 1 - step / total)
            ids, source = padded([item[1] for item in batch], PADDING), torch.tensor([i[0] for i in batch], device=DEVICE)
            with mixed():
                loss = 0
                for head, scores in enumerate(model(ids, source, 0.05)):
                    gold = padded([item[2][head] for item in batch], -100)
                    summed = F.cross_entropy(
                        scores.float().flatten(0, 1), gold.flatten(), label_smoothing=0.03, reduction="sum"
                    )
                    loss = loss + summed / (gold != -100).sum().clamp(min=1)
            adam.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            step += 1
    say("learned, seed", seed)
    return model.eval()


@torch.no_grad()
def label(models, found, decide):
    """What `decide` makes of the models' mean log-probabilities, for each word of documents of forms."""
    rows = [[form for d, s in window for form in [*found[d][s], END]] for window in windows(found)]
    result = [None] * len(rows)
    order = sorted(range(len(rows)), key=lambda number: len(rows[number]))
    for at in range(0, len(order), 256):
        part = order[at : at + 256]
        ids = padded([rows[number] for number in part], PADDING)
        source = torch.zeros(len(part), dtype=torch.long, device=DEVICE)
        with mixed():
            said = [[scores.float().log_softmax(-1) for scores in model(ids, source)] for model in models]
        means = [torch.stack(head).mean(0) for head in zip(*said)]
        for number, labels in zip(part, decide(means, ids).cpu().numpy()):
            result[number] = labels[: len(rows[number])][np.array(rows[number]) != END]
    return np.concatenate(result)


def forms_of(found):
    return [[[word[0] for word in sentence] for sentence in document] for document in found]


def start(text, folder, found):
    with open(f"{folder}/vocabulary.pkl", "rb") as file:
        vocabulary = pickle.load(file)
    vocabulary.add(word[0] for documents in found for document in documents for sentence in document for word in sentence)
    sources = {
        source: [
            [[vocabulary.index[word] for word in sentence] for sentence in sentences[at : at + 200]]
            for at in range(0, len(sentences), 200)
        ]
        for source, sentences in sentences_of(text)
        if source in silver.SOURCES
    }
    return vocabulary, sources


def pos(data, text, folder):
    """Two taggers learn from all of EWT's documents but every fifth, which score them, and from GUM as a source of its own."""
    ewt = treebank(data, "ud-english-ewt/en_ewt-ud-train.conllu.gz")
    gum = treebank(data, "ud-english-gum/en_gum-ud-train-open.conllu.gz")
    vocabulary, sources = start(text, folder, [ewt, gum])
    tags, more = [sorted({word[1:] for document in found for s in document for word in s}) for found in (ewt, gum)]
    everything = tags + [tag for tag in more if tag not in set(tags)]
    joint = {tag: number for number, tag in enumerate(everything)}
    columns = [{value: n for n, value in enumerate(sorted({tag[k] for tag in everything}))} for k in range(3)]

    def encode(found):
        def labels(tag):
            return [*(column[value] for column, value in zip(columns, tag)), joint[tag]]

        return [[[(vocabulary.index[w[0]], labels(w[1:])) for w in sentence] for sentence in d] for d in found]

    ewt, gum = encode(ewt), encode(gum)
    parts = torch.tensor([[column[value] for column, value in zip(columns, tag)] for tag in tags], device=DEVICE)

    def decide(means, _):
        u, x, f, whole = means
        scores = u[..., parts[:, 0]] + x[..., parts[:, 1]] + f[..., parts[:, 2]] + whole[..., : len(tags)]
        return scores.argmax(-1)

    held = [document for number, document in enumerate(ewt) if number % 10 in (0, 5)]
    rest = [document for number, document in enumerate(ewt) if number % 10 not in (0, 5)]
    heads = [*map(len, columns), len(everything)]
    models = [fit(vocabulary, folder, [(0, rest, 1), (1, gum, 1)], heads, seed) for seed in (1, 2)]
    gold = np.array([word[1] for document in held for sentence in document for word in sentence])
    found = parts.cpu().numpy()[label(models, forms_of(held), decide)]
    say("held back: UPOS, XPOS, FEATS", *(f"{100 * np.mean(found[:, k] == gold[:, k]):.2f}" for k in range(3)))
    with open(f"{folder}/tags.json", "w") as file:
        json.dump(tags, file)
    for source, forms in sources.items():
        label(models, forms, decide).astype(np.uint16).tofile(f"{folder}/{source}.pos")


def spans(labels):
    found, begin = set(), None
    for at, one in enumerate([*labels, "O"]):
        if begin is not None and one != "I" + labels[begin][1:]:
            found.add((begin, at, labels[begin][2:]))
            begin = None
        if one.startswith("B"):
            begin = at
    return found


def viterbi(labels):
    """The best labels in which I- follows B- or I- of its type alone."""
    never = [[b.startswith("I") and (a == "O" or a[2:] != b[2:]) for b in labels] for a in labels]
    penalty = torch.where(torch.tensor(never, device=DEVICE), -1e9, 0.0)
    inside = torch.tensor([one.startswith("I") for one in labels], device=DEVICE)
    outside = torch.tensor([one == "O" for one in labels], device=DEVICE)

    def decide(means, ids):
        scores = torch.where((ids == END)[..., None], torch.where(outside, 0.0, -1e9), means[0])
        best, back = scores[:, 0] + torch.where(inside, -1e9, 0.0), []
        for at in range(1, scores.shape[1]):
            value, came = (best[:, :, None] + penalty).max(1)
            back.append(came)
            best = value + scores[:, at]
        path = [best.argmax(-1)]
        for came in reversed(back):
            path.append(came.gather(1, path[-1][:, None])[:, 0])
        return torch.stack(path[::-1], 1)

    return decide


def ner(data, text, folder):
    """Two recognizers learn from all of UNER's neighbouring tenths but the second and the last, one of them from other data too."""
    found = [documents(f"{data}/uner-english-ewt/en_ewt-ud-train.iob2.gz", (1, 2))]
    others = (silver.TWEETS[:5], silver.TWEETS[5:7], silver.TWEETS[7:])
    found += [[d for file in files for d in documents(f"{data}/{file}", (0, -1))] for files in others]
    vocabulary, sources = start(text, folder, found)
    labels = [["O", *sorted({w[1] for d in one for s in d for w in s} - {"O"})] for one in found]
    heads = [len(of_set) for of_set in labels]

    def encode(number):
        index = {one: n for n, one in enumerate(labels[number])}

        def of_heads(one):
            return [index[one] if head == number else -100 for head in range(len(heads))]

        return [[[(vocabulary.index[w[0]], of_heads(w[1])) for w in s] for s in d] for d in found[number]]

    uner, *more = [encode(number) for number in range(len(found))]
    tenth = [number * 10 // len(uner) for number in range(len(uner))]
    held = [document for document, part in zip(uner, tenth) if part in (1, 9)]
    rest = [document for document, part in zip(uner, tenth) if part not in (1, 9)]
    extra = [(number, one, 0.5) for number, one in enumerate(more, 1)]
    models = [
        fit(vocabulary, folder, [(0, rest, 1)], heads, 1),
        fit(vocabulary, folder, [(0, rest, 1), *extra], heads, 2),
    ]
    decide = viterbi(labels[0])
    predicted, at = label(models, forms_of(held), decide), 0
    right = sure = real = 0
    for sentence in (sentence for document in held for sentence in document):
        mine = spans([labels[0][n] for n in predicted[at : at + len(sentence)]])
        gold = spans([labels[0][word[1][0]] for word in sentence])
        mine, gold = [{span for span in one if span[2] != "OTH"} for one in (mine, gold)]
        right, sure, real, at = right + len(mine & gold), sure + len(mine), real + len(gold), at + len(sentence)
    say(f"held back: F1 {200 * right / max(1, sure + real):.2f}")
    with open(f"{folder}/labels.json", "w") as file:
        json.dump(labels[0], file)
    for source, forms in sources.items():
        label(models, forms, decide).astype(np.uint8).tofile(f"{folder}/{source}.ner")


if __name__ == "__main__":
    if len(sys.argv) < 5 or sys.argv[1] not in ("pretrain", "pos", "ner"):
        sys.exit(__doc__)
    task, *places = sys.argv[1:5]
    if task == "pretrain":
        pretrain(*places, *map(float, sys.argv[5:]))
    else:
        {"pos": pos, "ner": ner}[task](*places)
