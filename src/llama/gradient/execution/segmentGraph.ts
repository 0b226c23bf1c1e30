/**
 * One piece of the forward pass, repeated node for node in a graph of our own, and its backward pass behind it.
 * The repeated nodes run the same kernels on the same operands as llama.cpp's, so as served they give the same bits.
 */
import { outOfMemory } from '../../../shared/errorCatalog.ts';
import { float32, readTensorHeader, type TensorHeader } from '../../graph/tensorHeader.ts';
import { writeOperator } from '../../graph/writeTensor.ts';
import type { Pointer } from '../../native/functions.ts';
import { isComputed } from '../tape/recordTape.ts';
import type { RuleTable } from '../rules/rule.ts';
import type { Tape, TapeLeaf, TapeNode, TapeTensor } from '../tape/tape.ts';
import type { GraphBackend } from './backend.ts';
import { BackwardPass } from './backwardPass.ts';
import { Emitter, type OperatorNumbers } from './emitter.ts';
import type { GraphMemory } from './graphMemory.ts';
import type { MatrixProducts } from './matrixProducts.ts';
import { newContext } from './tensorContext.ts';

export interface SegmentSpec {
  /** What is computed here, in order. */
  readonly nodes: readonly TapeNode[];
  /** Computed before and given: the residual stream of the segment below, or input embeddings. */
  readonly entering: readonly TapeNode[];
  /** Forward values read afterwards. */
  readonly kept: readonly TapeNode[];
  /** Where cotangents are put in; empty = no backward pass. */
  readonly seeds: readonly TapeNode[];
  /** Nodes, here or entering, whose gradient is read. */
  readonly wanted: readonly TapeNode[];
  /** Several backward passes follow one forward pass. */
  readonly repeated: boolean;
}

export interface SegmentParts {
  readonly tape: Tape;
  readonly backend: GraphBackend;
  readonly memory: GraphMemory;
  readonly numbers: OperatorNumbers;
  readonly needed: ReadonlySet<TapeTensor>;
  readonly rules: RuleTable;
  /** Forward passes that stand side by side: 2 where rules compare the input with a reference. */
  readonly runs: 1 | 2;
  /** @param inputs for tensors that keep their memory as long as the graph lives */
  readonly products: (emit: Emitter, inputs: Emitter) => MatrixProducts;
}

/** What one run is given: values of the entering nodes, in their order. */
export type EnteringValues = readonly Float32Array[];

/** Nodes of a backward graph for each node of the forward graph, at the most. */
const backwardNodes = 32;

export class SegmentGraph {
  /** Bytes of activations, gradients and inputs. */
  readonly bytes: number;
  readonly #parts: SegmentParts;
  readonly #spec: SegmentSpec;
  readonly #context: Pointer;
  /** Structs of what keeps its memory for as long as the graph lives: inputs, caches, seeds. */
  readonly #inputs: Pointer;
  readonly #emit: Emitter;
  readonly #inputEmit: Emitter;
  readonly #products: MatrixProducts;
  /** Of each run. */
  readonly #tensors: readonly Map<TapeTensor, TensorHeader>[];
  readonly #leaves: TapeLeaf[] = [];
  readonly #forward: Pointer;
  readonly #whole: Pointer;
  readonly #backwardGraph: Pointer;
  readonly #backward: BackwardPass | null;
  #buffer: Pointer = 0;
  #placed = false;

  constructor(parts: SegmentParts, spec: SegmentSpec) {
    this.#parts = parts;
    this.#spec = spec;
    const { backend, numbers } = parts;
    const { functions } = backend;
    const size = backwardNodes * spec.nodes.length + 1024;
    this.#context = newContext(functions, { tensors: size, graphs: [size, size, size] });
    this.#inputs = newContext(functions, {
      tensors: parts.runs * (2 * spec.nodes.length + spec.entering.length) + spec.seeds.length + 64,
    });
    this.#emit = new Emitter(functions, numbers, this.#context);
    this.#inputEmit = new Emitter(functions, numbers, this.#inputs);
    this.#products = parts.products(this.#emit, this.#inputEmit);
    this.#tensors = Array.from(
      { length: parts.runs },
      () => new Map(spec.entering.map((node) => [node, this.#inputEmit.tensor(node.header.type, node.header.ne)])),
    );
    this.#forward = functions.ggml_new_graph_custom(this.#context, size, false);
    this.#whole = functions.ggml_new_graph_custom(this.#context, size, false);
    this.#backwardGraph = functions.ggml_new_graph_custom(this.#context, size, false);
    for (let run = 0; run < parts.runs; run++) {
      for (const node of spec.nodes) {
        const { address } = this.#repeat(node, run);
        functions.ggml_build_forward_expand(this.#forward, address);
        functions.ggml_build_forward_expand(this.#whole, address);
      }
    }
    const forwardNodes = functions.ggml_graph_n_nodes(this.#whole);
    this.#backward = spec.seeds.length === 0 ? null : this.#layOutBackward();
    for (let index = forwardNodes; index < functions.ggml_graph_n_nodes(this.#whole); index++) {
      functions.ggml_graph_add_node(this.#backwardGraph, functions.ggml_graph_node(this.#whole, index));
    }
    this.#keepOutputs();
    // Untouched memory costs nothing; the allocator must know what it need not place.
    this.#buffer = functions.ggml_backend_alloc_ctx_tensors(this.#inputs, backend.address);
    if (this.#buffer === 0) {
      this.free();
      throw outOfMemory('the inputs of a gradient could not be allocated');
    }
    this.bytes = functions.ggml_backend_buffer_get_size(this.#buffer) + this.#planned();
  }

  /** Takes memory and fills the inputs. @throws E_OUT_OF_MEMORY */
  allocate(): void {
    const { backend, memory } = this.#parts;
    const { functions } = backend;
    if (this.#placed) return;
    // 0 × NaN is NaN: cells no token has written must hold nothing of an earlier run.
    functions.ggml_backend_buffer_clear(this.#buffer, 0);
    if (!memory.place(this.#whole)) {
      throw outOfMemory(`the ${Math.ceil(this.bytes / 1e6)} MB of a gradient could not be allocated`);
    }
    this.#placed = true;
    for (const leaf of this.#leaves) {
      if (leaf.bytes === null) continue;
      functions.ggml_backend_tensor_set(this.#tensor(leaf, 0).address, leaf.bytes, 0, leaf.bytes.length);
    }
  }

  /** @param entering values of `spec.entering`, in their order, of each run. @throws E_CANCELLED */
  runForward(entering: readonly EnteringValues[], shouldStop: () => boolean): void {
    this.#enter(entering);
    this.#parts.backend.compute(this.#forward, shouldStop);
  }

  /** @param seeds cotangents of `spec.seeds`, in their order, each as its tensor lies in memory. @throws E_CANCELLED */
  runBackward(seeds: readonly Float32Array[], shouldStop: () => boolean): void {
    this.#backward?.seeds.forEach((seed, index) => this.#write(seed, seeds[index] as Float32Array));
    this.#parts.backend.compute(this.#backwardGraph, shouldStop);
  }

  /** The forward value of a kept node or a cache as it lies in memory, and how; to be read before the backward pass. */
  value(node: TapeTensor, run = 0): { readonly header: TensorHeader; readonly raw: Float32Array } {
    const header = this.#tensor(node, run);
    return { header, raw: this.#read(header) };
  }

  /** The gradient of a wanted node, contiguous; zeros where nothing reached it. */
  gradient(node: TapeNode): Float32Array {
    const found = this.#backward?.wanted.get(node);
    if (found !== undefined) return this.#read(found);
    return new Float32Array(node.header.ne.reduce((product, count) => product * count, 1));
  }

  /**
   * Runs the forward nodes one by one until one gives a NaN or an infinity.
   * @returns that node, or null
   */
  firstNonFinite(entering: readonly EnteringValues[], shouldStop: () => boolean): TapeNode | null {
    this.#enter(entering);
    for (let run = 0; run < this.#parts.runs; run++) {
      for (const node of this.#spec.nodes) {
        const tensor = this.#tensor(node, run);
        this.#computeAlone(tensor.address, shouldStop);
        // A view into a cache sees cells nobody wrote; they are zero.
        if (tensor.type === float32 && !this.#read(tensor).every(Number.isFinite)) return node;
      }
    }
    return null;
  }

  /**
   * Runs every node of both passes one by one, in order.
   * @param visit gets the result's header, the pass it belongs to, and a function that computes it
   */
  forEachNode(
    entering: readonly EnteringValues[],
    seeds: readonly Float32Array[],
    visit: (tensor: TensorHeader, pass: 'forward' | 'backward', compute: () => void) => void,
  ): void {
    const { functions } = this.#parts.backend;
    this.#enter(entering);
    this.#backward?.seeds.forEach((seed, index) => this.#write(seed, seeds[index] as Float32Array));
    for (const [graph, pass] of [
      [this.#forward, 'forward'],
      [this.#backwardGraph, 'backward'],
    ] as const) {
      for (let index = 0; index < functions.ggml_graph_n_nodes(graph); index++) {
        const address = functions.ggml_graph_node(graph, index);
        visit(readTensorHeader(address), pass, () => this.#computeAlone(address, () => false));
      }
    }
  }

  free(): void {
    const { functions } = this.#parts.backend;
    if (this.#buffer !== 0) functions.ggml_backend_buffer_free(this.#buffer);
    functions.ggml_free(this.#context);
    functions.ggml_free(this.#inputs);
  }

  /** The same operation on this graph's operands. */
  #repeat(node: TapeNode, run: number): TensorHeader {
    const replaced =
      node.operator === 'MUL_MAT' || node.operator === 'MUL_MAT_ID'
        ? this.#products.forward(node, (tensor) => this.#tensor(tensor, run))
        : null;
    const tensor = replaced ?? this.#copyOf(node, run);
    this.#tensors[run]?.set(node, tensor);
    return tensor;
  }

  #copyOf(node: TapeNode, run: number): TensorHeader {
    const { address } = this.#emit.tensor(node.header.type, node.header.ne);
    return writeOperator(address, {
      like: node.header,
      sources: node.sources.map((source) => (source === null ? 0 : this.#tensor(source, run).address)),
      ...this.#placeOf(node, run),
    });
  }

  /** Where a view's memory is. A root that was computed in an earlier segment is reached through the operand, which entered. */
  #placeOf(node: TapeNode, run: number): { readonly viewSource: Pointer; readonly viewOffset: number } {
    const { root, header } = node;
    if (root === null) return { viewSource: 0, viewOffset: 0 };
    if (root.kind !== 'node' || this.#tensors[run]?.has(root)) {
      return { viewSource: this.#tensor(root, run).address, viewOffset: header.viewOffset };
    }
    const [source] = node.sources;
    if (source === undefined || source === null) throw new Error(`the view ${header.name} looks at nothing`);
    return { viewSource: this.#tensor(source, run).address, viewOffset: header.viewOffset - source.header.viewOffset };
  }

  /** Inputs are the same in every run; what is computed or cached is not. */
  #tensor(tensor: TapeTensor, run: number): TensorHeader {
    const tensors = this.#tensors[tensor.kind === 'input' ? 0 : run];
    const known = tensors?.get(tensor);
    if (known !== undefined) return known;
    if (tensor.kind === 'node') throw new Error(`${tensor.header.name} was not computed in this segment`);
    const made = tensor.kind === 'weight' ? tensor.header : this.#inputEmit.tensor(tensor.header.type, tensor.header.ne);
    if (tensor.kind !== 'weight') this.#leaves.push(tensor);
    tensors?.set(tensor, made);
    return made;
  }

  #layOutBackward(): BackwardPass {
    const { tape, needed, rules, backend } = this.#parts;
    const pass = new BackwardPass({
      emit: this.#emit,
      inputs: this.#inputEmit,
      products: this.#products,
      tokens: tape.tokens,
      needed,
      rules,
      tensor: (tensor, run) => this.#tensor(tensor, run),
      place: (gradient) => backend.functions.ggml_build_forward_expand(this.#whole, gradient.address),
    });
    pass.layOut(this.#spec.nodes.filter(isComputed), this.#spec.seeds, this.#spec.wanted);
    return pass;
  }

  /** Tells the allocator whose memory must outlive its last use. */
  #keepOutputs(): void {
    const { functions } = this.#parts.backend;
    const keep = (node: TapeTensor) => {
      for (let tensor: TapeTensor | null = node; tensor !== null; tensor = tensor.root) {
        for (const tensors of this.#tensors) {
          const found = tensors.get(tensor);
          if (found !== undefined) functions.ggml_set_output(found.address);
        }
      }
    };
    for (const node of this.#spec.kept) keep(node);
    for (const tensor of this.#backward?.demanded ?? []) {
      // A normalisation that is fused with the product behind it would not be written at all.
      if (tensor.kind === 'node' && (this.#spec.repeated || tensor.operator === 'RMS_NORM')) keep(tensor);
    }
    for (const gradient of this.#backward?.wanted.values() ?? []) {
      functions.ggml_set_output(gradient.address);
      if (gradient.viewSource !== 0) functions.ggml_set_output(gradient.viewSource);
    }
  }

  #planned(): number {
    const { functions, bufferType } = this.#parts.backend;
    const allocator = functions.ggml_gallocr_new(bufferType);
    const sizes = new BigUint64Array(16);
    functions.ggml_gallocr_reserve_n_size(allocator, this.#whole, null, null, sizes);
    functions.ggml_gallocr_free(allocator);
    return Number(sizes[0]);
  }

  #enter(values: readonly EnteringValues[]): void {
    values.forEach((own, run) =>
      this.#spec.entering.forEach((node, index) => this.#write(this.#tensor(node, run), own[index] as Float32Array)),
    );
  }

  /** One node in a graph of its own; its operands must stand. */
  #computeAlone(address: Pointer, shouldStop: () => boolean): void {
    const { backend } = this.#parts;
    const context = newContext(backend.functions, { tensors: 0, graphs: [1] });
    try {
      const graph = backend.functions.ggml_new_graph_custom(context, 1, false);
      backend.functions.ggml_graph_add_node(graph, address);
      backend.compute(graph, shouldStop);
    } finally {
      backend.functions.ggml_free(context);
    }
  }

  #write({ address }: TensorHeader, values: Float32Array): void {
    this.#parts.backend.functions.ggml_backend_tensor_set(address, values, 0, values.byteLength);
  }

  /** The bytes of the tensor, with the gaps a view may have. */
  #read(tensor: TensorHeader): Float32Array {
    const { functions } = this.#parts.backend;
    const bytes = functions.ggml_nbytes(tensor.address);
    const raw = new Float32Array(bytes / 4);
    functions.ggml_backend_tensor_get(tensor.address, raw, 0, bytes);
    return raw;
  }
}
