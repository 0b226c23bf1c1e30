/**
 * A circuit run edge by edge (Conmy et al. 2023, arXiv 2304.14997, section 2): each part of it reads the residual stream of the corrupted
 * run, changed by the messages along the kept edges alone,
 *
 *     input(v) = corrupted input(v) + Σ over kept edges u → v of (output(u) in this run − output(u) in the corrupted run),
 *
 * and the embedding sends what it sends on the clean prompt. Every part reads a stream of its own, so each head and each MLP takes a
 * forward pass of its own, in the order in which the model computes them.
 */
import type { ResolvedTarget } from '../../attribution/target.ts';
import type { Model, Patch } from '../../model/model.ts';
import type { LayerSite, Site } from '../../model/sites.ts';
import { captureSites } from '../activations/captureSites.ts';
import type { LayerActivations } from './activationRows.ts';
import { activationsAt } from './componentPatch.ts';
import { type Component, componentLabel, depth } from './components.ts';
import type { Edge } from './edgeAttribution.ts';
import { patchedValues } from './patchedValues.ts';

type Activations = ReadonlyMap<LayerSite, LayerActivations>;

export interface EdgeRun {
  readonly model: Model;
  /** The prompt's tokens, and with the continuation behind them: T. */
  readonly ids: Int32Array;
  readonly tokens: Int32Array;
  readonly target: ResolvedTarget;
  /** At `componentSites` and at the streams `entranceSites`. */
  readonly clean: Activations;
  readonly corrupt: Activations;
  readonly signal: AbortSignal;
}

/** Where heads, MLPs and the logits read: `resid_post` of the last layer for the logits. */
export const entranceSites = ['resid_mid', 'resid_post'] as const satisfies readonly LayerSite[];

/**
 * The target when these edges alone carry the clean prompt. What is written by a head alone is told by replacing the other heads of its
 * layer, so attention must be added to the stream without a norm of its own.
 * @throws E_NUMERIC, and as `Model.forward`
 */
export async function runEdges(
  run: EdgeRun,
  edges: readonly Pick<Edge, 'from' | 'to'>[],
): Promise<{ readonly value: number; readonly forwardPasses: number }> {
  const { model, ids, tokens, target, clean, corrupt, signal } = run;
  const { layers, hidden } = model.info;
  const streamOf = (activations: Activations, { kind, layer }: Site) =>
    whole(activationsAt(activations, kind as LayerSite), layer ?? 0, tokens.length);
  const embedding: Site = { kind: 'resid_pre', layer: 0 };
  /** By label: what a part writes in this run less what it writes in the corrupted one, [T, D]. */
  const changes = new Map([
    ['embedding', minus(streamOf(clean, embedding), streamOf(corrupt, embedding), tokens.length * hidden)],
  ]);
  const heard = (to: Component, entrance: Site): Patch => {
    const stream = streamOf(corrupt, entrance).slice();
    for (const edge of edges) {
      if (componentLabel(edge.to) !== componentLabel(to)) continue;
      changes.get(componentLabel(edge.from))?.forEach((change, at) => {
        stream[at] = (stream[at] as number) + change;
      });
    }
    return { site: entrance, operation: { kind: 'overwrite', values: stream } };
  };
  const receivers = receiversOf(edges, layers);
  for (const part of receivers) {
    const isHead = part.kind === 'head';
    const entrance: Site = { kind: isHead ? 'resid_pre' : 'resid_mid', layer: part.layer };
    const output: Site = { kind: isHead ? 'attn_out' : 'mlp_out', layer: part.layer };
    const others = isHead ? otherHeads(activationsAt(corrupt, 'z'), part, model.info.heads) : [];
    // A row of logits is read so that nothing of the last layer is left out.
    const read = [{ position: tokens.length - 1, ids: [] }];
    const patches = [heard(part, entrance), ...others];
    const written = await captureSites(model, { tokens, read, patches, sites: [output] }, signal);
    changes.set(componentLabel(part), minus(written(output), streamOf(corrupt, output), tokens.length * hidden));
  }
  const last = heard({ kind: 'logits', layer: -1, head: -1 }, { kind: 'resid_post', layer: layers - 1 });
  const { values } = await patchedValues({ model, ids, target, signal }, [[last]]);
  return { value: values[0] as number, forwardPasses: receivers.length + 1 };
}

/** Heads and MLPs into which an edge leads, in the order in which they are computed. */
function receiversOf(edges: readonly Pick<Edge, 'to'>[], layers: number): Component[] {
  const parts = new Map(edges.map(({ to }) => [componentLabel(to), to] as const));
  parts.delete('logits');
  return [...parts.values()].sort((a, b) => depth(a, layers) - depth(b, layers));
}

function otherHeads(z: LayerActivations, { layer, head }: Component, heads: number): Patch[] {
  const others = Array.from({ length: heads }, (_, other) => other).filter((other) => other !== head);
  return others.map((other) => z.patchHead(layer, other));
}

/** [T, D] */
function whole(activations: LayerActivations, layer: number, length: number): Float32Array {
  const width = activations.at(layer, 0).length;
  const values = new Float32Array(length * width);
  for (let position = 0; position < length; position++) values.set(activations.at(layer, position), position * width);
  return values;
}

function minus(a: Float32Array, b: Float32Array, length: number): Float32Array {
  return Float32Array.from({ length }, (_, at) => (a[at] as number) - (b[at] as number));
}
