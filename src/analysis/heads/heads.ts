import { numeric } from '../../shared/errorCatalog.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import { type HeadReport, headBlocks } from './headBlocks.ts';
import { headLabels, labelThresholds } from './headLabels.ts';
import { importanceByAblation, importanceByGradient } from './headImportance.ts';
import { forEachPattern } from './patterns.ts';
import {
  type PatternStatistics,
  patternStatistics,
  type Sight,
  sightOf,
  type TokenGroups,
  uniformPattern,
} from './patternStatistics.ts';
import { repeatedSequence, ungrouped } from './repeatedSequence.ts';
import { clusters, patternSignature, similarities } from './similarity.ts';
import { tokenGroups } from './tokenGroups.ts';

/** Mean similarity from which heads count as doing the same. */
const alike = 0.9;

/** See docs/inside/heads.md. */
export const heads: Tool = {
  id: 'heads',
  family: 'heads',
  label: 'Head statistics',
  question: 'What does each attention head do on this prompt, and which heads matter for the answer?',
  needs: ['capture'],
  usesTarget: true,
  parameters: [
    {
      id: 'ablate',
      kind: 'boolean',
      label: 'Switch each head off',
      help: 'also measure the target without each head: one forward pass a head',
      default: false,
    },
    {
      id: 'repeat',
      kind: 'number',
      label: 'Repeated sequence',
      help: 'random tokens, repeated once, on which induction is scored; 0: on the prompt only',
      default: 0,
      minimum: 0,
      maximum: 512,
      whole: true,
    },
  ],

  async run(context) {
    const { model, prompt, parameters, seed } = context;
    if (prompt.ids.length < 2) {
      throw toolParameter('heads', 'FILE', 'a prompt of one token has no attention to look at', 'give a longer prompt');
    }
    const groups = tokenGroups(prompt);
    const signatures: Float32Array[] = [];
    const onPrompt = await statisticsOn(context, prompt.ids, groups, 'reading attention', (pattern, sight) =>
      signatures.push(patternSignature(pattern, sight)),
    );
    const half = Number(parameters.repeat);
    const sequence = half > 0 ? await repeatedSequence(model, half, seed) : null;
    const onRepeated =
      sequence === null ? null : await statisticsOn(context, sequence, ungrouped(sequence), 'reading a repeated sequence');
    const cosines = similarities(signatures);
    const groupsOfHeads = clusters(cosines, alike);
    const importance = await importanceOf(context);
    const ablation = parameters.ablate === true ? await ablated(context) : null;
    const { heads: perLayer } = model.info;
    const reports = onPrompt.statistics.map((statistics, index): HeadReport => {
      const [layer, head] = [Math.floor(index / perLayer), index % perLayer];
      const repeated = onRepeated?.statistics[index] ?? null;
      const cluster = groupsOfHeads.findIndex((group) => group.includes(index));
      return {
        layer,
        head,
        ...statistics,
        ...(repeated === null
          ? {}
          : { repeated: { previous: repeated.previous, duplicate: repeated.duplicate, induction: repeated.induction } }),
        labels: headLabels(statistics, repeated),
        cluster: cluster < 0 ? null : cluster,
        importance: importance?.importance[layer]?.[head] ?? null,
        ablation: ablation?.[layer]?.[head] ?? null,
      };
    });
    const chance = patternStatistics(uniformPattern(prompt.ids.length, onPrompt.sight), groups, onPrompt.sight);
    const unit = (await context.target()).description.unit;
    return {
      data: {
        heads: reports,
        chance,
        unit,
        thresholds: labelThresholds,
        clusters: groupsOfHeads.map((group) =>
          group.map((index) => ({ layer: Math.floor(index / perLayer), head: index % perLayer })),
        ),
        similarity: { shape: [signatures.length, signatures.length], values: cosines },
      },
      blocks: headBlocks({
        reports,
        chance,
        cosines,
        clusters: groupsOfHeads,
        info: model.info,
        unit,
        isRepeated: onRepeated !== null,
        tokens: prompt.ids.length,
      }),
      forwardPasses:
        onPrompt.passes +
        (sequence === null ? 0 : ((onRepeated?.passes ?? 0) * sequence.length) / prompt.ids.length) +
        (importance?.forwardPasses ?? 0) +
        (ablation === null ? 0 : model.info.layers * perLayer + 1),
    };
  },
};

/** Statistics of every head, layer by layer. */
async function statisticsOn(
  { model, signal, progress }: ToolContext,
  tokens: Int32Array,
  groups: TokenGroups,
  phase: string,
  onPattern: (pattern: Float32Array, sight: Sight) => void = () => undefined,
): Promise<{ readonly statistics: PatternStatistics[]; readonly sight: Sight; readonly passes: number }> {
  const statistics: PatternStatistics[] = [];
  let sight: Sight = 'back';
  const block = tokens.length ** 2;
  const passes = await forEachPattern(
    model,
    tokens,
    (layer, pattern) => {
      // All heads of a model see alike: the first layer tells.
      if (layer === 0) sight = sightOf(pattern.subarray(0, block));
      for (let head = 0; head < model.info.heads; head++) {
        const own = pattern.subarray(head * block, (head + 1) * block);
        if (!own.every(Number.isFinite)) throw numeric(`pattern.${layer}`);
        statistics.push(patternStatistics(own, groups, sight));
        onPattern(own, sight);
      }
    },
    { signal, onLayer: (done, total) => progress(phase, done, total) },
  );
  return { statistics, sight, passes };
}

/** Null where the model gives no gradients. */
async function importanceOf(context: ToolContext) {
  const { model, prompt, signal, progress } = context;
  if (!model.info.can.gradient) return null;
  progress('weighing heads', 0, 1);
  return importanceByGradient(model, prompt.ids, await context.target(), signal);
}

async function ablated(context: ToolContext): Promise<number[][]> {
  const { model, prompt, signal, progress } = context;
  const onHead = (done: number, total: number) => progress('switching heads off', done, total);
  return importanceByAblation(model, prompt.ids, await context.target(), { signal, onHead });
}
