/** Watches one forward pass: applies patches, then copies captures, node by node. */
import type { CaptureRequest, ModelInfo, Patch, PatternReduction, Tensor } from '../../model/model.ts';
import type { NodeObserver } from '../evaluation/callbacks.ts';
import { type SiteNode, type SiteTable, vectorShape } from '../graph/siteTable.ts';
import type { NativeFunctions, Pointer } from '../native/functions.ts';
import { applyPatch } from './applyPatch.ts';
import { reducedPattern, wholeSite } from '../../model/runtime/captureTensor.ts';
import { resolveCapture, resolvePatch } from '../../model/runtime/resolveSite.ts';
import { readScores } from './scores.ts';
import { openSite } from './siteData.ts';

interface NodeWork {
  readonly patches: { readonly site: SiteNode; readonly patch: Patch }[];
  readonly captures: { readonly site: SiteNode; readonly reduce: PatternReduction | undefined }[];
}

export interface SiteRequest {
  readonly captures: readonly CaptureRequest[];
  readonly patches: readonly Patch[];
  /** Number of tokens. */
  readonly tokens: number;
}

export class SiteObserver implements NodeObserver {
  /** Keyed by site name. */
  readonly captured = new Map<string, Tensor>();
  /** Some site exists only for the rows whose logits are read: every row must be read. */
  readonly needsAllRows: boolean;
  readonly #functions: NativeFunctions;
  readonly #tokens: number;
  readonly #work = new Map<number, NodeWork>();
  /** Work that waits for the softmax behind the scores, by its node. */
  readonly #scores = new Map<number, SiteNode>();
  readonly #wanted: Uint8Array;
  #scratch: Float32Array = new Float32Array(0);

  /** @throws E_SITE_UNKNOWN, E_LAYER_RANGE, E_HEAD_RANGE, E_TOKEN_RANGE, E_PATCH_SHAPE */
  constructor(functions: NativeFunctions, table: SiteTable, info: ModelInfo, { captures, patches, tokens }: SiteRequest) {
    this.#functions = functions;
    this.#tokens = tokens;
    const used: SiteNode[] = [];
    for (const patch of patches) {
      const site = resolvePatch(patch, table, info, tokens, vectorShape);
      this.#at(site).patches.push({ site, patch });
      used.push(site);
    }
    for (const capture of captures) {
      const site = resolveCapture(capture, table, info);
      if (site.softmax === null) this.#at(site).captures.push({ site, reduce: capture.reduce });
      else {
        this.#at(site);
        this.#scores.set(site.softmax.index, site);
      }
      used.push(site);
    }
    this.needsAllRows = used.some((site) => site.outputRowsOnly);
    this.#wanted = new Uint8Array(Math.max(0, ...used.map(({ node }) => node.index)) + 1);
    for (const { node } of used) this.#wanted[node.index] = 1;
  }

  wants(index: number, tensor: Pointer): boolean {
    const scores = this.#scores.get(index);
    // Asked before the softmax is computed: its input still stands, and its scale and mask are known here.
    if (scores !== undefined) this.captured.set(scores.site, readScores(this.#functions, tensor, this.#tokens, scores.heads));
    return this.#wanted[index] === 1;
  }

  ready(index: number, tensor: Pointer): void {
    const work = this.#work.get(index);
    if (work === undefined) return;
    this.#patch(work, tensor);
    for (const { site, reduce } of work.captures) this.captured.set(site.site, this.#capture(site, reduce, tensor));
  }

  #at({ node }: SiteNode): NodeWork {
    let work = this.#work.get(node.index);
    if (work === undefined) {
      work = { patches: [], captures: [] };
      this.#work.set(node.index, work);
    }
    return work;
  }

  #patch({ patches }: NodeWork, tensor: Pointer): void {
    const [first] = patches;
    if (first === undefined) return;
    const open = openSite(first.site, tensor, this.#tokens);
    const vectors = open.read(this.#functions);
    for (const { site, patch } of patches) applyPatch(vectors, site.layout, unscaled(site, patch));
    open.write(this.#functions, vectors);
  }

  #capture(site: SiteNode, reduce: PatternReduction | undefined, tensor: Pointer): Tensor {
    const open = openSite(site, tensor, this.#tokens);
    if (reduce?.kind === 'head') return reducedPattern(open.readHead(this.#functions, reduce.head), reduce);
    const vectors = open.read(this.#functions, this.#scratch);
    if (vectors.raw.length > this.#scratch.length) this.#scratch = vectors.raw;
    return reduce === undefined ? wholeSite(vectors, site.layout) : reducedPattern(vectors, reduce);
  }
}

/** Scores are given as the softmax sees them; the tensor holds them before its scale. */
function unscaled(site: SiteNode, patch: Patch): Patch {
  const scale = site.softmax?.parameters[0] ?? 1;
  const { operation } = patch;
  if (scale === 1 || (operation.kind !== 'overwrite' && operation.kind !== 'add')) return patch;
  return { ...patch, operation: { ...operation, values: operation.values.map((value) => value / scale) } };
}
