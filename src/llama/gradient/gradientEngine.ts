/** `model.gradient` on llama.cpp: records the pass, plans its memory, and runs it forward and backward. */
import os from 'node:os';
import type {
  GradientOptions,
  GradientPathRequest,
  GradientPathResult,
  GradientPlan,
  GradientRequest,
  GradientResult,
  GradientTarget,
} from '../../model/gradient.ts';
import type { Precision, Tensor } from '../../model/model.ts';
import { gradientMemory, gradientUnsupported, numeric, patchShape, siteUnknown } from '../../shared/errorCatalog.ts';
import type { Cancellation } from '../evaluation/cancellation.ts';
import { checkTokens } from '../evaluation/checkRequest.ts';
import type { Evaluator } from '../evaluation/forward.ts';
import { operatorNames } from '../native/guard.ts';
import { type KernelChoice, loadKernel } from '../native/kernel.ts';
import { resolveCapture } from '../sites/resolveSite.ts';
import { checkTarget } from './checkGradientRequest.ts';
import { AttentionRoles } from './execution/attentionRoles.ts';
import { GraphBackend } from './execution/backend.ts';
import { type OperatorNumbers, operatorNumbers } from './execution/emitter.ts';
import { GgmlProducts } from './execution/ggmlProducts.ts';
import { GraphMemory } from './execution/graphMemory.ts';
import { KernelProducts } from './execution/kernelProducts.ts';
import { kernelFault } from './execution/kernelSelfTest.ts';
import type { SegmentParts } from './execution/segmentGraph.ts';
import { WeightStore } from './execution/weightStore.ts';
import { GradientProgram, type NodeTime } from './gradientProgram.ts';
import { siteOnTape } from './siteTensors.ts';
import { firstObstacle } from './tape/dependencies.ts';
import { recordTape } from './tape/recordTape.ts';
import type { Tape } from './tape/tape.ts';
import { rowsOf } from './targetSeed.ts';

export interface GradientSettings {
  readonly threads: number;
  /** Bytes a gradient may take; 0 = half of what is free when it is asked for. */
  readonly gradientBytes: number;
  /** Bytes of weights kept between gradients; undefined = a quarter of what is free when the first one is asked for. */
  readonly weightBytes: number | undefined;
  /** `ggml`: leave our own kernel aside. */
  readonly kernel: 'auto' | 'ggml';
  /** `plain`: the backward pass in doubles, operator by operator, as a reference. */
  readonly executor: 'graph' | 'plain';
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
    const { embeddings = null } = request;
    const prepared = this.#prepare(request, embeddings !== null, cancellation, options);
    try {
      const { program, parts, plan } = prepared;
      const run =
        this.#settings.executor === 'plain'
          ? program.runPlain(parts, embeddings, cancellation.requested)
          : program.run(parts, embeddings, cancellation.requested, options.onProgress);
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
    this.#checkEmbeddings(tokens, from);
    this.#checkEmbeddings(tokens, to);
    const precision = request.precision === undefined ? {} : { precision: request.precision };
    const prepared = this.#prepare({ tokens, targets: [target], at, ...precision }, true, cancellation, options);
    const values = new Float64Array(points.length);
    const sums = new Map<string, { shape: readonly number[]; sum: Float64Array }>();
    try {
      const { program, parts } = prepared;
      for (const [index, { fraction, weight }] of points.entries()) {
        const embeddings = from.map((value, place) => value + fraction * ((to[place] as number) - value));
        const { targets } = program.run(parts, embeddings, cancellation.requested);
        const [found] = targets;
        if (found === undefined) throw numeric('the target');
        values[index] = found.value;
        for (const [site, tensor] of found.gradients) addWeighted(sums, site, tensor, weight);
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

  free(): void {
    this.#memory?.free();
    this.#weights?.free();
    this.#backend?.free();
    this.#weights = null;
    this.#backend = null;
    this.#memory = null;
  }

  #prepare(request: GradientRequest, givesEmbeddings: boolean, cancellation: Cancellation, options: GradientOptions): Prepared {
    const { tokens, targets, at, capture = [], precision = 'as-served' } = request;
    const { info, sites, contexts, native } = this.#evaluator;
    checkTokens(tokens, info);
    if (request.embeddings !== undefined) this.#checkEmbeddings(tokens, request.embeddings);
    for (const target of targets) checkTarget(target, tokens.length, info, sites);
    const resolve = (site: (typeof at)[number]) => resolveCapture({ site }, sites, info);
    for (const site of at)
      if (site.kind === 'logits') throw siteUnknown('logits', 'a derivative by the logits is the target itself', ['embed']);
    const cotangents = targets.flatMap((target) =>
      target.kind === 'cotangent' ? [[target, resolve(target.site)] as const] : [],
    );
    const allRows = [...capture.map(resolve), ...cotangents.map(([, site]) => site)].some((site) => site.outputRowsOnly);
    cancellation.check();
    const context = contexts.acquire(tokens.length);
    const tape = recordTape(context, native.functions, this.#operators, {
      tokens,
      outputs: outputsOf(targets, tokens.length, allRows),
    });
    const onTape = (site: (typeof at)[number]) => siteOnTape(resolve(site), tape);
    const logits = onTape({ kind: 'logits' });
    const program = new GradientProgram({
      tape,
      targets,
      at: at.map(onTape),
      capture: capture.map(onTape),
      cotangentSites: new Map<GradientTarget, ReturnType<typeof onTape>>(
        cotangents.map(([target, site]) => [target, siteOnTape(site, tape)]),
      ),
      logits: logits.tapeNode,
      embed: givesEmbeddings ? onTape({ kind: 'embed' }).tapeNode : null,
      borders: Array.from({ length: info.layers - 1 }, (_, layer) => sites.get(`resid_post.${layer}`)).flatMap((site) =>
        site === undefined ? [] : [siteOnTape(site, tape).tapeNode],
      ),
    });
    const obstacle = firstObstacle(program.nodes, program.needed, this.#numbers, tokens.length);
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
      products: this.#products(tape, weights, precision),
    };
    try {
      const plan = this.#plan(program, parts, weights, precision);
      options.onPlan?.(plan);
      weights.fill(cancellation.requested);
      return { program, parts, plan };
    } catch (error) {
      program.free();
      throw error;
    }
  }

  /** Checked once: a kernel that computes something else on this machine is left aside, and the log says so. */
  #chooseKernel(backend: GraphBackend): KernelChoice {
    if (this.#kernel !== null) return this.#kernel;
    let choice = this.#settings.kernel === 'ggml' ? notAskedFor : loadKernel();
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
        weights.budget = 0;
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
    if (memory !== null && weights !== null && memory.bytes + weights.bytes > weights.budget) memory.free();
  }

  #checkEmbeddings(tokens: Int32Array, embeddings: Float32Array): void {
    const expected = tokens.length * this.#evaluator.info.hidden;
    if (embeddings.length !== expected) throw patchShape('embed', expected, embeddings.length);
  }
}

/** Rows of logits that must be computed. */
function outputsOf(targets: readonly GradientTarget[], tokens: number, all: boolean): number[] {
  if (all) return Array.from({ length: tokens }, (_, position) => position);
  const rows = new Set(targets.flatMap((target) => (target.kind === 'cotangent' ? [] : rowsOf(target))));
  return rows.size === 0 ? [tokens - 1] : [...rows].sort((a, b) => a - b);
}

function addWeighted(
  sums: Map<string, { shape: readonly number[]; sum: Float64Array }>,
  site: string,
  { shape, data }: Tensor,
  weight: number,
): void {
  const { sum } = sums.get(site) ?? { sum: new Float64Array(data.length) };
  data.forEach((value, index) => {
    sum[index] = (sum[index] as number) + weight * value;
  });
  sums.set(site, { shape, sum });
}
