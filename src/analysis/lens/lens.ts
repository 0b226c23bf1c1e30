import { withContinuation } from '../../attribution/perturbation/evaluateSequences.ts';
import type { ResolvedTarget } from '../../attribution/target.ts';
import type { Model } from '../../model/model.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import type { Warning } from '../../shared/explanation.ts';
import type { ToolParameters } from '../../shared/protocol/tools.ts';
import { chosenIndices } from '../tools/chosenIndices.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import { lensBlocks } from './lensBlocks.ts';
import { headVectors, type LensVectors, type StreamSite, streamSites, type VectorRequest } from './lensVectors.ts';
import { streamVectors } from './lensVectors.ts';
import { tunedBlocks, tunedLensOf } from './tuned/lensOfModel.ts';
import { type TunedLens, tunedVectors } from './tuned/tunedLens.ts';
import type { LensCell, LensReport } from './logitLens.ts';
import { readLens } from './readLens.ts';

/** See docs/inside/lens.md. */
export const lens: Tool = {
  id: 'lens',
  family: 'layers',
  label: 'Logit lens',
  question: 'What would each layer answer, if it were the last one?',
  needs: ['capture', 'language'],
  usesTarget: true,
  parameters: [
    {
      id: 'site',
      kind: 'choice',
      label: 'Site',
      help: 'what is read: the residual stream at a place of each layer, what a part of the layer writes, or what single heads write',
      choices: [...streamSites, 'head'],
      default: 'resid_post',
    },
    { id: 'layer', kind: 'number', label: 'Layer', help: 'one layer only; -1: all', default: -1, minimum: -1, whole: true },
    {
      id: 'head',
      kind: 'number',
      label: 'Head',
      help: 'one head only, with the site head; -1: all heads',
      default: -1,
      minimum: -1,
      whole: true,
    },
    {
      id: 'reading',
      kind: 'choice',
      label: 'Lens',
      help: 'as the last layer is read, or through an affine map for each layer that was trained before (site resid_post)',
      choices: ['logit', 'tuned'],
      default: 'logit',
    },
    { id: 'train', kind: 'file', label: 'Train on', help: 'a text on which the tuned lens is trained anew, kept, and used' },
    {
      id: 'train-tokens',
      kind: 'number',
      label: 'Tokens to train on',
      help: 'how much of that text is used at the most',
      default: 4096,
      minimum: 4,
      maximum: 1_000_000,
      whole: true,
    },
    {
      id: 'positions',
      kind: 'choice',
      label: 'Positions',
      help: 'where it is read; auto: everywhere, but all heads of all layers at the last one',
      choices: ['auto', 'all', 'last'],
      default: 'auto',
    },
    {
      id: 'top',
      kind: 'number',
      label: 'Tokens',
      help: 'tokens listed at each place',
      default: 5,
      minimum: 1,
      maximum: 100,
      whole: true,
    },
  ],

  async run(context) {
    const { model, parameters, prompt, signal, progress } = context;
    requireHeads(parameters);
    const target = await context.target();
    const tokens = withContinuation(prompt.ids, target.continuation);
    const layers = chosenIndices('layer', Number(parameters.layer), model.info.layers);
    const positions = chosenPositions(parameters, tokens.length);
    const isHeads = parameters.site === 'head';
    const rowsOfLayer = isHeads && parameters.head === -1 ? model.info.heads : 1;
    const tuned = isTuned(parameters) ? await tunedLensOf(context) : null;
    const { rows, report, targets, isSum, forwardPasses } = await readLens(
      { tokens, layers, positions },
      {
        model,
        rowsOfLayer,
        vectorsOf: async (request) => throughMaps(await lensVectors(context, request), tuned?.lens ?? null, model.info.hidden),
        targetOf: (predicted) => targetAtPositions(target, prompt.ids.length, predicted),
        top: Number(parameters.top),
        signal,
        onProgress: (done, total) => progress('reading layers', done, total),
      },
    );
    const texts = await tokenTexts(model, report, tokens, targets);
    const text = (id: number) => texts.get(id) ?? '';
    const cell = ({ top, ...rest }: LensCell) => ({
      top: top.map(({ id, logprob }) => ({ id, text: text(id), logprob })),
      ...rest,
    });
    const places = positions.map((position) => ({
      text: text(tokens[position] as number),
      index: position < prompt.ids.length ? position : null,
    }));
    const labels = rows.map(({ layer, head }) => (head === undefined ? `L${layer}` : `L${layer}.H${head}`));
    return {
      data: {
        site: parameters.site,
        tokens: positions.map((position, index) => ({ position, id: tokens[position], text: places[index]?.text })),
        target: { ids: targets, label: target.description.label },
        layers: rows.map(({ layer, head }, row) => ({
          layer,
          ...(head === undefined ? {} : { head }),
          positions: (report.cells[row] ?? []).map(cell),
        })),
        final: report.final.map(cell),
        ...(tuned === null
          ? {}
          : { tuned: { tokens: tuned.lens.tokens, heldOut: { plain: tuned.lens.plain, tuned: tuned.lens.tuned } } }),
      },
      blocks: [
        ...lensBlocks({
          site: String(parameters.site),
          rowLabels: labels,
          rowTitle: isHeads ? 'head' : 'layer',
          positions: places,
          report,
          text,
          targetLabel: JSON.stringify(text(targets.at(-1) ?? 0)),
          promptTokens: prompt.tokens,
        }),
        ...(tuned === null ? [] : tunedBlocks(tuned.lens)),
      ],
      forwardPasses,
      warnings: [...(tuned?.warnings ?? []), ...(isSum ? [] : [headsNormed])],
    };
  },
};

const headsNormed: Warning = {
  code: 'W_HEADS_NORMED',
  message: 'This model normalises what all heads write together: a head read alone is larger than its share.',
};

/** @throws E_TOOL_PARAMETER */
function isTuned({ reading, train, site }: ToolParameters): boolean {
  if (reading === 'logit' && train === '') return false;
  if (site === 'resid_post') return true;
  throw toolParameter(
    'lens',
    'reading',
    `a tuned lens reads what leaves a layer, not ${String(site)}`,
    'use the site resid_post',
  );
}

function throughMaps(vectors: LensVectors, lens: TunedLens | null, width: number): LensVectors {
  if (lens === null) return vectors;
  const rows = vectors.rows.map((row) => ({ ...row, vectors: tunedVectors(lens.maps, row.layer, row.vectors, width) }));
  return { ...vectors, rows };
}

/** @throws E_TOOL_PARAMETER for a head of a site that has none */
function requireHeads({ site, head }: ToolParameters): void {
  if (head === -1 || site === 'head') return;
  throw toolParameter('lens', 'head', `${String(site)} is read as a whole, not head by head`, 'use the site head');
}

function chosenPositions({ positions, site, layer, head }: ToolParameters, length: number): number[] {
  const isEveryHead = site === 'head' && layer === -1 && head === -1;
  const isLast = positions === 'last' || (positions === 'auto' && isEveryHead);
  return isLast ? [length - 1] : Array.from({ length }, (_, position) => position);
}

function lensVectors({ model, parameters, signal }: ToolContext, request: VectorRequest): Promise<LensVectors> {
  if (parameters.site !== 'head') return streamVectors(model, parameters.site as StreamSite, request, signal);
  return headVectors(model, { ...request, heads: chosenIndices('head', Number(parameters.head), model.info.heads) }, signal);
}

/** The token a target reads at a position; where it reads none, its first one. */
function targetAtPositions(target: ResolvedTarget, promptLength: number, otherwise: number): (position: number) => number {
  const first = target.description.ids[0] ?? otherwise;
  const read = new Map(target.reads(promptLength).map(({ position, ids }) => [position, ids[0]] as const));
  return (position) => read.get(position) ?? first;
}

async function tokenTexts(
  model: Model,
  report: LensReport,
  tokens: Int32Array,
  targets: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const listed = [report.final, ...report.cells].flat().flatMap(({ top }) => top.map(({ id }) => id));
  const ids = [...new Set([...listed, ...tokens, ...targets])];
  const pieces = await model.tokenizer.pieces(ids);
  return new Map(ids.map((id, index) => [id, pieces[index] ?? '']));
}
