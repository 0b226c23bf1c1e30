/** One forward pass: tokens in, logits, summaries and captured sites out. */
import type { CaptureRequest, ForwardRequest, ForwardResult, Patch, RowRead, RowResult, Tensor } from '../../model/model.ts';
import type { Cancellation } from '../../model/runtime/cancellation.ts';
import { reducedPattern, wholeSite } from '../../model/runtime/captureTensor.ts';
import { checkReads, checkTokens, resolvePositions } from '../../model/runtime/checkRequest.ts';
import { resolveCapture, resolvePatch } from '../../model/runtime/resolveSite.ts';
import { allFinite, summariseRow } from '../../model/runtime/rowSummary.ts';
import { type Site, siteName } from '../../model/sites.ts';
import { writeGraph } from '../proto/writeGraph.ts';
import { feeds } from '../runtime/feeds.ts';
import { createSession } from '../runtime/session.ts';
import type { TensorValue } from '../runtime/tensorValue.ts';
import { type OnnxSite, siteLayout, siteVectors, vectorShape } from '../sites/onnxSite.ts';
import { planPatches } from '../sites/patchPlan.ts';
import { withStages } from '../sites/patchStages.ts';
import { sitesAlike } from '../sites/siteTable.ts';
import type { OnnxEvaluator } from './evaluator.ts';
import { rowsInput, rowsValue } from './selectRows.ts';

/** @throws E_TOKEN_RANGE, E_CONTEXT_OVERFLOW, E_CANCELLED, E_SITE_UNKNOWN, E_LAYER_RANGE, E_HEAD_RANGE, E_PATCH_SHAPE, E_ONNX_RUNTIME */
export async function forward(
  evaluator: OnnxEvaluator,
  request: ForwardRequest,
  cancellation: Cancellation,
): Promise<ForwardResult> {
  const { info } = evaluator;
  const { tokens, read: reads = [] } = request;
  checkTokens(tokens, info);
  checkReads(reads, tokens.length, info);
  const positions = request.logits === undefined ? [] : resolvePositions(request.logits, tokens.length);
  const patches = allPatches(request);
  const captures = request.capture ?? [];
  const asked = [...positions, ...reads.map(({ position }) => position)];
  const rows = logitRows(evaluator, [...captures, ...patches], asked, tokens.length);
  cancellation.check();
  const results = await run(evaluator, tokens, { rows, captures, patches });
  const logits = new LogitRows(evaluator, results.logits, rows);
  const values = new Float32Array(positions.length * evaluator.width);
  for (const [index, position] of positions.entries()) values.set(logits.row(position), index * evaluator.width);
  const read = reads.map((each) => logits.summary(each));
  const sound =
    allFinite(results.logits) && [...results.captured].every(([site, { data }]) => site.startsWith('scores.') || allFinite(data));
  const nonFinite = sound ? null : await firstNonFinite(evaluator, tokens, patches);
  return { logits: request.logits === undefined ? null : { positions, values }, read, captured: results.captured, nonFinite };
}

/** Input embeddings are what enters the first block, so they are put in place of the `embed` site. */
function allPatches({ embeddings, patches = [] }: ForwardRequest): readonly Patch[] {
  if (embeddings === undefined) return patches;
  return [{ site: { kind: 'embed' }, operation: { kind: 'overwrite', values: embeddings } }, ...patches];
}

/** Positions whose logits are computed, ascending; every one where the graph cannot choose, or where the logits are a site that is read or changed. */
function logitRows(
  { selectsRows }: OnnxEvaluator,
  sites: readonly { readonly site: Site }[],
  wanted: readonly number[],
  length: number,
): number[] {
  if (!selectsRows || sites.some(({ site }) => site.kind === 'logits')) return Array.from({ length }, (_, position) => position);
  const rows = [...new Set(wanted)].sort((a, b) => a - b);
  return rows.length === 0 ? [length - 1] : rows;
}

interface Run {
  readonly rows: readonly number[];
  readonly captures: readonly CaptureRequest[];
  readonly patches: readonly Patch[];
}

async function run(
  evaluator: OnnxEvaluator,
  tokens: Int32Array,
  { rows, captures, patches }: Run,
): Promise<{ readonly logits: Float32Array; readonly captured: Map<string, Tensor> }> {
  const { info, sites, graph, selectsRows } = evaluator;
  const { length } = tokens;
  const alike = (site: OnnxSite) => sitesAlike(sites, site);
  const resolved = captures.map((capture) => ({ capture, site: resolveCapture(capture, sites, info) }));
  const plan = planPatches(
    patches.map((patch) => ({ patch, site: resolvePatch(patch, sites, info, length, vectorShape) })),
    alike,
    length,
  );
  const kinds = [...new Set(captures.map(({ site }) => site.kind))].sort();
  const { graph: staged, renamed } =
    plan.staged.length === 0 ? { graph, renamed: new Map<string, string>() } : withStages(graph, plan.staged);
  const now = (tensor: string) => renamed.get(tensor) ?? tensor;
  const session = await evaluator.sessions.get(`${kinds.join()}|${plan.key}`, () => {
    const tapped = resolved.flatMap(({ site }) => alike(site).map(({ tensor }) => now(tensor)));
    const patched = evaluator.known.filter(({ name }) => renamed.has(name)).map((value) => ({ ...value, name: now(value.name) }));
    const known = [...evaluator.known, ...patched];
    const outputs = [...new Set([now(evaluator.logits), ...tapped])];
    const bytes = writeGraph(staged, { outputs, known, heaviestFirst: true });
    // A patch may stand between a sum and its norm, and one that changes nothing must change no bit.
    return createSession(bytes, graph.folder, { ...evaluator.sessionOptions, fusesSums: false });
  });
  const values: Record<string, TensorValue> = {
    ...feeds(
      graph.inputs.filter(({ name }) => name !== rowsInput),
      Array.from(tokens),
      evaluator.feedOptions,
    ),
    ...plan.feeds,
    ...(selectsRows ? { [rowsInput]: rowsValue(rows) } : {}),
  };
  const wanted = [...new Set([now(evaluator.logits), ...resolved.map(({ site }) => now(site.tensor))])];
  const results = await session.run(onlyInputs(values, session.inputs), wanted);
  const captured = new Map<string, Tensor>();
  const given = new Set<string>();
  for (const { capture, site } of resolved) {
    const raw = floats(results, now(site.tensor), evaluator.sequences);
    // One tensor may be two sites; each caller's array is its own.
    captured.set(site.site, capturedTensor(capture, site, given.has(site.tensor) ? raw.slice() : raw, length));
    given.add(site.tensor);
  }
  return { logits: floats(results, now(evaluator.logits), evaluator.sequences), captured };
}

/** ONNX Runtime refuses a value for an input that the session was made without. */
export function onlyInputs(given: Readonly<Record<string, TensorValue>>, names: readonly string[]): Record<string, TensorValue> {
  return Object.fromEntries(names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
}

/** Of the first of so many sequences. */
export function floats(results: Readonly<Record<string, TensorValue>>, name: string, sequences = 1): Float32Array {
  const data = results[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`the tensor ${name} is no float32`);
  return sequences === 1 ? data : data.slice(0, data.length / sequences);
}

/** Masked scores are large negative numbers in some files and −∞ in others; a site says −∞. */
const maskedBelow = -1e30;

/** @param length tokens of the tensor, fillers included */
export function capturedTensor(
  { site: { kind }, reduce }: CaptureRequest,
  site: OnnxSite,
  raw: Float32Array,
  tokens: number,
  length = tokens,
): Tensor {
  const vectors = siteVectors(site, raw, tokens, length);
  if (kind === 'scores') {
    const { shape, data } = wholeSite(vectors, 'attention');
    return { shape, data: data.map((value) => (value < maskedBelow ? Number.NEGATIVE_INFINITY : value)) };
  }
  if (reduce === undefined)
    return isInOrder(site, tokens, length) ? inOrder(site, raw, tokens) : wholeSite(vectors, siteLayout(site.layout));
  if (reduce.kind !== 'head') return reducedPattern(vectors, reduce);
  const { head } = reduce;
  return reducedPattern({ ...vectors, heads: 1, offset: (position) => vectors.offset(position, head) }, reduce);
}

/** Whether the tensor's own order is the site's, so that nothing need be moved. */
function isInOrder({ layout }: OnnxSite, tokens: number, length: number): boolean {
  return layout !== 'heads-first' && tokens === length;
}

function inOrder(site: OnnxSite, raw: Float32Array, tokens: number): Tensor {
  const { heads, width } = vectorShape(site, tokens);
  if (site.layout === 'attention') return { shape: [heads, tokens, tokens], data: raw };
  return { shape: site.layout === 'rows' ? [tokens, width] : [tokens, heads, width], data: raw };
}

/** Rows of logits by position. */
class LogitRows {
  readonly #width: number;
  readonly #places: ReadonlyMap<number, number>;
  readonly #isSequence: boolean;

  constructor(
    { width }: OnnxEvaluator,
    private readonly data: Float32Array,
    rows: readonly number[],
  ) {
    this.#width = width;
    this.#places = new Map(rows.map((position, place) => [position, place]));
    // A classifier has one row, whatever the position.
    this.#isSequence = data.length > this.#width || rows.length === 1;
  }

  /** [V] */
  row(position: number): Float32Array {
    const place = this.#isSequence ? (this.#places.get(position) ?? 0) : 0;
    return this.data.slice(place * this.#width, (place + 1) * this.#width);
  }

  summary(read: RowRead): RowResult {
    return summariseRow(this.row(read.position), read);
  }
}

/** Site name; `logits` when none of the sites before them is to blame. */
async function firstNonFinite(evaluator: OnnxEvaluator, tokens: Int32Array, patches: readonly Patch[]): Promise<string> {
  const looked: Site[] = [{ kind: 'embed' }];
  for (let layer = 0; layer < evaluator.info.layers; layer++)
    looked.push({ kind: 'resid_mid', layer }, { kind: 'resid_post', layer });
  looked.push({ kind: 'final_norm' });
  const captures = looked.filter((site) => evaluator.sites.has(siteName(site))).map((site) => ({ site }));
  const rows = logitRows(evaluator, patches, [], tokens.length);
  const { captured } = await run(evaluator, tokens, { rows, captures, patches });
  for (const { site } of captures)
    if (!allFinite(captured.get(siteName(site))?.data ?? new Float32Array(0))) return siteName(site);
  return 'logits';
}
