import { onnxUnsupported } from '../../shared/onnxErrors.ts';
import { elementTypes, type GraphValue } from '../graph/graph.ts';
import { filledData, type TensorValue } from './tensorValue.ts';

export interface FeedOptions {
  /** Width of a head, for files that leave it open in the shape of past keys. */
  readonly headSize?: number;
  /** Keys and values of tokens read before, by input name, and their number. Default: none. */
  readonly past?: { readonly length: number; readonly values: Readonly<Record<string, TensorValue>> };
  /** Tokens at the left that only fill up and must not be seen. Default 0. */
  readonly padding?: number;
  /** Name of the model, for messages. */
  readonly model?: string;
}

/** What an input is for. Exporters agree on names of inputs, unlike on names of anything else; `tokenInput` knows one that has another. */
type Role = 'ids' | 'mask' | 'position' | 'segment' | 'past' | 'useCache' | 'keepAll' | 'pastLength' | 'totalLength' | null;

export function inputRole({ name, type }: GraphValue): Role {
  const lower = name.toLowerCase();
  if (lower.includes('use_cache')) return 'useCache';
  if (/logits_to_keep/.test(lower)) return 'keepAll';
  if (/past_seq/.test(lower)) return 'pastLength';
  if (/total_seq/.test(lower)) return 'totalLength';
  if (/past|cache\.|cache_(key|value)/.test(lower)) return 'past';
  if (/mask/.test(lower)) return 'mask';
  if (/position/.test(lower)) return 'position';
  if (/token_type|segment/.test(lower)) return 'segment';
  return isWhole(type) && /ids|tokens|input/.test(lower) ? 'ids' : null;
}

/**
 * The input of token ids: the first that is called so; where none is, the only input of whole numbers [batch, tokens] whose name says nothing.
 */
export function tokenInput(inputs: readonly GraphValue[]): GraphValue | undefined {
  const unnamed = inputs.filter((input) => inputRole(input) === null);
  const [only] = unnamed;
  return (
    inputs.find((input) => inputRole(input) === 'ids') ??
    (unnamed.length === 1 && only?.dims?.length === 2 && isWhole(only.type) ? only : undefined)
  );
}

function isWhole(type: number): boolean {
  return type === elementTypes.int64 || type === elementTypes.int32;
}

/**
 * Values for every input of a decoder or encoder that reads these tokens, as one sequence.
 * @param ids token ids [tokens]; with padding, the fillers come first
 * @throws E_ONNX_UNSUPPORTED for an input whose purpose is not known, for two of token ids, or for a shape that is fixed to another length
 */
export function feeds(
  inputs: readonly GraphValue[],
  ids: readonly number[],
  options: FeedOptions = {},
): Record<string, TensorValue> {
  const [first, second] = inputs
    .filter((input) => inputRole(input) === 'ids')
    .map(({ name }) => JSON.stringify(name.slice(0, 100)));
  // A model of two texts (translation), or a mask that an exporter gave no name: fed with ids it would compute something else in silence.
  if (second !== undefined)
    throw onnxUnsupported(options.model ?? 'the model', `its inputs ${first} and ${second} both seem to take token ids`);
  const tokens = tokenInput(inputs);
  return Object.fromEntries(
    inputs.map((input) => [input.name, feed(input, input === tokens ? 'ids' : inputRole(input), ids, options)]),
  );
}

/** An input of a real model has a number for each token, or for each pair of them. */
const mostNumbers = 2 ** 28;

function feed(input: GraphValue, role: Role, ids: readonly number[], options: FeedOptions): TensorValue {
  const refuse = (why: string) =>
    onnxUnsupported(options.model ?? 'the model', `its input ${JSON.stringify(input.name.slice(0, 100))} ${why}`);
  const given = options.past?.values[input.name];
  if (given !== undefined) return given;
  const dims = sizes(input, role, ids.length, options);
  if (role === null || dims === null) throw refuse('has a purpose or a shape that is not known');
  if (role === 'ids' && dims.at(-1) !== ids.length)
    throw refuse(`takes exactly ${dims.at(-1)} tokens, so no prompt of another length can be read`);
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (!(count <= mostNumbers)) throw refuse('has a shape of more numbers than any prompt needs');
  const data = filledData(input.type, count, valueAt(input, role, dims, ids, options));
  if (data === null) throw refuse(`has the element type ${input.type}, which cannot be given`);
  return { type: input.type, dims, data };
}

function sizes({ dims }: GraphValue, role: Role, tokens: number, options: FeedOptions): number[] | null {
  if (dims === null) return null;
  const past = options.past?.length ?? 0;
  const open = (axis: number): number => {
    if (axis === 0 && (dims.length > 1 || role === 'useCache')) return 1;
    if (role === 'past') return axis === dims.length - 1 ? (options.headSize ?? 0) : axis === dims.length - 2 ? 0 : 1;
    if (role === 'mask') return dims.length === 4 && axis === 1 ? 1 : axis === dims.length - 1 ? past + tokens : tokens;
    return role === 'useCache' || role === 'pastLength' || role === 'totalLength' || role === 'keepAll' ? 1 : tokens;
  };
  return dims.map((dim, axis) => (typeof dim === 'number' ? dim : open(axis)));
}

function valueAt(
  { type }: GraphValue,
  role: Role,
  dims: readonly number[],
  ids: readonly number[],
  { past, padding = 0 }: FeedOptions,
): (index: number) => number {
  const pastLength = past?.length ?? 0;
  switch (role) {
    case 'ids':
      return (i) => ids[i % ids.length] ?? 0;
    case 'position':
      return (i) => Math.max(0, pastLength + (i % ids.length) - padding);
    case 'mask': {
      const columns = dims.at(-1) ?? 1;
      // A mask of one number a pair of tokens is added to scores when it is a float: 0 lets through.
      if (dims.length === 4 && isFloat(type)) return () => 0;
      return (i) => (i % columns < padding ? 0 : 1);
    }
    case 'pastLength':
      return () => pastLength;
    case 'totalLength':
      return () => pastLength + ids.length;
    case 'useCache':
      return () => (pastLength > 0 ? 1 : 0);
    default:
      return () => 0;
  }
}

function isFloat(type: number): boolean {
  return type === elementTypes.float32 || type === elementTypes.float16 || type === elementTypes.float64;
}
