/** Records the graph of one forward pass without computing it: nodes, operands, parameters, and a copy of every input. */
import type { LlamaContext } from '../../evaluation/context.ts';
import { readTensorHeader } from '../../graph/tensorHeader.ts';
import type { NativeFunctions, Pointer } from '../../native/functions.ts';
import type { Tape, TapeLeaf, TapeNode, TapeTensor } from './tape.ts';

const weightUsage = 1;
/** Set on nodes whose result is used. */
const computeFlag = 16;

/**
 * @param operators names by number
 * @param outputs positions whose logits are wanted, ascending, at least one
 */
export function recordTape(
  context: LlamaContext,
  functions: NativeFunctions,
  operators: readonly string[],
  { tokens, outputs }: { readonly tokens: Int32Array; readonly outputs: readonly number[] },
): Tape {
  const recorder = new Recorder(functions, operators);
  context.survey(
    tokens,
    {
      wants(_index, tensor) {
        recorder.add(tensor);
        return false;
      },
      ready: () => undefined,
    },
    outputs,
  );
  return { tokens: tokens.length, outputs, nodes: recorder.nodes };
}

class Recorder {
  readonly nodes: TapeNode[] = [];
  readonly #functions: NativeFunctions;
  readonly #operators: readonly string[];
  readonly #byAddress = new Map<Pointer, TapeTensor>();

  constructor(functions: NativeFunctions, operators: readonly string[]) {
    this.#functions = functions;
    this.#operators = operators;
  }

  add(address: Pointer): void {
    const header = readTensorHeader(address);
    const node: TapeNode = {
      kind: 'node',
      index: this.nodes.length,
      operator: this.#operators[header.operator] ?? '?',
      header,
      sources: header.sources.map((source) => (source === 0 ? null : this.#tensor(source))),
      root: header.viewSource === 0 ? null : this.#tensor(header.viewSource),
    };
    this.#byAddress.set(address, node);
    this.nodes.push(node);
    if (node.operator === 'SET_ROWS' && node.root !== null && node.root.kind !== 'node') node.root.writers.push(node);
  }

  #tensor(address: Pointer): TapeTensor {
    const known = this.#byAddress.get(address);
    if (known !== undefined) return known;
    const header = readTensorHeader(address);
    const kind = this.#leafKind(header.buffer, header.name);
    const leaf: TapeLeaf = {
      kind,
      header,
      root: header.viewSource === 0 ? null : this.#tensor(header.viewSource),
      bytes: kind === 'input' && header.data !== 0 ? this.#copy(address) : null,
      writers: [],
    };
    this.#byAddress.set(address, leaf);
    return leaf;
  }

  #leafKind(buffer: Pointer, name: string): TapeLeaf['kind'] {
    if (buffer !== 0 && this.#functions.ggml_backend_buffer_get_usage(buffer) === weightUsage) return 'weight';
    return name.startsWith('cache_') ? 'cache' : 'input';
  }

  /** Inputs are copied when they are first seen: the graph's memory may be used again for something else. */
  #copy(address: Pointer): Uint8Array {
    const bytes = new Uint8Array(this.#functions.ggml_nbytes(address));
    this.#functions.ggml_backend_tensor_get(address, bytes, 0, bytes.length);
    return bytes;
  }
}

export function isComputed({ header }: TapeNode): boolean {
  return (header.flags & computeFlag) !== 0;
}
