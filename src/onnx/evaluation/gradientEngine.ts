/** `model.gradient` on ONNX Runtime: writes the backward graph for a length, prepares a session for it once, and runs it. */
import os from 'node:os';
import type {
  GradientOptions,
  GradientPathRequest,
  GradientPathResult,
  GradientPlan,
  GradientRequest,
  GradientResult,
  GradientTarget,
  TargetGradient,
} from '../../model/gradient.ts';
import type { Precision, Tensor } from '../../model/model.ts';
import type { Cancellation } from '../../model/runtime/cancellation.ts';
import { checkEmbeddings, checkPoints, checkRules, checkTarget } from '../../model/runtime/checkGradientRequest.ts';
import { checkTokens } from '../../model/runtime/checkRequest.ts';
import { resolveCapture } from '../../model/runtime/resolveSite.ts';
import { allFinite } from '../../model/runtime/rowSummary.ts';
import { type Site, siteName } from '../../model/sites.ts';
import { type LogitTarget, rowsOf, seedOf } from '../../model/targetSeed.ts';
import { gradientMemory, numeric, siteUnknown } from '../../shared/errorCatalog.ts';
import { writeGraph } from '../proto/writeGraph.ts';
import { feeds } from '../runtime/feeds.ts';
import { fixedInputs } from '../runtime/probeRun.ts';
import { createSession, type OnnxSession } from '../runtime/session.ts';
import type { TensorValue } from '../runtime/tensorValue.ts';
import { type OnnxSite, tensorDims, vectorShape } from '../sites/onnxSite.ts';
import type { OnnxEvaluator } from './evaluator.ts';
import { capturedTensor, floats, forward, onlyInputs } from './forward.ts';
import { embeddingFeeds, seedFeeds, siteFeed } from './gradientFeeds.ts';
import { cotangentInput, type GradientGraph, gradientGraph, referenceInput } from './gradientGraph.ts';
import { isLogitTarget, type RowSeeds, seedsAfter, seedsBefore } from './gradientSeed.ts';
import { referenceValue, rescaleSeeds } from './rescaleSeeds.ts';
import { paddedLength } from './paddedLength.ts';
import { rowsInput, rowsValue } from './selectRows.ts';
import { SessionCache } from './sessionCache.ts';
import { WeightShelf } from './weightShelf.ts';

export interface GradientSettings {
  /** Bytes a gradient may take; 0 = half of what is free when it is asked for. */
  readonly gradientBytes: number;
  /** Bytes of unpacked weights kept between gradients; undefined = a quarter of what is free when the first one is asked for. */
  readonly weightBytes: number | undefined;
  /** Prepared sessions kept for the next gradient. */
  readonly sessions: number;
  /** The same file with its weights dequantised and 32-bit activations; the evaluator itself where it has neither. */
  readonly dequantised: () => Promise<OnnxEvaluator>;
}

/**
 * From here on weights are not copied into the order that multiplies fastest. Forward and backward pass need a copy each, which is as
 * much memory as twice the weights and as much time as a pass; a long prompt makes up for little of it.
 */
const longLength = 128;

interface CheckedSites {
  readonly at: readonly OnnxSite[];
  readonly capture: readonly OnnxSite[];
}

interface Prepared {
  readonly graph: GradientGraph;
  /** Null where nothing is asked of it: no gradient that the target could have, and no value. */
  readonly session: OnnxSession | null;
  /** Unpacked weights. */
  readonly weights: Readonly<Record<string, TensorValue>>;
}

export class GradientEngine {
  readonly #sessions: SessionCache;
  readonly #prepared = new Map<string, Omit<Prepared, 'session'> & { readonly bytes: Uint8Array }>();
  #shelf: WeightShelf | null = null;

  constructor(
    private readonly evaluator: OnnxEvaluator,
    private readonly settings: GradientSettings,
  ) {
    this.#sessions = new SessionCache(settings.sessions);
  }

  /**
   * @throws E_TOKEN_RANGE, E_CONTEXT_OVERFLOW, E_SITE_UNKNOWN, E_LAYER_RANGE, E_PATCH_SHAPE, E_GRADIENT_TARGET,
   * E_GRADIENT_UNSUPPORTED, E_GRADIENT_MEMORY, E_NUMERIC, E_CANCELLED, E_ONNX_RUNTIME
   */
  async gradient(request: GradientRequest, cancellation: Cancellation, options: GradientOptions): Promise<GradientResult> {
    const { precision = 'as-served', targets } = request;
    const evaluator = await this.#evaluatorFor(request);
    const sites = this.#check(evaluator, request);
    if (targets.length === 0) {
      const { plan, captured } = await this.#one(
        evaluator,
        request,
        nothing(request, evaluator),
        { ...sites, at: [] },
        cancellation,
        options,
      );
      return { precision, plan, targets: [], captured };
    }
    const targetGradients: TargetGradient[] = [];
    let plan: GradientPlan | null = null;
    let captured: ReadonlyMap<string, Tensor> = new Map();
    for (const [index, target] of targets.entries()) {
      const found = await this.#one(evaluator, request, target, sites, cancellation, plan === null ? options : {});
      plan = found.plan;
      if (index === 0) captured = found.captured;
      targetGradients.push(found.gradient);
      await cancellation.breathe();
      if (targets.length > 1) options.onProgress?.(index + 1, targets.length);
    }
    if (plan === null) throw numeric('a gradient without targets');
    return { precision, plan, targets: targetGradients, captured };
  }

  /** @throws as `gradient` */
  async gradientAlong(
    request: GradientPathRequest,
    cancellation: Cancellation,
    options: GradientOptions,
  ): Promise<GradientPathResult> {
    const { tokens, target, at, from, to, points, precision = 'as-served' } = request;
    checkPoints(points);
    const evaluator = await this.#evaluatorFor(request);
    for (const end of [from, to]) checkEmbeddings(tokens, end, evaluator.info);
    const along = { tokens, targets: [target], at, precision };
    const sites = this.#check(evaluator, along);
    const values = new Float64Array(points.length);
    const sums = new Map<string, { readonly shape: readonly number[]; readonly sum: Float64Array }>();
    let plan: GradientPlan | null = null;
    // A path without points has a plan and zeros all the same: those of one pass that counts nothing.
    for (const [index, { fraction, weight }] of (points.length > 0 ? points : [{ fraction: 0, weight: 0 }]).entries()) {
      const embeddings = from.map((value, place) => value + fraction * ((to[place] as number) - value));
      const one = { ...along, embeddings };
      const found = await this.#one(evaluator, one, target, sites, cancellation, plan === null ? options : {});
      plan = found.plan;
      for (const [site, tensor] of found.gradient.gradients) addWeighted(sums, site, tensor, weight);
      if (points.length === 0) break;
      values[index] = found.gradient.value;
      options.onProgress?.(index + 1, points.length);
      await cancellation.breathe();
    }
    if (plan === null) throw numeric('a path without points');
    const gradients = new Map([...sums].map(([site, { shape, sum }]) => [site, { shape, data: Float32Array.from(sum) }]));
    return { precision, plan, values, gradients };
  }

  async release(): Promise<void> {
    this.#prepared.clear();
    this.#shelf?.clear();
    await this.#sessions.release();
  }

  async #evaluatorFor({ precision }: { readonly precision?: Precision }): Promise<OnnxEvaluator> {
    return precision === 'dequantised' ? await this.settings.dequantised() : this.evaluator;
  }

  async #one(
    evaluator: OnnxEvaluator,
    request: GradientRequest,
    target: GradientTarget,
    { at, capture }: CheckedSites,
    cancellation: Cancellation,
    options: GradientOptions,
  ): Promise<{ readonly plan: GradientPlan; readonly gradient: TargetGradient; readonly captured: ReadonlyMap<string, Tensor> }> {
    const { tokens, embeddings, reference, rules = 'exact', precision = 'as-served' } = request;
    const embed = resolveCapture({ site: { kind: 'embed' } }, evaluator.sites, evaluator.info);
    const findSeeds = rules === 'rescale' ? rescaleSeeds : seedsOf;
    const seeds = isLogitTarget(target) ? await findSeeds(evaluator, request, target, cancellation) : null;
    const cotangent = target.kind === 'cotangent' ? resolveCapture({ site: target.site }, evaluator.sites, evaluator.info) : null;
    const length = paddedLength(evaluator, tokens.length);
    const padded = new Int32Array(length);
    padded.set(tokens);
    const showsLogits = [...capture, ...(cotangent === null ? [] : [cotangent])].some(({ site }) => site === 'logits');
    const chosen = seeds?.rows ?? [tokens.length - 1];
    const rows = evaluator.selectsRows && !showsLogits ? chosen : Array.from({ length }, (_, position) => position);
    const given: Record<string, TensorValue> = {
      ...feeds(
        evaluator.graph.inputs.filter(({ name }) => name !== rowsInput),
        Array.from(padded),
        evaluator.feedOptions,
      ),
      ...(embeddings === undefined ? {} : embeddingFeeds(embed, embeddings, tokens.length, length)),
      ...(evaluator.selectsRows ? { [rowsInput]: rowsValue(rows) } : {}),
      ...(seeds === null ? {} : seedFeeds(evaluator, seeds, rows)),
      ...(target.kind === 'cotangent' && cotangent !== null
        ? siteFeed(cotangentInput, cotangent, target.values, tokens.length, tensorDims(cotangent, length, evaluator.sequences))
        : {}),
      ...(reference === undefined
        ? {}
        : siteFeed(referenceInput, embed, reference, tokens.length, tensorDims(embed, length, evaluator.sequences))),
    };
    cancellation.check();
    const { graph, session, weights, plan } = await this.#prepare(
      evaluator,
      embed,
      { length, rows: rows.length, cotangent, at, capture, embeddings: embeddings !== undefined, rules },
      given,
      precision,
      options,
    );
    cancellation.check();
    const results = session === null ? {} : await session.run(onlyInputs({ ...given, ...weights }, session.inputs));
    const whole = (site: OnnxSite, name: string) =>
      capturedTensor({ site: parsed(site.site) }, site, floats(results, name, evaluator.sequences), tokens.length, length);
    const captured = new Map(capture.map((site) => [site.site, whole(site, graph.values.get(site.tensor) ?? '')]));
    const gradients = new Map(
      at.map((site): [string, Tensor] => {
        const name = graph.gradients.get(site.tensor);
        return [
          site.site,
          name === undefined
            ? zeros(site, tokens.length)
            : gradientAt(site, floats(results, name, evaluator.sequences), tokens.length, length),
        ];
      }),
    );
    for (const [site, { data }] of gradients) if (!allFinite(data)) throw numeric(`the gradient at ${site}`);
    const value =
      seeds === null
        ? await cotangentValue(evaluator, request, target, cancellation)
        : valueOf(
            target as LogitTarget,
            evaluator,
            rows,
            floats(results, graph.values.get(evaluator.logits) ?? '', evaluator.sequences),
          );
    if (!Number.isFinite(value)) throw numeric('the target');
    if (reference === undefined) return { plan, gradient: { value, gradients }, captured };
    const other = { ...request, embeddings: reference };
    const before = isLogitTarget(target)
      ? await referenceValue(evaluator, request, target, cancellation)
      : await cotangentValue(evaluator, other, target, cancellation);
    if (!Number.isFinite(before)) throw numeric('the target');
    return { plan, gradient: { value, referenceValue: before, gradients }, captured };
  }

  #check(evaluator: OnnxEvaluator, request: GradientRequest): CheckedSites {
    const { info, sites } = evaluator;
    const { tokens, embeddings, reference, targets, at, capture = [] } = request;
    checkTokens(tokens, info);
    checkRules(request);
    for (const given of [embeddings, reference]) if (given !== undefined) checkEmbeddings(tokens, given, info);
    const resolve = (site: Site) => resolveCapture({ site }, sites, info);
    const numbersAt = (site: Site) => {
      const { heads, width } = vectorShape(resolve(site), tokens.length);
      return tokens.length * heads * width;
    };
    for (const target of targets) checkTarget(target, tokens.length, info, numbersAt);
    if (at.some(({ kind }) => kind === 'logits')) {
      throw siteUnknown('logits', 'a derivative by the logits is the target itself', ['embed']);
    }
    return { at: at.map(resolve), capture: capture.map(resolve) };
  }

  async #prepare(
    evaluator: OnnxEvaluator,
    embed: OnnxSite,
    request: Parameters<typeof gradientGraph>[2],
    given: Readonly<Record<string, TensorValue>>,
    precision: Precision,
    options: GradientOptions,
  ): Promise<Prepared & { readonly plan: GradientPlan }> {
    const names = (sites: readonly OnnxSite[]) => sites.map(({ tensor }) => tensor).join();
    const key = [
      precision,
      request.rules,
      request.length,
      request.rows,
      request.embeddings,
      request.cotangent?.tensor,
      names(request.at),
      names(request.capture),
    ].join('|');
    const known = this.#prepared.get(key);
    const graph = known?.graph ?? gradientGraph(evaluator, embed, request, ({ inputs }) => fixedInputs(inputs, given));
    const limitBytes = this.settings.gradientBytes > 0 ? this.settings.gradientBytes : Math.floor(os.freemem() / 2);
    const shelf = (this.#shelf ??= new WeightShelf(
      this.settings.weightBytes ?? Math.floor(os.freemem() / 4),
      evaluator.sessionOptions.threads,
    ));
    const plan: GradientPlan = {
      precision,
      peakBytes: graph.activationBytes + shelf.bytes,
      activationBytes: graph.activationBytes,
      weightBytes: shelf.bytes,
      limitBytes,
      segments: 1,
      kernel: 'onnxruntime',
    };
    options.onPlan?.(plan);
    if (plan.peakBytes > limitBytes)
      throw gradientMemory(plan.peakBytes, limitBytes, 'the activations of the forward pass alone take that much');
    if (graph.outputs.length === 0) return { graph, session: null, weights: {}, plan };
    const prepared = known ?? (await withWeights(shelf, graph));
    if (this.#prepared.size >= 64) this.#prepared.clear();
    this.#prepared.set(key, prepared);
    const session = await this.#sessions.get(key, () =>
      createSession(prepared.bytes, evaluator.graph.folder, {
        ...evaluator.sessionOptions,
        prepacking: request.length < longLength || hasPackedProducts(evaluator),
      }),
    );
    return { graph, session, weights: prepared.weights, plan };
  }
}

/** Packed bits are multiplied fast only when they are prepared for it. */
function hasPackedProducts({ graph }: OnnxEvaluator): boolean {
  return graph.nodes.some(({ op }) => op === 'MatMulNBits');
}

async function withWeights(shelf: WeightShelf, graph: GradientGraph) {
  const { graph: lighter, feeds: weights } = await shelf.give(graph.graph);
  const given = lighter.inputs.flatMap((input) => {
    const value = weights[input.name];
    return value === undefined ? [] : [{ ...input, dims: value.dims }];
  });
  const bytes = writeGraph(lighter, { inputs: [...graph.inputs, ...given], outputs: graph.outputs });
  return { graph, weights, bytes };
}

/** Stands for the target where there is none. */
function nothing({ tokens }: GradientRequest, { info }: OnnxEvaluator): GradientTarget {
  return { kind: 'cotangent', site: { kind: 'embed' }, values: new Float32Array(tokens.length * info.hidden) };
}

/** For targets whose derivative depends on the logits, these are computed first. */
async function seedsOf(
  evaluator: OnnxEvaluator,
  { tokens, embeddings }: GradientRequest,
  target: LogitTarget,
  cancellation: Cancellation,
): Promise<RowSeeds> {
  const before = seedsBefore(target, evaluator.width);
  if (before !== null) return before;
  const rows = rowsOf(target);
  const request = { tokens, logits: rows, ...(embeddings === undefined ? {} : { embeddings }) };
  const { logits } = await forward(evaluator, request, cancellation);
  return seedsAfter(target, evaluator.width, (position) =>
    row(logits?.values ?? new Float32Array(0), rows.indexOf(position), evaluator.width),
  );
}

function row(values: Float32Array, place: number, width: number): Float32Array {
  return values.subarray(place * width, (place + 1) * width);
}

/** @param rows positions of the rows in `logits` */
function valueOf(target: LogitTarget, { info, width }: OnnxEvaluator, rows: readonly number[], logits: Float32Array): number {
  const place = (position: number) => (info.task === undefined ? rows.indexOf(position) : 0);
  return seedOf(target, (position) => row(logits, place(position), width)).value;
}

async function cotangentValue(
  evaluator: OnnxEvaluator,
  { tokens, embeddings }: GradientRequest,
  target: GradientTarget,
  cancellation: Cancellation,
): Promise<number> {
  if (target.kind !== 'cotangent') return Number.NaN;
  const { site, values } = target;
  const request = { tokens, capture: [{ site }], ...(embeddings === undefined ? {} : { embeddings }) };
  const { captured } = await forward(evaluator, request, cancellation);
  const data = captured.get(siteName(site))?.data ?? new Float32Array(0);
  return values.reduce((sum, value, index) => (value === 0 ? sum : sum + value * (data[index] as number)), 0);
}

function gradientAt(site: OnnxSite, raw: Float32Array, tokens: number, length: number): Tensor {
  // Not by the site's own kind: the gradient at masked scores is 0, not −∞.
  return capturedTensor({ site: { kind: 'resid_post' } }, site, raw, tokens, length);
}

function zeros(site: OnnxSite, tokens: number): Tensor {
  const { heads, width } = vectorShape(site, tokens);
  return gradientAt(site, new Float32Array(tokens * heads * width), tokens, tokens);
}

function parsed(name: string): Site {
  const [kind = '', layer] = name.split('.');
  return { kind: kind as Site['kind'], ...(layer === undefined ? {} : { layer: Number(layer) }) };
}

function addWeighted(
  sums: Map<string, { readonly shape: readonly number[]; readonly sum: Float64Array }>,
  site: string,
  { shape, data }: Tensor,
  weight: number,
): void {
  const known = sums.get(site) ?? { shape, sum: new Float64Array(data.length) };
  sums.set(site, known);
  data.forEach((value, index) => {
    known.sum[index] = (known.sum[index] as number) + weight * value;
  });
}
