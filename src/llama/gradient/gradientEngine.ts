/** `model.gradient` on llama.cpp: records the pass, plans its memory, and runs it forward and backward. */
import os from 'node:os';
import type {
  GradientOptions,
  GradientPathRequest,
  GradientPathResult,
  GradientPlan,
  GradientRequest,
  GradientResult,
  GradientRules,
} from '../../model/gradient.ts';
import type { Precision, Tensor } from '../../model/model.ts';
import { gradientMemory, gradientUnsupported, numeric } from '../../shared/errorCatalog.ts';
import type { Cancellation } from '../../model/runtime/cancellation.ts';
import type { Evaluator } from '../evaluation/forward.ts';
import { operatorNames } from '../native/guard.ts';
import { type KernelChoice, type KernelLoader, loadKernel } from '../native/kernel.ts';
import { checkEmbeddings, checkPoints } from '../../model/runtime/checkGradientRequest.ts';
import { AttentionRoles } from './execution/attentionRoles.ts';
import { GraphBackend } from './execution/backend.ts';
import { type OperatorNumbers, operatorNumbers } from './execution/emitter.ts';
import { GgmlProducts } from './execution/ggmlProducts.ts';
import { GraphMemory } from './execution/graphMemory.ts';
import { KernelProducts } from './execution/kernelProducts.ts';
import { kernelFault } from './execution/kernelSelfTest.ts';
import type { SegmentParts } from './execution/segmentGraph.ts';
import { WeightStore } from './execution/weightStore.ts';
import type { GradientProgram, NodeTime } from './gradientProgram.ts';
import type { RuleTable } from './rules/rule.ts';
import { programFor } from './programFor.ts';
import { firstObstacle, flowingNodes } from './tape/dependencies.ts';
import type { Tape } from './tape/tape.ts';

export interface GradientSettings {
  readonly threads: number;
  /** Bytes a gradient may take; 0 = half of what is free when it is asked for. */
  readonly gradientBytes: number;
  /** Bytes of weights kept between gradients; undefined = a quarter of what is free when the first one is asked for. */
  readonly weightBytes: number | undefined;
  /** `ggml`: leave our own kernel aside. A function: take the kernel it gives. */
  readonly kernel: 'auto' | 'ggml' | KernelLoader;
  /** `plain`: the backward pass in doubles, operator by operator, as a reference. */
  readonly executor: 'graph' | 'plain';
  /** Operators a gradient can flow through, and how. */
  readonly rules: Readonly<Record<GradientRules, RuleTable>>;
}

/** What still works on a model through which no gradient can be taken. */
const withoutGradients = ['occlusion', 'attention'];

export interface GradientProfile {
  /** Names by number. */
  readonly operators: readonly string[];
  readonly nodes: readonly NodeTime[];
}

const notAskedFor: KernelChoice = { kernel: null, reason: 'it was not asked for' };

interface Prepared {
  readonly program: GradientProgram;
  readonly parts: SegmentParts;
  readonly plan: GradientPlan;
}

export class GradientEngine {
  readonly #evaluator: Evaluator;
  readonly #settings: GradientSettings;
  readonly #numbers: OperatorNumbers;
  readonly #operators: readonly string[];
  #kernel: KernelChoice | null = null;
  #backend: GraphBackend | null = null;
  #weights: WeightStore | null = null;
  #memory: GraphMemory | null = null;

  constructor(evaluator: Evaluator, settings: GradientSettings) {
    this.#evaluator = evaluator;
    this.#settings = settings;
    this.#numbers = operatorNumbers(evaluator.native.functions);
    this.#operators = operatorNames(evaluator.native.functions);
  }

  /**
   * @throws E_TOKEN_RANGE, E_CONTEXT_OVERFLOW, E_SITE_UNKNOWN, E_LAYER_RANGE, E_PATCH_SHAPE, E_GRADIENT_TARGET,
   * E_GRADIENT_UNSUPPORTED, E_GRADIENT_MEMORY, E_NUMERIC, E_CANCELLED, E_OUT_OF_MEMORY
   */
  gradient(request: GradientRequest, cancellation: Cancellation, options: GradientOptions): GradientResult {
    const { embeddings = null, reference } = request;
    const prepared = this.#prepare(request, embeddings !== null, cancellation, options);
    try {
      const { program, parts, plan } = prepared;
      const run =
        this.#settings.executor === 'plain'
          ? program.runPlain(parts, embeddings, cancellation.requested)
          : program.run(
              parts,
              reference === undefined ? [embeddings] : [embeddings, reference],
              cancellation.requested,
              options.onProgress,
            );
      return { precision: plan.precision, plan, ...run };
    } finally {
      this.#finish(prepared.program);
    }
  }

  /** @throws as `gradient` */
  async gradientAlong(
    request: GradientPathRequest,
    cancellation: Cancellation,
    options: GradientOptions,
  ): Promise<GradientPathResult> {
    const { tokens, target, at, from, to, points } = request;
    checkPoints(points);
    for (const end of [from, to]) checkEmbeddings(tokens, end, this.#evaluator.info);
    const precision = request.precision === undefined ? {} : { precision: request.precision };
    const prepared = this.#prepare({ tokens, targets: [target], at, ...precision }, true, cancellation, options);
    const values = new Float64Array(points.length);
    const sums = new Map(
      [...prepared.program.zeroGradients()].map(([site, { shape, data }]) => [
        site,
        { shape, sum: new Float64Array(data.length) },
      ]),
    );
    try {
      const { program, parts } = prepared;
      for (const [index, { fraction, weight }] of points.entries()) {
        const embeddings = from.map((value, place) => value + fraction * ((to[place] as number) - value));
        const { targets } = program.run(parts, [embeddings], cancellation.requested);
        const [found] = targets;
        if (found === undefined) throw numeric('the target');
        values[index] = found.value;
        for (const [site, tensor] of found.gradients) addWeighted(sums.get(site)?.sum ?? new Float64Array(), tensor, weight);
        options.onProgress?.(index + 1, points.length);
        await cancellation.breathe();
      }
    } finally {
      this.#finish(prepared.program);
    }
    const gradients = new Map(
      [...sums].map(([site, { shape, sum }]): [string, Tensor] => [site, { shape, data: Float32Array.from(sum) }]),
    );
    return { precision: prepared.plan.precision, plan: prepared.plan, values, gradients };
  }

  /** What each node of a gradient costs: for `bench/gradientProfile.ts`. */
  profile(request: GradientRequest, cancellation: Cancellation, time: (run: () => void) => number): GradientProfile {
    const { program, parts } = this.#prepare(request, false, cancellation, {});
    try {
      return { operators: this.#operators, nodes: program.profile(parts, time) };
    } finally {
      this.#finish(program);
    }
  }

  /** What a gradient would flow through, in order of computation. */
  nodes(request: GradientRequest): { readonly operator: string; readonly name: string }[] {
    const { program } = programFor(this.#evaluator, this.#operators, request, false);
    return flowingNodes(program.nodes, program.needed).map(({ operator, header }) => ({ operator, name: header.name }));
  }

  free(): void {
    this.#memory?.free();
    this.#weights?.free();
    this.#backend?.free();
    this.#weights = null;
    this.#backend = null;
    this.#memory = null;
  }

  #prepare(request: GradientRequest, givesEmbeddings: boolean, cancellation: Cancellation, options: GradientOptions): Prepared {
    const { tokens, precision = 'as-served' } = request;
    const { native } = this.#evaluator;
    const rules = this.#settings.rules[request.rules ?? 'exact'];
    cancellation.check();
    const { program, tape } = programFor(this.#evaluator, this.#operators, request, givesEmbeddings);
    const obstacle = firstObstacle(rules, program.nodes, program.needed, this.#numbers, tokens.length);
    if (obstacle !== null) {
      const { node, layer, why } = obstacle;
      const where = `${node.operator} (tensor ${node.header.name}${layer === null ? '' : `, layer ${layer}`})`;
      throw gradientUnsupported(where, why, withoutGradients);
    }
    const backend = (this.#backend ??= new GraphBackend(native.functions, this.#settings.threads));
    const weights = (this.#weights ??= new WeightStore(
      backend,
      this.#numbers,
      this.#settings.weightBytes ?? Math.floor(os.freemem() / 4),
    ));
    const parts: SegmentParts = {
      tape,
      backend,
      memory: (this.#memory ??= new GraphMemory(backend)),
      numbers: this.#numbers,
      needed: program.needed,
      rules,
      runs: request.reference === undefined ? 1 : 2,
      products: this.#products(tape, weights, precision),
    };
    try {
      const plan = this.#plan(program, parts, weights, precision);
      options.onPlan?.(plan);
      weights.fill(cancellation.requested);
      return { program, parts, plan };
    } catch (error) {
      this.#finish(program);
      throw error;
    }
  }

  /** Checked once: a kernel that computes something else on this machine is left aside, and the log says so. */
  #chooseKernel(backend: GraphBackend): KernelChoice {
    if (this.#kernel !== null) return this.#kernel;
    const { kernel } = this.#settings;
    let choice = kernel === 'ggml' ? notAskedFor : kernel === 'auto' ? loadKernel() : kernel();
    if (choice.kernel !== null) {
      const fault = kernelFault(backend, this.#numbers, choice.kernel);
      if (fault !== null) choice = { kernel: null, reason: fault };
    }
    if (choice.kernel === null && choice !== notAskedFor) {
      process.stderr.write(
        `The kernel for gradients is not used: ${choice.reason}. Gradients run on ggml's operators, more slowly.\n`,
      );
    }
    this.#kernel = choice;
    return choice;
  }

  #products(tape: Tape, weights: WeightStore, precision: Precision): SegmentParts['products'] {
    const { kernel } = this.#chooseKernel(weights.backend);
    if (kernel === null) return (emit) => new GgmlProducts(emit, weights, precision);
    const roles = new AttentionRoles(tape);
    const { threads } = this.#settings;
    return (emit, inputs) => {
      const fallback = new GgmlProducts(emit, weights, precision);
      return new KernelProducts({ emit, inputs, kernel, threads, weights, precision, roles, fallback });
    };
  }

  /** The fewest segments that fit. Kept weights give way before anything is computed twice. @throws E_GRADIENT_MEMORY */
  #plan(program: GradientProgram, parts: SegmentParts, weights: WeightStore, precision: Precision): GradientPlan {
    const limitBytes = this.#settings.gradientBytes > 0 ? this.#settings.gradientBytes : Math.floor(os.freemem() / 2);
    const { layers } = this.#evaluator.info;
    let smallest = Number.POSITIVE_INFINITY;
    for (let count = 1; ; count = Math.min(2 * count, layers)) {
      let activationBytes = program.plan(parts, count);
      if (activationBytes + weights.bytes > limitBytes && weights.bytes > 0) {
        program.free();
        weights.free();
        weights.paused = true;
        activationBytes = program.plan(parts, count);
      }
      const peakBytes = activationBytes + weights.bytes;
      smallest = Math.min(smallest, peakBytes);
      if (peakBytes <= limitBytes) {
        const { segments } = program;
        return {
          precision,
          peakBytes,
          activationBytes,
          weightBytes: weights.bytes,
          limitBytes,
          segments,
          kernel: this.#kernel?.kernel ? 'loupe' : 'ggml',
        };
      }
      if (count >= layers) break;
    }
    throw gradientMemory(smallest, limitBytes, 'even recomputed block by block, a pass over this prompt does not fit');
  }

  /** Ends a run. Its memory is kept for the next one if the budget for what is kept has room for it beside the weights. */
  #finish(program: GradientProgram): void {
    program.free();
    const [memory, weights] = [this.#memory, this.#weights];
    if (weights !== null) weights.paused = false;
    if (memory !== null && weights !== null && memory.bytes + weights.bytes > weights.budget) memory.free();
  }
}

function addWeighted(sum: Float64Array, { data }: Tensor, weight: number): void {
  data.forEach((value, index) => {
    sum[index] = (sum[index] as number) + weight * value;
  });
}
