#!/usr/bin/env python3
"""Carries models of the reference nmt_ref.py over, and compares what is translated with them.

  translate.py convert MODEL.pt RUN [--heads 4] [--sentencepiece sp.model]   a state dict as a run's folder
  translate.py ids WORK OURS.txt --beam 1|5        lines of ids against those of the reference itself
"""
import argparse, importlib.util, json, os, struct, sys, types, zlib


def tensors(state):
    """Our names, in the order of our layout, and the reference's arrays."""
    n = lambda name: state[name].float().contiguous().numpy()
    yield "source.weight", n("emb.weight")
    for side, theirs in (("encoder", "enc"), ("decoder", "dec")):
        layers = 1 + max(int(k.split(".")[1]) for k in state if k.startswith(theirs + "."))
        for i in range(layers):
            parts = [("self_attention.qkv", "sa.qkv"), ("self_attention.out", "sa.o"), ("self_attention.norm", "n1")]
            if side == "decoder":
                parts += [("cross_attention.q", "ca.q"), ("cross_attention.kv", "ca.kv"), ("cross_attention.out", "ca.o"),
                          ("cross_attention.norm", "n2")]
            parts += [("feed_forward.inner", "f1"), ("feed_forward.outer", "f2"), ("feed_forward.norm", "n3")]
            for ours, name in parts:
                for part in ("weight", "bias"):
                    yield f"{side}.{i}.{ours}.{part}", n(f"{theirs}.{i}.{name}.{part}")


def recurrent(state):
    """The same of an LSTM with Luong's attention."""
    n = lambda name: state[name].float().contiguous().numpy()
    yield "source.weight", n("emb.weight")
    layers = sum(k.startswith("dec.weight_ih") for k in state)
    cells = [(f"encoder.{l}.{way}", f"enc.%s_l{l}{end}") for l in range(layers)
             for way, end in (("forward", ""), ("backward", "_reverse"))]
    parts = (("input.weight", "weight_ih"), ("input.bias", "bias_ih"), ("state.weight", "weight_hh"), ("state.bias", "bias_hh"))
    for ours, theirs in cells:
        for part, name in parts:
            yield f"{ours}.{part}", n(theirs % name)
    yield "bridge.weight", n("bridge.weight")
    yield "bridge.bias", n("bridge.bias")
    for l in range(layers):
        for part, name in parts:
            yield f"decoder.{l}.{part}", n(f"dec.{name}_l{l}")
    # The reference maps rows, wordmill queries: the same products.
    keys = n("wk.weight")
    yield "attention.query.weight", keys.T.copy()
    yield "attention.query.bias", keys[0] * 0
    yield "combine.weight", n("comb.weight")
    yield "combine.bias", n("comb.bias")


def write(path, arrays):
    """The safetensors format: length of the header, header, values."""
    header, data = {}, b""
    for name, array in arrays:
        raw = array.astype("<f4").tobytes()
        header[name] = dict(dtype="F32", shape=list(array.shape), data_offsets=[len(data), len(data) + len(raw)])
        data += raw
    header["__metadata__"] = dict(format="wordmill-run", version="1", checksum=str(zlib.crc32(data)))
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def convert(a):
    import torch
    state = torch.load(a.model, map_location="cpu")
    is_recurrent = "bridge.weight" in state
    arrays = list(recurrent(state) if is_recurrent else tensors(state))
    shape = dict(arrays)
    words, dim = shape["source.weight"].shape
    layers = lambda side: 1 + max(int(k.split(".")[1]) for k in shape if k.startswith(side))
    if is_recurrent:
        config = dict(architecture="seq2seq", source_vocabulary=words, target_vocabulary=words, embedding=dim,
                      dim=shape["bridge.bias"].shape[0], layers=layers("decoder."), cell="lstm", attention="general",
                      input_feeding=False, layer_norm=False, tied="all", recurrent_dropout=0.0, scheduled_sampling=0.0,
                      max_positions=1024)
    else:
        config = dict(architecture="transformer", source_vocabulary=words, target_vocabulary=words, dim=dim,
                      encoder_layers=layers("encoder."), decoder_layers=layers("decoder."), heads=a.heads,
                      ffn=shape["encoder.0.feed_forward.inner.weight"].shape[0], pre_norm=False, positions="sinusoidal",
                      tied="all", max_positions=1024)
    place = f"{a.run}/checkpoints/1"
    os.makedirs(place, exist_ok=True)
    write(f"{place}/model.safetensors", arrays)
    for name, value in (("config.json", config), ("last.json", dict(step=1)), ("checkpoints/1/state.json", dict(step=1))):
        with open(f"{a.run}/{name}", "w") as f:
            json.dump(value, f, indent=2)
    if a.sentencepiece:
        tokenizer(a.sentencepiece, f"{a.run}/tokenizer.json")


def tokenizer(model, path):
    """A SentencePiece model of type bpe as a tokenizer.json, by way of the package transformers' kind of conversion."""
    import sentencepiece as spm
    sp = spm.SentencePieceProcessor(model_file=model)
    pieces = [sp.id_to_piece(i) for i in range(sp.get_piece_size())]
    ids = {piece: i for i, piece in enumerate(pieces)}
    merges = []
    for piece in pieces[4:]:
        cuts = [(ids[piece[:k]], ids[piece[k:]], k) for k in range(1, len(piece)) if piece[:k] in ids and piece[k:] in ids]
        merges += [(ids[piece], left, right, piece[:k], piece[k:]) for left, right, k in cuts]
    # Pieces of bpe stand in the order in which they were merged.
    merges.sort(key=lambda m: m[:3])
    special = [dict(id=i, content=pieces[i], single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
               for i in range(4)]
    meta = dict(type="Metaspace", replacement="\u2581", prepend_scheme="always", split=False)
    out = dict(version="1.0", truncation=None, padding=None, added_tokens=special,
               normalizer=dict(type="Sequence", normalizers=[dict(type="NFKC"), dict(type="Replace", pattern=dict(Regex=" {2,}"), content=" ")]),
               pre_tokenizer=meta, post_processor=None, decoder=meta,
               model=dict(type="BPE", dropout=None, unk_token=pieces[3], continuing_subword_prefix=None, end_of_word_suffix=None,
                          fuse_unk=True, byte_fallback=False, ignore_merges=False, vocab=ids,
                          merges=[[m[3], m[4]] for m in merges]))
    with open(path, "w") as f:
        json.dump(out, f, ensure_ascii=False)


def reference(script):
    """nmt_ref.py as a module: it reads its command line when it is loaded."""
    spec = importlib.util.spec_from_file_location("nmt_ref", script)
    module = importlib.util.module_from_spec(spec)
    old, sys.argv = sys.argv, ["nmt_ref.py", "prep", "--work", os.devnull]
    source = open(script).read().rsplit("\n{'prep'", 1)[0]
    exec(compile(source, script, "exec"), module.__dict__)
    sys.argv = old
    return module


def ids(a):
    import torch, sacrebleu, sentencepiece as spm
    ref = reference(a.script)
    data = json.load(open(f"{a.work}/data.json"))[a.test]
    pairs = list(zip(*data))
    options = types.SimpleNamespace(dec_batch=64, alpha=1.0)
    cached = f"{a.work}/{a.name}.beam{a.beam}.json"
    if os.path.exists(cached):
        theirs = json.load(open(cached))
    else:
        model = ref.make(types.SimpleNamespace(model=a.name, dropout=0.1), 10000).eval()
        model.load_state_dict(torch.load(f"{a.work}/{a.name}.pt", map_location="cpu"))
        theirs = ref.decode(model, pairs, options, a.beam, torch.device("cpu"))
        json.dump(theirs, open(cached, "w"))
    ours = [[int(t) for t in line.split()] for line in open(a.ours)]
    same = sum(x == y for x, y in zip(ours, theirs))
    sp = spm.SentencePieceProcessor(model_file=f"{a.work}/sp.model")
    gold = [sp.decode([t for t in line[:-1]]) for line in data[1]]
    if a.data:
        gold = [line.rstrip("\n") for line in open(f"{a.data}/{a.test}.de", encoding="utf8")]
    score = lambda out: round(sacrebleu.corpus_bleu(sp.decode(out), [gold]).score, 2)
    print(json.dumps(dict(beam=a.beam, lines=len(ours), same=same, ours=score(ours), theirs=score(theirs))))


p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
s = p.add_subparsers(dest="command", required=True)
c = s.add_parser("convert")
c.add_argument("model"), c.add_argument("run"), c.add_argument("--heads", type=int, default=4), c.add_argument("--sentencepiece")
c.set_defaults(run_command=convert)
i = s.add_parser("ids")
i.add_argument("work"), i.add_argument("ours"), i.add_argument("--beam", type=int, default=1), i.add_argument("--name", default="tiny")
i.add_argument("--script", default="nmt_ref.py"), i.add_argument("--test", default="test_2016_flickr"), i.add_argument("--data")
i.set_defaults(run_command=ids)
if __name__ == "__main__":
    a = p.parse_args()
    a.run_command(a)
