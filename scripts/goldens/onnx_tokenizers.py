"""Small tokenizers of every family and what the native `tokenizers` package makes of several hundred texts.

    python -m venv ENVIRONMENT && ENVIRONMENT/bin/pip install tokenizers==0.23.3 sentencepiece==0.2.3 protobuf unicodedata2
    ENVIRONMENT/bin/python scripts/goldens/onnx_tokenizers.py

Writes test/fixtures/onnx-tokenizers/ (all but smollm2/tokenizer.json, which is the model's own) and
src/onnx/tokenizer/characterTables.ts. Training breaks ties at random: another run may give other vocabularies, with their own results.
"""

import base64
import json
import random
import tempfile
from pathlib import Path

import sentencepiece
import unicodedata2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "test/fixtures/onnx-tokenizers"
LLAMA_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CORPUS = [
    "The capital of France is Paris. The capital of Italy is Rome.",
    "A naïve café owner doesn't write résumés; they're reading the newspaper.",
    "In 1984 there were 12,345 readers and 3.14159 writers of the newest unaffordable books.",
    "def function(x):\n    return x + 1\n\nfor index in range(10):\n\tprint(index)",
    "Ein Mädchen läuft über die Straße und trägt Äpfel.",
    "Привет, мир! Как дела сегодня?",
    "你好世界 今天天气很好 こんにちは 한국어",
    "user: Please answer the question. assistant: The answer is unknown.",
] * 4


def texts() -> list[str]:
    """Written by hand, then drawn from pieces that are known to trip tokenisers."""
    fixed = [
        "", " ", "  ", "   ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u0085", "a", " a", "a ", " a ", "a  b", "a   b",
        "The capital of France is Paris.", "I'd say we're 'S fine, THEY'LL see; it'ſ odd", "1 2  3   4", "12345 6789 0.5 ½ Ⅳ ²",
        "e\u0301 a\u0308\u0323 \u0301x o\u0302\u0301\u0327", "ÀÉÎÕÜ ñ Ş İI ı ß ẞ ΣΑΣ Σ ǅ", "ﬁ ﬀ ﾊﾟ ｶﾞ Ａ１ ㎏ ™ … ⑳ ﷺ", "한국어 \u1112\u1161\u11ab \u1100\u1161",
        "你好，世界。𠀀𫜹鿿㐂豈", "👍🏽 👩‍👩‍👧 🇩🇪🇫🇷 ☺️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "שלום مرحبا ไทย हिन्दी क्षि தமிழ்", "a\u200bb\ufeffc\u00add\u200de\u2060f", "x\x00y\x01z\x7f\ufffd\U000fffff",
        "a\r\n\r\nb\n\n\nc\t\td\x0b\x0ce\u2028f\u2029g", "<s>Hello</s> <unk> <|im_start|>user\nHi<|im_end|>\n", "[CLS] a [SEP] b [MASK]. [UNK] [cls]",
        "x<mask>y  <mask>  z <tool>a <tool> b<TOOL>", "word<whole>s <whole> <whole>x a<whole>", "<0x0A><0xE4>▁ĠĊâ", "▁▁a ▁ b▁", "a" * 120, "ab" * 60,
        "unaffordable newspapers\u0300 re-reading!!! (foo_bar) [x] {y} $5 #1 @me ~`^|<>=+", "“quoted” – dash — em… ‚low‘ «x» ¿qué? ¡sí!", "\U0010ffff \U00040000 \U0001d54f",
        "  leading and trailing  ", "\n\n  a\n  b\n", "<s><s>", "<s> a", " <s>a", "a<s> b</s>", "𝓗𝓮𝓵𝓵𝓸 ℌ ① ﹪",
    ]
    pieces = [
        "the", "The", " capital", "of", " France", "is", "Paris", " ", " ", "  ", "   ", "\n", "\r\n", "\t", "\u00a0", "\u3000", ".", ",", "!!", "'s", "'LL", "don't",
        "1", "42", " 7", "3.14", "½", "²", "é", "e\u0301", "\u0308", "Ä", "ﬁ", "İ", "ß", "Σ", "你好", "世", "。", "こ", "ｶﾞ", "한국", "\u1100\u1161", "привет", "П", "مر", "שלום",
        "👍🏽", "👩‍👧", "🇩🇪", "☺️", "\u200b", "\ufeff", "\u00ad", "\x00", "\x1f", "\ufffd", "▁", "Ġ", "<s>", "</s>", "<unk>", "<|im_start|>", "<|im_end|>", "[SEP]", "[MASK]",
        "[UNK]", "<mask>", "<tool>", "<whole>", "<0x0A>", "foo_bar", "(x)", "\U0001d54f", "\U0010ffff", "-", "—", "zz", "qu", "ing", "un", "able",
    ]
    generator = random.Random(7)
    drawn = ["".join(generator.choice(pieces) for _ in range(generator.randint(1, 11))) for _ in range(220)]
    points = [chr(code) for code in range(0x20, 0x3000) if not 0xD800 <= code < 0xE000]
    wild = ["".join(generator.choice(points) for _ in range(generator.randint(1, 8))) for _ in range(60)]
    return fixed + drawn + wild


def byte_pairs(size: int, special: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def add_words(tokenizer: Tokenizer) -> Tokenizer:
    """Added tokens of every kind: normalised or not, whole words only, swallowing spaces."""
    tokenizer.add_tokens([AddedToken("<tool>", normalized=True), AddedToken("<whole>", single_word=True, normalized=False)])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, rstrip=False, normalized=False)])
    return tokenizer


def gpt2() -> Tokenizer:
    tokenizer = add_words(byte_pairs(420, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]))
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def llama3() -> Tokenizer:
    tokenizer = byte_pairs(380, ["<|im_start|>", "<|im_end|>", "<s>"])
    data = json.loads(tokenizer.to_str())
    data["model"]["ignore_merges"] = True
    # Reached only whole: no merges make it.
    data["model"]["vocab"]["Ġunaffordable"] = len(data["model"]["vocab"])
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(LLAMA_PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    begin = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))])
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), begin])
    return tokenizer


def qwen() -> Tokenizer:
    tokenizer = byte_pairs(380, ["<|im_start|>", "<|im_end|>"])
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(LLAMA_PATTERN.replace("{1,3}", "")), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    return tokenizer


def missing_bytes() -> Tokenizer:
    """A vocabulary without some bytes and without an unknown token: they are left out."""
    data = json.loads(byte_pairs(380, ["<|im_start|>", "<|im_end|>"]).to_str())
    gone = {"Ĵ", "Ŀ", "ð", "Ľ"}
    kept = [token for token in sorted(data["model"]["vocab"], key=data["model"]["vocab"].get) if not gone & set(token)]
    data["model"]["vocab"] = {token: index for index, token in enumerate(kept)}
    data["model"]["merges"] = [merge for merge in data["model"]["merges"] if not gone & set("".join(merge))]
    for token in data["added_tokens"]:
        token["id"] = data["model"]["vocab"][token["content"]]
    return Tokenizer.from_str(json.dumps(data))


def roberta() -> Tokenizer:
    tokenizer = byte_pairs(380, ["<s>", "</s>", "<unk>"])
    add_words(tokenizer)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0), trim_offsets=False)
    return tokenizer


def byte_fallback_pairs() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    alphabet = [character for character in sorted(set("".join(CORPUS)) - {"你", "好", "П", "\n", "\t"})]
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=["<unk>", "<s>", "</s>"] + bytes_, initial_alphabet=alphabet, limit_alphabet=90, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = [token for token in data["added_tokens"] if not token["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def llama2() -> Tokenizer:
    return byte_fallback_pairs()


def mistral() -> Tokenizer:
    tokenizer = byte_fallback_pairs()
    tokenizer.normalizer = None
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    return tokenizer


def gemma() -> Tokenizer:
    tokenizer = byte_fallback_pairs()
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.add_tokens([AddedToken("▁▁", normalized=False), AddedToken("\n\n", normalized=False)])
    return tokenizer


def without_bytes() -> Tokenizer:
    """Unknown characters, each run of them one token."""
    data = json.loads(byte_fallback_pairs().to_str())
    data["model"]["byte_fallback"] = False
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Punctuation("merged_with_next")])
    return tokenizer


def word_pieces(lowercase: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=None)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=500, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer


def bert_uncased() -> Tokenizer:
    return word_pieces(True)


def bert_cased() -> Tokenizer:
    tokenizer = word_pieces(False)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return add_words(tokenizer)


def charsmap(name: str | None) -> bytes:
    """SentencePiece's compiled normalisation table; a small one of our own without a name."""
    rules = {"ﬁ": "fi", "½": "1⁄2", "Ａ": "A", "１": "1", "\t": " ", "\n": " ", "\r": " ", "\u00a0": " ", "\u3000": " ", "e\u0301": "é", "ｶﾞ": "ガ", "™": "TM", "\u200b": " ", "\u00ad": "", "Ⅳ": "IV"}
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "rules.tsv")
        code = lambda text: " ".join(f"{ord(character):X}" for character in text)
        table.write_text("".join(f"{code(old)}\t{code(new)}\n" for old, new in rules.items()))
        Path(folder, "corpus.txt").write_text("\n".join(CORPUS))
        how = {"normalization_rule_name": name} if name else {"normalization_rule_tsv": str(table)}
        sentencepiece.SentencePieceTrainer.train(
            input=str(Path(folder, "corpus.txt")), model_prefix=str(Path(folder, "model")), vocab_size=200, hard_vocab_limit=False, minloglevel=2, **how
        )
        from sentencepiece import sentencepiece_model_pb2

        proto = sentencepiece_model_pb2.ModelProto()
        proto.ParseFromString(Path(folder, "model.model").read_bytes())
        return proto.normalizer_spec.precompiled_charsmap


def unigram(table: bytes, byte_fallback: bool = False) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(table), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)] if byte_fallback else []
    trainer = trainers.UnigramTrainer(vocab_size=350 + len(bytes_), special_tokens=["<pad>", "</s>", "<unk>"] + bytes_, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    data = json.loads(tokenizer.to_str())
    data["model"]["byte_fallback"] = byte_fallback
    data["added_tokens"] = [token for token in data["added_tokens"] if not token["content"].startswith("<0x")]
    # Floats as short as their digits: ids must not hang on the last bits, and they do not.
    data["model"]["vocab"] = [[token, round(score, 6)] for token, score in data["model"]["vocab"]]
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return tokenizer


def t5() -> Tokenizer:
    return unigram(charsmap(None))


def xlm_roberta() -> Tokenizer:
    tokenizer = unigram(charsmap(None), byte_fallback=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
    return tokenizer


def albert() -> Tokenizer:
    """Decomposition, accents stripped, lower case, before a unigram model."""
    tokenizer = unigram(charsmap(None))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace("``", '"'), normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip(), normalizers.Precompiled(charsmap(None))]
    )
    return tokenizer


FAMILIES = [gpt2, llama3, qwen, missing_bytes, roberta, llama2, mistral, gemma, without_bytes, bert_uncased, bert_cased, t5, xlm_roberta, albert]


def units(text: str) -> list[int]:
    """[characters + 1]: UTF-16 code units before each character."""
    places = [0]
    for character in text:
        places.append(places[-1] + (2 if ord(character) > 0xFFFF else 1))
    return places


def encoded(tokenizer: Tokenizer, text: str, special: bool, add: bool) -> list[list[int]]:
    """Ids, starts, ends."""
    tokenizer.encode_special_tokens = not special
    encoding = tokenizer.encode(text, add_special_tokens=add)
    places = units(text)
    return [encoding.ids, [places[start] for start, _ in encoding.offsets], [places[end] for _, end in encoding.offsets]]


def write_family(name: str, tokenizer: Tokenizer, all_texts: list[str]) -> None:
    rows = [
        {
            "special": encoded(tokenizer, text, True, False),
            # Without recognising control tokens, where that makes a difference.
            **({"plain": encoded(tokenizer, text, False, False)} if "<" in text or "[" in text else {}),
        }
        for text in all_texts
    ]
    added = encoded(tokenizer, "The capital", True, True)[0]
    (FOLDER / name).mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (FOLDER / name / "native.json").write_text(f'{{"added":{json.dumps(added)},"rows":[\n{lines}\n]}}\n')


def ranges(codes: list[int]) -> str:
    found: list[list[int]] = []
    for code in codes:
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return " ".join(f"{first:x}" if first == last else f"{first:x}-{last:x}" for first, last in found)


def write_tables() -> None:
    """Which characters the package's own, older Unicode tables put into four classes."""
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    clean = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    # Decomposed first: what becomes of a mark is told by marks alone.
    accents = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
    tables = {
        "controlCharacters": [c for c in characters if clean.normalize_str(f"a{c}b") == "ab" and c not in "\0\ufffd"],
        "nonspacingMarks": [c for c in characters if accents.normalize_str(f"a{c}b") == "ab"],
        "marks": [c for c in characters if normalizers.StripAccents().normalize_str(f"a{c}b") == "ab"],
        # The package knows no decomposition of these: they are newer than its tables.
        "undecomposed": [c for c in characters if unicodedata2.normalize("NFKD", c) != normalizers.NFKD().normalize_str(c)],
        "punctuation": [c for c in characters if len(pre_tokenizers.Punctuation().pre_tokenize_str(f"a{c}b")) == 3],
    }
    lines = [
        "// Written by scripts/goldens/onnx_tokenizers.py: classes of characters as the native tokenizers package has them.",
        "// Code points and ranges of them, in hexadecimal.",
    ]
    for name, members in tables.items():
        lines.append(f"export const {name} =\n  '{ranges([ord(member) for member in members])}';")
    (ROOT / "src/onnx/tokenizer/characterTables.ts").write_text("\n".join(lines) + "\n")


def main() -> None:
    write_tables()
    all_texts = texts()
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "texts.json").write_text(json.dumps(all_texts, ensure_ascii=True, indent=0) + "\n")
    for family in FAMILIES:
        tokenizer = family()
        write_family(family.__name__, tokenizer, all_texts)
        data = json.loads(tokenizer.to_str())
        (FOLDER / family.__name__ / "tokenizer.json").write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n")
    smollm2 = Tokenizer.from_file(str(FOLDER / "smollm2/tokenizer.json"))
    smollm2.post_processor = processors.ByteLevel(trim_offsets=False)
    write_family("smollm2", smollm2, all_texts)


if __name__ == "__main__":
    main()
