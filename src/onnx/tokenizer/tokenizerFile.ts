/** What of a `tokenizer.json` is read. The file is hostile input: nothing of it is used before it has passed this schema. */
import * as v from 'valibot';

/** Far more than any vocabulary has; bounds what an id can make us allocate. */
const maximumId = 4_000_000;
const maximumText = 100_000;

const text = v.pipe(v.string(), v.maxLength(maximumText));
const flag = (standard: boolean) => v.optional(v.boolean(), standard);
const identifier = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(maximumId));

const pattern = v.union([v.object({ Regex: text }), v.object({ String: text })]);
export type PatternConfiguration = v.InferOutput<typeof pattern>;

export type NormaliserConfiguration =
  | { readonly type: 'Sequence'; readonly normalizers: readonly NormaliserConfiguration[] }
  | v.InferOutput<typeof plainNormaliser>;

const plainNormaliser = v.variant('type', [
  v.object({
    type: v.literal('BertNormalizer'),
    clean_text: flag(true),
    handle_chinese_chars: flag(true),
    strip_accents: v.optional(v.nullable(v.boolean()), null),
    lowercase: flag(true),
  }),
  v.object({ type: v.picklist(['Lowercase', 'NFC', 'NFD', 'NFKC', 'NFKD', 'StripAccents', 'Nmt', 'ByteLevel']) }),
  v.object({ type: v.literal('Strip'), strip_left: flag(true), strip_right: flag(true) }),
  v.object({ type: v.literal('Prepend'), prepend: text }),
  v.object({ type: v.literal('Replace'), pattern, content: text }),
  v.object({
    type: v.literal('Precompiled'),
    precompiled_charsmap: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(16_000_000))), ''),
  }),
]);

const normaliser: v.GenericSchema<unknown, NormaliserConfiguration> = v.lazy((input) =>
  isSequence(input)
    ? v.object({ type: v.literal('Sequence'), normalizers: v.pipe(v.array(normaliser), v.maxLength(100)) })
    : plainNormaliser,
);

const behaviour = v.picklist(['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']);
export type SplitBehaviour = v.InferOutput<typeof behaviour>;

export type PreTokeniserConfiguration =
  | { readonly type: 'Sequence'; readonly pretokenizers: readonly PreTokeniserConfiguration[] }
  | v.InferOutput<typeof plainPreTokeniser>;

const plainPreTokeniser = v.variant('type', [
  v.object({ type: v.literal('ByteLevel'), add_prefix_space: flag(true), use_regex: flag(true) }),
  v.object({
    type: v.literal('Metaspace'),
    replacement: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(2)), '▁'),
    add_prefix_space: flag(true),
    prepend_scheme: v.optional(v.picklist(['always', 'first', 'never']), 'always'),
    split: v.optional(v.nullable(v.boolean()), true),
  }),
  v.object({ type: v.literal('Split'), pattern, behavior: behaviour, invert: flag(false) }),
  v.object({ type: v.literal('Punctuation'), behavior: v.optional(behaviour, 'Isolated') }),
  v.object({ type: v.literal('Digits'), individual_digits: flag(false) }),
  v.object({ type: v.literal('CharDelimiterSplit'), delimiter: v.pipe(v.string(), v.minLength(1), v.maxLength(2)) }),
  v.object({ type: v.picklist(['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit']) }),
]);

const preTokeniser: v.GenericSchema<unknown, PreTokeniserConfiguration> = v.lazy((input) =>
  isSequence(input)
    ? v.object({ type: v.literal('Sequence'), pretokenizers: v.pipe(v.array(preTokeniser), v.maxLength(100)) })
    : plainPreTokeniser,
);

const sequencePart = v.object({ Sequence: v.object({ id: v.picklist(['A', 'B']) }) });
const specialPart = v.object({ SpecialToken: v.object({ id: text }) });
const pair = v.tuple([text, identifier]);

export type PostProcessorConfiguration =
  | { readonly type: 'Sequence'; readonly processors: readonly PostProcessorConfiguration[] }
  | v.InferOutput<typeof plainPostProcessor>;

const plainPostProcessor = v.variant('type', [
  v.object({
    type: v.literal('TemplateProcessing'),
    single: v.pipe(v.array(v.union([sequencePart, specialPart])), v.maxLength(100)),
    special_tokens: v.record(v.string(), v.object({ ids: v.pipe(v.array(identifier), v.maxLength(100)) })),
  }),
  v.object({ type: v.picklist(['BertProcessing', 'RobertaProcessing']), sep: pair, cls: pair }),
  v.object({ type: v.literal('ByteLevel') }),
]);

const postProcessor: v.GenericSchema<unknown, PostProcessorConfiguration> = v.lazy((input) =>
  isSequence(input)
    ? v.object({ type: v.literal('Sequence'), processors: v.pipe(v.array(postProcessor), v.maxLength(100)) })
    : plainPostProcessor,
);

/** Token → id. Checked by hand: a schema a token would be slow, and would lose a token spelled `__proto__`. */
const vocabulary = v.pipe(
  v.unknown(),
  v.transform(tokenTable),
  v.custom<Map<string, number>>((table) => table !== null, 'not a table of tokens and ids'),
);

const merges = v.custom<readonly string[] | readonly (readonly [string, string])[]>(
  (input) => Array.isArray(input) && (input.every(isMergeText) || input.every(isMergePair)),
  'not a list of merges',
);

const scored = v.custom<readonly (readonly [string, number])[]>(
  (input) => Array.isArray(input) && input.length > 0 && input.length <= maximumId && input.every(isScored),
  'not a list of tokens and scores',
);

const optionalText = v.optional(v.nullable(text), null);
const model = v.variant('type', [
  v.object({
    type: v.literal('BPE'),
    vocab: vocabulary,
    merges,
    unk_token: optionalText,
    fuse_unk: flag(false),
    byte_fallback: flag(false),
    ignore_merges: flag(false),
    dropout: v.optional(v.nullable(v.number()), null),
    continuing_subword_prefix: optionalText,
    end_of_word_suffix: optionalText,
  }),
  v.object({
    type: v.literal('WordPiece'),
    vocab: vocabulary,
    unk_token: v.optional(text, '[UNK]'),
    continuing_subword_prefix: v.optional(text, '##'),
    max_input_chars_per_word: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000)), 100),
  }),
  v.object({
    type: v.literal('Unigram'),
    vocab: scored,
    unk_id: v.optional(v.nullable(identifier), null),
    byte_fallback: flag(false),
  }),
]);
export type ModelConfiguration = v.InferOutput<typeof model>;

const addedToken = v.object({
  id: identifier,
  content: v.pipe(text, v.minLength(1)),
  single_word: flag(false),
  lstrip: flag(false),
  rstrip: flag(false),
  normalized: v.optional(v.boolean()),
  special: flag(false),
});
export type AddedToken = v.InferOutput<typeof addedToken>;

export const tokenizerFile = v.object({
  added_tokens: v.optional(v.pipe(v.array(addedToken), v.maxLength(100_000)), []),
  normalizer: v.optional(v.nullable(normaliser), null),
  pre_tokenizer: v.optional(v.nullable(preTokeniser), null),
  post_processor: v.optional(v.nullable(postProcessor), null),
  model: v.pipe(v.unknown(), v.transform(namedModel), model),
});
export type TokenizerFile = v.InferOutput<typeof tokenizerFile>;

/** Older files leave the model's type out; its fields tell. */
function namedModel(input: unknown): unknown {
  if (!isObject(input) || 'type' in input) return input;
  const type = Array.isArray(input.vocab) ? 'Unigram' : 'merges' in input ? 'BPE' : 'WordPiece';
  return { ...input, type };
}

function isObject(input: unknown): input is Readonly<Record<string, unknown>> {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

function isSequence(input: unknown): boolean {
  return isObject(input) && input.type === 'Sequence';
}

/** In one walk: to list an object's fifty thousand keys takes half as long as to parse them. Null when it is no table. */
function tokenTable(input: unknown): Map<string, number> | null {
  if (!isObject(input)) return null;
  const table = new Map<string, number>();
  for (const token of Object.keys(input)) {
    const id = input[token];
    if (!isId(id)) return null;
    table.set(token, id);
  }
  return table;
}

function isId(input: unknown): input is number {
  return typeof input === 'number' && Number.isInteger(input) && input >= 0 && input <= maximumId;
}

function isMergeText(input: unknown): boolean {
  return typeof input === 'string' && input.includes(' ');
}

function isMergePair(input: unknown): boolean {
  return Array.isArray(input) && input.length === 2 && input.every((part) => typeof part === 'string');
}

function isScored(input: unknown): boolean {
  return Array.isArray(input) && input.length === 2 && typeof input[0] === 'string' && typeof input[1] === 'number';
}
