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
import { elementTypes } from '../graph/graph.ts';
import { writeGraph } from '../proto/writeGraph.ts';
import { feeds } from '../runtime/feeds.ts';
import { fixedInputs } from '../runtime/probeRun.ts';
import { createSession, type OnnxSession } from '../runtime/session.ts';
import type { TensorValue } from '../runtime/tensorValue.ts';
import { type OnnxSite, positionAxis, siteVectors, tensorDims, vectorShape } from '../sites/onnxSite.ts';
import { planPatches } from '../sites/patchPlan.ts';
import type { OnnxEvaluator } from './evaluator.ts';
import { capturedTensor, floats, forward, onlyInputs } from './forward.ts';
import { cotangentInput, type GradientGraph, gradientGraph, referenceInput, seedInput, shareInput } from './gradientGraph.ts';
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

interface Prepared {
  readonly graph: GradientGraph;
  readonly session: OnnxSession;
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
    const targetGradients: TargetGradient[] = [];
    let plan: GradientPlan | null = null;
    let captured: ReadonlyMap<string, Tensor> = new Map();
    for (const [index, target] of targets.entries()) {
      const found = await this.#one(evaluator, request, target, precision, cancellation, plan === null ? options : {});
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
    const values = new Float64Array(points.length);
    const sums = new Map<string, { readonly shape: readonly number[]; readonly sum: Float64Array }>();
    let plan: GradientPlan | null = null;
    for (const [index, { fraction, weight }] of points.entries()) {
      const embeddings = from.map((value, place) => value + fraction * ((to[place] as number) - value));
      const one = { tokens, embeddings, targets: [target], at };
      const found = await this.#one(evaluator, one, target, precision, cancellation, plan === null ? options : {});
      plan = found.plan;
      values[index] = found.gradient.value;
      for (const [site, tensor] of found.gradient.gradients) addWeighted(sums, site, tensor, weight);
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
    precision: Precision,
    cancellation: Cancellation,
    options: GradientOptions,
  ): Promise<{ readonly plan: GradientPlan; readonly gradient: TargetGradient; readonly captured: ReadonlyMap<string, Tensor> }> {
    const { tokens, embeddings, reference, rules = 'exact' } = request;
    const { at, capture } = this.#check(evaluator, request, target);
    const embed = resolveCapture({ site: { kind: 'embed' } }, evaluator.sites, evaluator.info);
    const findSeeds = rules === 'rescale' ? rescaleSeeds : seedsOf;
    const seeds = isLogitTarget(target) ? await findSeeds(evaluator, request, target, cancellation) : null;
    const cotangent = target.kind === 'cotangent' ? resolveCapture({ site: target.site }, evaluator.sites, evaluator.info) : null;
    const length = paddedLength(evaluator, tokens.length);
    const padded = new Int32Array(length);
    padded.set(tokens);
    const rows = evaluator.selectsRows ? (seeds?.rows.length ?? 1) : length;
    const given: Record<string, TensorValue> = {
      ...feeds(
        evaluator.graph.inputs.filter(({ name }) => name !== rowsInput),
        Array.from(padded),
        evaluator.feedOptions,
      ),
      ...(embeddings === undefined ? {} : embeddingFeeds(embed, embeddings, tokens.length, length)),
      ...(evaluator.selectsRows ? { [rowsInput]: rowsValue(seeds?.rows ?? [tokens.length - 1]) } : {}),
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
      { length, rows, cotangent, at, capture, embeddings: embeddings !== undefined, rules },
      given,
      precision,
      options,
    );
    cancellation.check();
    const results = await session.run(onlyInputs({ ...given, ...weights }, session.inputs));
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
            seeds,
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

  #check(evaluator: OnnxEvaluator, request: GradientRequest, target: GradientTarget) {
    const { info, sites } = evaluator;
    const { tokens, embeddings, reference, at, capture = [] } = request;
    checkTokens(tokens, info);
    checkRules(request);
    for (const given of [embeddings, reference]) if (given !== undefined) checkEmbeddings(tokens, given, info);
    const resolve = (site: Site) => resolveCapture({ site }, sites, info);
    checkTarget(target, tokens.length, info, (site) => {
      const { heads, width } = vectorShape(resolve(site), tokens.length);
      return tokens.length * heads * width;
    });
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
    const shelf = (this.#shelf ??= new WeightShelf(this.settings.weightBytes ?? Math.floor(os.freemem() / 4), evaluator.threads));
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
    const prepared = known ?? (await withWeights(shelf, graph));
    if (this.#prepared.size >= 64) this.#prepared.clear();
    this.#prepared.set(key, prepared);
    const session = await this.#sessions.get(key, () =>
      createSession(prepared.bytes, evaluator.graph.folder, {
        threads: evaluator.threads,
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

/** Seeds of the chosen rows, or of every row where the graph cannot choose. */
function seedFeeds(
  { info, selectsRows, sequences, width }: OnnxEvaluator,
  seeds: RowSeeds,
  rows: number,
): Record<string, TensorValue> {
  let { direct, shares } = seeds;
  if (info.task !== undefined) {
    // One row, whichever positions were named.
    direct = sumRows(seeds.direct, width);
    shares = sumRows(seeds.shares, 1);
  } else if (!selectsRows) {
    direct = new Float32Array(rows * width);
    shares = new Float32Array(rows);
    for (const [place, position] of seeds.rows.entries()) {
      direct.set(row(seeds.direct, place, width), position * width);
      shares[position] = seeds.shares[place] as number;
    }
  }
  const outer = info.task === undefined ? [sequences, rows] : [sequences];
  const first = (values: Float32Array) => {
    const all = new Float32Array(values.length * sequences);
    all.set(values);
    return all;
  };
  return {
    [seedInput]: { type: elementTypes.float32, dims: [...outer, width], data: first(direct) },
    [shareInput]: { type: elementTypes.float32, dims: [...outer, 1], data: first(shares) },
  };
}

function sumRows(values: Float32Array, width: number): Float32Array {
  const sum = new Float32Array(width);
  values.forEach((value, index) => {
    sum[index % width] = (sum[index % width] as number) + value;
  });
  return sum;
}

function valueOf(
  target: LogitTarget,
  { info, selectsRows, width }: OnnxEvaluator,
  { rows }: RowSeeds,
  logits: Float32Array,
): number {
  const place = (position: number) => (info.task !== undefined ? 0 : selectsRows ? rows.indexOf(position) : position);
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

function embeddingFeeds(embed: OnnxSite, values: Float32Array, tokens: number, length: number): Record<string, TensorValue> {
  const positions = Array.from({ length: tokens }, (_, position) => position);
  const patch = { site: { kind: 'embed' as const }, positions, operation: { kind: 'overwrite' as const, values } };
  return planPatches([{ site: embed, patch }], () => [embed], length).feeds;
}

/** Values of a site in the tensor's own axes; nothing at the fillers and in further sequences. */
function siteFeed(
  name: string,
  site: OnnxSite,
  values: Float32Array,
  tokens: number,
  dims: readonly number[],
): Record<string, TensorValue> {
  const data = new Float32Array(dims.reduce((product, size) => product * size, 1));
  const vectors = siteVectors(site, data, tokens, dims[positionAxis(site.layout)]);
  let taken = 0;
  const put = (position: number, head: number) => {
    data.set(values.subarray(taken, taken + vectors.width), vectors.offset(position, head));
    taken += vectors.width;
  };
  if (site.layout === 'attention') {
    for (let head = 0; head < vectors.heads; head++) for (let query = 0; query < tokens; query++) put(query, head);
  } else {
    for (let position = 0; position < tokens; position++) for (let head = 0; head < vectors.heads; head++) put(position, head);
  }
  return { [name]: { type: elementTypes.float32, dims, data } };
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
