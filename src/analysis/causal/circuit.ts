import { spearman } from '../../attribution/spearman.ts';
import { toolParameter, toolUnsupported } from '../../shared/toolErrors.ts';
import type { Tool } from '../tools/tool.ts';
import { chooseEdges } from './chooseEdges.ts';
import { circuitBlocks } from './circuitBlocks.ts';
import { componentSites } from './componentPatch.ts';
import { componentLabel, depth } from './components.ts';
import { type Edge, edgeAttribution } from './edgeAttribution.ts';
import { measureCircuit } from './measureCircuit.ts';
import type { PatchedRun } from './patchedValues.ts';
import { pathPatching } from './pathPatching.ts';
import { type PromptPair, readPromptPair } from './promptPair.ts';
import { entranceSites } from './runEdges.ts';

const id = 'circuit';

/** See docs/inside/circuit.md. */
export const circuit: Tool = {
  id,
  family: 'causal',
  label: 'Circuit',
  question: 'Which heads and MLPs, and which messages between them, make the difference between two prompts?',
  needs: ['capture', 'patch', 'gradient'],
  usesTarget: true,
  parameters: [
    {
      id: 'corrupt',
      kind: 'prompt',
      label: 'Corrupted prompt',
      help: 'the same prompt with the decisive words changed, as many tokens',
      required: true,
    },
    {
      id: 'edges',
      kind: 'number',
      label: 'Edges',
      help: 'most edges of the circuit',
      default: 100,
      minimum: 1,
      maximum: 100_000,
      whole: true,
    },
    {
      id: 'threshold',
      kind: 'number',
      label: 'Threshold',
      help: 'smallest score of an edge, in the unit of the target; 0: the number of edges decides',
      default: 0,
      minimum: 0,
    },
    {
      id: 'draws',
      kind: 'number',
      label: 'Random circuits',
      help: 'circuits of as many random heads, MLPs and edges it is compared with, each run edge by edge',
      default: 10,
      minimum: 2,
      maximum: 1000,
      whole: true,
    },
    {
      id: 'check',
      kind: 'number',
      label: 'Edges checked',
      help: 'strongest edges measured exactly by path patching, beside their estimate',
      default: 10,
      minimum: 0,
      maximum: 1000,
      whole: true,
    },
  ],

  async run(context) {
    const { model, parameters, signal, progress } = context;
    const { layers } = model.info;
    const pair = await readPromptPair(context, id, 'corrupt', [...componentSites, ...entranceSites]);
    const { clean, target } = pair;
    const found = await edgeAttribution({
      model,
      tokens: pair.cleanTokens,
      target: target.gradient(clean.ids.length),
      clean: pair.cleanActivations,
      corrupt: pair.corruptActivations,
      from: pair.differing[0] ?? 0,
      signal,
      onLayer: (done) => progress('scoring edges', done, layers),
    });
    if (!found.isLinear) {
      throw toolUnsupported(id, 'attention that is added to the residual stream without a norm of its own', [
        'path-patch',
        'patch',
      ]);
    }
    const [count, threshold] = [Number(parameters['edges']), Number(parameters['threshold'])];
    const chosen = chooseEdges(found.edges, { count, threshold });
    if (chosen.edges.length === 0) {
      const parameter = threshold > 0 ? 'threshold' : 'edges';
      const action = threshold > 0 ? 'lower the threshold' : 'allow more edges';
      throw toolParameter(id, parameter, 'no chain of such edges leads from the prompt to the answer', action);
    }
    const measured = await measureCircuit(context, pair, chosen, found.edges, count);
    const run: PatchedRun = { model, ids: clean.ids, target, signal };
    const checked = await checkedEdges(run, pair, chosen.edges.slice(0, Number(parameters['check'])));
    const { unit, label } = target.description;
    const nodeOf = ({ from, to, score }: Edge) => ({ from: componentLabel(from), to: componentLabel(to), score });
    const order = [...chosen.components].sort((a, b) => depth(a, layers) - depth(b, layers) || a.head - b.head);
    return {
      data: {
        edges: chosen.edges.map(nodeOf),
        components: order.map(componentLabel),
        pruned: chosen.pruned,
        scored: found.edges.length,
        kept: measured.kept,
        keptParts: measured.keptParts,
        without: measured.without,
        random: measured.random,
        randomParts: measured.randomParts,
        curve: measured.curve,
        checked: checked.edges,
        ...(checked.correlation === null ? {} : { rankCorrelation: checked.correlation }),
        clean: pair.cleanValue,
        corrupt: pair.corruptValue,
        unit,
        target: label,
      },
      blocks: circuitBlocks({ pair, chosen, scored: found.edges.length, measured, checked, layers, heads: model.info.heads }),
      forwardPasses: 2 + found.forwardPasses + measured.forwardPasses + checked.forwardPasses,
    };
  },
};

export interface CheckedEdges {
  readonly edges: readonly { readonly from: string; readonly to: string; readonly score: number; readonly exact: number }[];
  /** Null for fewer than three edges. */
  readonly correlation: number | null;
  readonly forwardPasses: number;
}

/** The strongest edges as path patching measures them: the corrupted message alone in the clean run. */
async function checkedEdges(run: PatchedRun, pair: PromptPair, edges: readonly Edge[]): Promise<CheckedEdges> {
  const checked: CheckedEdges['edges'][number][] = [];
  let forwardPasses = 0;
  for (const { from, to, score } of edges) {
    const path = await pathPatching(
      {
        ...run,
        tokens: pair.cleanTokens,
        base: pair.cleanActivations,
        source: pair.corruptActivations,
        receiver: to,
        input: 'all',
        mlps: 'frozen',
      },
      [from],
    );
    forwardPasses += path.forwardPasses;
    const exact = (path.values[0] as number) - pair.cleanValue;
    checked.push({ from: componentLabel(from), to: componentLabel(to), score, exact });
  }
  const [scores, exacts] = [checked.map(({ score }) => score), checked.map(({ exact }) => exact)];
  const correlation = checked.length < 3 ? null : spearman(Float64Array.from(scores), Float64Array.from(exacts));
  return { edges: checked, correlation, forwardPasses };
}
