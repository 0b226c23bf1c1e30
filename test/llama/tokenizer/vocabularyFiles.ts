/** Vocabulary-only GGUF files with small hand-made vocabularies, one for each kind of tokeniser. */
import { writeGguf } from '../gguf/writeGguf.ts';
import type { TestEntry } from '../gguf/writeGguf.ts';

const type = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6 } as const;

/** Spelling, kind and score; the position in the list is the id. */
type Entry = readonly [spelling: string, kind: keyof typeof type, score?: number];

function vocabularyFile(model: string, entries: readonly Entry[], more: readonly TestEntry[]): Buffer {
  return writeGguf({
    metadata: [
      ['general.architecture', 'string', model === 'bert' ? 'bert' : model === 't5' ? 't5' : 'llama'],
      ['tokenizer.ggml.model', 'string', model],
      ['tokenizer.ggml.tokens', 'array', 'string', entries.map(([spelling]) => spelling)],
      ['tokenizer.ggml.scores', 'array', 'f32', entries.map(([, , score]) => score ?? 0)],
      ['tokenizer.ggml.token_type', 'array', 'i32', entries.map(([, kind]) => type[kind])],
      ...more,
    ],
  });
}

const bytes: readonly Entry[] = Array.from({ length: 256 }, (_, byte) => [
  `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  'byte',
]);

/** Higher scores merge first. */
const words = [
  '▁',
  'l',
  'o',
  'h',
  'e',
  'w',
  'r',
  'd',
  'é',
  'lo',
  'll',
  'he',
  'llo',
  'hello',
  '▁hello',
  '▁w',
  'or',
  'ld',
  '▁wor',
  '▁world',
];

const sentencePieceEntries: readonly Entry[] = [
  ['<unk>', 'unknown'],
  ['<s>', 'control'],
  ['</s>', 'control'],
  ...bytes,
  ...words.map((word): Entry => [word, 'normal', -100 + [...word].length]),
  ['▁▁', 'normal', -50],
  ['<user> ', 'userDefined'],
];

/** SentencePiece with byte fallback, as Llama 2 has it. */
export function sentencePieceFile(more: readonly TestEntry[] = []): Buffer {
  return vocabularyFile('llama', sentencePieceEntries, [
    ['tokenizer.ggml.bos_token_id', 'u32', 1],
    ['tokenizer.ggml.eos_token_id', 'u32', 2],
    ['tokenizer.ggml.unknown_token_id', 'u32', 0],
    ...more,
  ]);
}

const wordPieceEntries: readonly Entry[] = [
  ['[PAD]', 'control'],
  ['[UNK]', 'unknown'],
  ['[CLS]', 'control'],
  ['[SEP]', 'control'],
  ['[MASK]', 'control'],
  ...[
    '▁the',
    '▁cafe',
    '▁un',
    'afford',
    'able',
    '▁play',
    'ing',
    '▁.',
    '▁,',
    '▁!',
    '▁你',
    '▁好',
    '▁a',
    's',
    '▁strasse',
    '▁"',
    '▁$',
    '▁5',
  ].map((word): Entry => [word, 'normal']),
];

/** WordPiece as BERT has it. The file marks first pieces with ▁ and drops the ## of the others, as the converter does. */
export function wordPieceFile(): Buffer {
  return vocabularyFile('bert', wordPieceEntries, [
    ['bert.block_count', 'u32', 1],
    ['bert.context_length', 'u32', 64],
    ['bert.embedding_length', 'u32', 8],
    ['bert.feed_forward_length', 'u32', 8],
    ['bert.attention.head_count', 'u32', 1],
    ['bert.attention.layer_norm_epsilon', 'f32', 1e-12],
    ['tokenizer.ggml.unknown_token_id', 'u32', 1],
    ['tokenizer.ggml.cls_token_id', 'u32', 2],
    ['tokenizer.ggml.bos_token_id', 'u32', 2],
    ['tokenizer.ggml.seperator_token_id', 'u32', 3],
    ['tokenizer.ggml.eos_token_id', 'u32', 3],
    ['tokenizer.ggml.padding_token_id', 'u32', 0],
    ['tokenizer.ggml.mask_token_id', 'u32', 4],
  ]);
}

const unigramEntries: readonly Entry[] = [
  ['<pad>', 'control'],
  ['</s>', 'control'],
  ['<unk>', 'unknown'],
  ...(
    [
      ['▁', -3],
      ['▁the', -1],
      ['▁cat', -1],
      ['s', -2],
      ['▁s', -2.5],
      ['at', -2],
      ['c', -4],
      ['a', -4],
      ['t', -4],
      ['é', -4],
      ['.', -2],
      ['你', -4],
    ] as const
  ).map(([word, score]): Entry => [word, 'normal', score]),
  ['<extra_id_0>', 'control'],
];

/** Unigram as T5 has it, without a normalisation table. */
export function unigramFile(more: readonly TestEntry[] = []): Buffer {
  return vocabularyFile('t5', unigramEntries, [
    ['t5.block_count', 'u32', 1],
    ['t5.context_length', 'u32', 64],
    ['t5.embedding_length', 'u32', 8],
    ['t5.feed_forward_length', 'u32', 8],
    ['t5.attention.head_count', 'u32', 1],
    ['t5.attention.layer_norm_rms_epsilon', 'f32', 1e-6],
    ['t5.attention.relative_buckets_count', 'u32', 4],
    ['tokenizer.ggml.eos_token_id', 'u32', 1],
    ['tokenizer.ggml.unknown_token_id', 'u32', 2],
    ['tokenizer.ggml.padding_token_id', 'u32', 0],
    ['tokenizer.ggml.add_eos_token', 'bool', true],
    ['tokenizer.ggml.remove_extra_whitespaces', 'bool', true],
    ...more,
  ]);
}

/** A SentencePiece vocabulary that lacks byte fallback. */
export function incompleteSentencePieceFile(): Buffer {
  const entries = sentencePieceEntries.filter(([, kind]) => kind !== 'byte');
  return vocabularyFile('llama', entries, [
    ['tokenizer.ggml.bos_token_id', 'u32', 1],
    ['tokenizer.ggml.eos_token_id', 'u32', 2],
    ['tokenizer.ggml.unknown_token_id', 'u32', 0],
  ]);
}
