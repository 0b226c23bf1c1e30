/** The tool: label words as anchors of in-context learning. See docs/inside/label-anchors.md. */
import { encodeContinuation } from '../../attribution/continuation.ts';
import { weightedAttention } from '../../attribution/flow/weightedAttention.ts';
import type { Warning } from '../../shared/explanation.ts';
import { layerRange, numeric } from '../../shared/errorCatalog.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import { promptEncoder } from '../words/promptEncoder.ts';
import {
  type AnchorFlow,
  anchorFlow,
  type ExampleFlow,
  exampleFlow,
  headSums,
  type HeadSum,
  lookSaliency,
} from './anchorFlow.ts';
import { anchorPlaces } from './anchorPlaces.ts';
import type { AnchorFindings } from './anchorBlocks.ts';
import { anchorReport } from './anchorReport.ts';
import { casePrompts, studyCases, type StudiedPrompt } from './caseStudy.ts';
import { answerQueries, classKeys } from './labelVectors.ts';
import { findFewShot, labelAnchorsId } from './fewShot.ts';
import { keyDistances, principalDirections } from './keyDistances.ts';
import { readLabelCases } from './labelCases.ts';
import { classProbabilities, whatIfs } from './whatIfs.ts';

/** Cases whose query vectors give the directions in which keys are compared. */
const queriesForDirections = 32;

export const labelAnchors: Tool = {
  id: labelAnchorsId,
  family: 'in-context',
  label: 'Label anchors',
  question: 'Does the answer read the labels of my examples, and do the labels gather what their examples say?',
  needs: ['capture', 'gradient', 'language'],
  usesTarget: true,
  parameters: [
    {
      id: 'labels',
      label: 'Labels',
      help: 'labels of the examples, separated by commas; empty: all that are found',
      kind: 'text',
      default: '',
      pattern: 'positive, negative',
    },
    {
      id: 'prefix',
      label: 'Before each label',
      help: 'what stands before each label; empty: what the prompt ends with',
      kind: 'text',
      default: '',
      pattern: 'Sentiment:',
    },
    {
      id: 'heads',
      label: 'Heads',
      help: 'how the heads of a layer are added up',
      kind: 'choice',
      choices: headSums,
      default: 'sum-of-magnitudes',
    },
    {
      id: 'layer',
      label: 'Layer of the keys',
      help: 'where label keys are compared; -1: where labels matter most',
      kind: 'number',
      default: -1,
      minimum: -1,
      whole: true,
    },
    { id: 'cases', label: 'Cases', help: 'JSON lines { "text", "label" }: measures confusions and what-ifs', kind: 'file' },
    {
      id: 'max-cases',
      label: 'Most cases',
      help: 'how many of them are run',
      kind: 'number',
      default: 40,
      minimum: 1,
      maximum: 10_000,
      whole: true,
    },
  ],
  run,
};

async function run(context: ToolContext) {
  const { model, prompt, parameters, signal, progress, seed } = context;
  const { info } = model;
  const chosenLayer = Number(parameters.layer);
  if (chosenLayer >= info.layers) throw layerRange(`k.${chosenLayer}`, info.layers);
  const labels = String(parameters.labels)
    .split(',')
    .map((label) => label.trim())
    .filter((label) => label !== '');
  const fewShot = findFewShot(prompt, { labels, prefix: String(parameters.prefix) });
  const places = anchorPlaces(prompt, fewShot);
  const allCases = parameters.cases === '' ? [] : readLabelCases(String(parameters.cases), fewShot.classes);
  const cases = allCases.slice(0, Number(parameters['max-cases']));
  const target = await context.target();

  const size = prompt.tokens.length + target.continuation.length;
  const answerAt = target.reads(prompt.tokens.length)[0]?.position ?? prompt.tokens.length - 1;
  const flows: AnchorFlow[] = [];
  const exampleFlows: ExampleFlow[][] = [];
  const layers = Array.from({ length: info.layers }, (_, layer) => layer);
  const spent = await weightedAttention(
    { model, tokens: prompt.tokens, target, parameters: {} },
    layers,
    (layer, weighted) => {
      const saliency = lookSaliency(weighted, parameters.heads as HeadSum);
      if (!saliency.every(Number.isFinite)) throw numeric(`pattern.${layer}`);
      flows[layer] = anchorFlow(saliency, size, places.labels, answerAt);
      exampleFlows[layer] = places.labels.map((label, example) =>
        exampleFlow(saliency, size, { label, text: places.texts[example] ?? [] }, answerAt),
      );
    },
    { signal, onProgress: (done, total) => progress('differentiating', done, total) },
  );
  let forwardPasses = spent.forwardPasses;

  const classIds = await idsOfClasses(context, fewShot.isOpen, fewShot.classes, places);
  const studied: StudiedPrompt = { text: prompt.text, ids: prompt.ids, fewShot, places, classIds };
  const canTell = new Set(classIds).size === classIds.length && classIds.length > 1;
  const changes = whatIfs(places, info, seed).filter(({ isPatch }) => info.can.patch || !isPatch);
  const own: number[][] = [];
  for (const { change } of canTell ? [{ change: unchanged }, ...changes] : []) {
    own.push(...(await classProbabilities(model, [change(prompt.ids)], classIds, signal)));
    progress('measuring what-ifs', own.length, changes.length + 1);
  }
  forwardPasses += own.length;

  const prompts = canTell ? await casePrompts(studied, cases, promptEncoder(context)) : [];
  const study = prompts.length === 0 ? null : await studyCases(studied, cases, prompts, changes, context);
  forwardPasses += study?.forwardPasses ?? 0;
  const layer = chosenLayer >= 0 ? chosenLayer : indexOfLargest(flows.map(({ labelToTarget }) => labelToTarget));
  const keys = await classKeys(context, studied, layer);
  const queries = await answerQueries(model, prompts.slice(0, queriesForDirections), layer, signal);
  const directions = queries.length < 2 ? [] : principalDirections(queries);
  forwardPasses += 1 + queries.length;

  const findings: AnchorFindings = {
    fewShot,
    places,
    answerAt,
    target: target.description.label,
    isTargetLabel: target.description.ids.every((token) => classIds.includes(token)),
    flows,
    exampleFlows,
    layer,
    directions: directions.length,
    predicted: keyDistances(keys, directions.length > 0 ? directions : undefined),
    changes: changes.map((change, index) => ({ ...change, probabilities: own[index + 1] ?? [] })),
    probabilities: own[0] ?? [],
    study,
    heads: parameters.heads as HeadSum,
    tokens: prompt.tokens.length,
    canPatch: info.can.patch,
  };
  return {
    ...anchorReport(findings),
    forwardPasses,
    warnings: warningsOf(canTell, fewShot.classes, allCases.length - cases.length),
  };
}

const unchanged = (ids: Int32Array) => ({ ids, patches: [] });

/** The token that stands for each class: that of its examples where the prompt ends as they do, else the first of the label alone. */
async function idsOfClasses(
  { model, prompt }: ToolContext,
  isOpen: boolean,
  classes: readonly string[],
  { labels, classOf }: ReturnType<typeof anchorPlaces>,
): Promise<number[]> {
  if (isOpen) return classes.map((_name, index) => prompt.ids[labels[classOf.indexOf(index)] ?? 0] ?? 0);
  const found: number[] = [];
  for (const name of classes) found.push((await encodeContinuation(model.tokenizer, name))[0] ?? 0);
  return found;
}

function indexOfLargest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}

function warningsOf(canTell: boolean, classes: readonly string[], left: number): Warning[] {
  const warnings: Warning[] = [];
  if (!canTell && classes.length > 1) {
    const message =
      'Two labels begin with the same token, so the next token cannot tell them apart: confusions and what-ifs were not measured.';
    warnings.push({ code: 'W_LABELS_ALIKE', message });
  }
  if (left > 0)
    warnings.push({ code: 'W_CASES_LEFT', message: `${left} cases of the file were not run; max-cases says how many are.` });
  return warnings;
}
