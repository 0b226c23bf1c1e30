import { spearman } from '../../attribution/spearman.ts';
import type { Block, TextBlock } from '../../shared/inspection/blocks.ts';
import { type AnchorFindings, caseWhatIfs, confusions, curves, distances, graph, ownWhatIfs } from './anchorBlocks.ts';
import type { AnchorFlow } from './anchorFlow.ts';
import type { CaseStudy } from './caseStudy.ts';
import { fixedText } from '../../shared/numberText.ts';

export function anchorReport(findings: AnchorFindings): { readonly data: object; readonly blocks: readonly Block[] } {
  const { fewShot, places, flows, study, predicted, layer, directions } = findings;
  const measured = study === null ? null : pairs(study.confusion, fewShot.classes.length);
  const data = {
    prefix: fewShot.prefix,
    classes: fewShot.classes,
    examples: fewShot.examples.map(({ labelText }, index) => ({
      label: labelText,
      position: places.labels[index],
      tokens: places.texts[index],
    })),
    finalPosition: findings.answerAt,
    target: findings.target,
    layers: flows.map(({ textToLabel, labelToTarget, other }) => ({ S_wp: textToLabel, S_pq: labelToTarget, S_ww: other })),
    flow: findings.exampleFlows,
    predictedConfusion: { layer, directions, values: rows(predicted, fewShot.classes.length) },
    probabilities: findings.probabilities,
    whatIfs: findings.changes.map(({ id, label, saved, probabilities }) => ({ id, label, saved, probabilities })),
    cases:
      study === null
        ? null
        : {
            ...study,
            confusion: rows(study.confusion, fewShot.classes.length).map((row) =>
              row.map((value) => (Number.isNaN(value) ? null : value)),
            ),
            rankCorrelation: comparable(predicted, study, fewShot.classes.length),
          },
  };
  return {
    data,
    blocks: [
      { kind: 'text', tone: 'finding', lines: findingLines(findings) },
      curves(flows),
      graph(findings, 'lower'),
      graph(findings, 'upper'),
      distances(findings),
      ...(study === null ? [] : [confusions(study, fewShot)]),
      ...(findings.probabilities.length === 0 ? [] : [ownWhatIfs(findings)]),
      ...(study === null ? [] : [caseWhatIfs(study)]),
      trust(findings, measured?.filter((value) => !Number.isNaN(value)).length ?? 0),
    ],
  };
}

function findingLines({ fewShot, flows, places, target, isTargetLabel }: AnchorFindings): string[] {
  const half = Math.floor(flows.length / 2);
  const share = (from: number, to: number) => {
    const part = flows.slice(from, to);
    const sum = (kind: keyof AnchorFlow) => part.reduce((total, flow) => total + flow[kind], 0) / part.length;
    return { label: sum('textToLabel'), target: sum('labelToTarget'), other: sum('other') };
  };
  const [lower, upper] = [share(0, Math.max(1, half)), share(half, flows.length)];
  const ratio = (value: number, other: number) => (other > 0 ? `${(value / other).toFixed(1)} times` : 'infinitely many times');
  const isAnchor = lower.label > lower.other && upper.target > upper.other;
  const crossing = 1 + flows.findLastIndex((flow) => flow.labelToTarget <= flow.textToLabel);
  return [
    `${fewShot.examples.length} examples with ${fewShot.classes.length} labels (${fewShot.classes.join(', ')}) behind ${JSON.stringify(fewShot.prefix)}; label tokens ${places.labels.join(', ')}.`,
    `Explained is ${JSON.stringify(target)}${isTargetLabel ? '' : ', which is none of the labels: the flow below is about another answer than a label'}.`,
    `Lower half of the layers: a look of a label at the text before it carries ${ratio(lower.label, lower.other)} what any other look does.`,
    `Upper half: a look of the answer at a label carries ${ratio(upper.target, upper.other)} what any other look does.`,
    ...(crossing > 0 && crossing < flows.length
      ? [`From layer ${crossing} on the answer reads the labels more than the labels read their text.`]
      : []),
    isAnchor
      ? 'Both is what label anchors predict.'
      : 'That is not what label anchors predict: here the labels do not gather and hand on.',
  ];
}

function trust({ study, fewShot, predicted, canPatch, probabilities }: AnchorFindings, measuredPairs: number): TextBlock {
  const lines: string[] = [
    'Flows are first-order effects of looks; the what-ifs are measured.',
    'Keys hold the place of a word too (rotary embedding): labels far apart in the prompt differ for that alone.',
  ];
  if (study === null) {
    lines.push(
      'Confusions and the change in accuracy need --cases: a file of JSON lines { "text", "label" } with labels of the examples.',
    );
  } else if (fewShot.classes.length < 3 || measuredPairs < 3) {
    lines.push('Predicted and measured confusions can be compared from three labels on (three pairs).');
  } else {
    const correlation = comparable(predicted, study, fewShot.classes.length);
    lines.push(
      `Rank correlation of predicted and measured confusions over ${measuredPairs} pairs: ${fixedText(correlation ?? 0, 2)}.`,
    );
  }
  if (study !== null && study.fitted !== null) {
    const { weights, heads, fittedOn, measuredOn, accuracyBefore } = study.fitted;
    const named = fewShot.classes.map((name, index) => `${name} ${fixedText(weights[index] ?? 1, 2)}`).join(', ');
    lines.push(
      `Weights fitted to each label (${named}) come from ${fittedOn} cases and were measured on the other ${measuredOn}, where the whole prompt is right in ${(100 * accuracyBefore).toFixed(0)} %.`,
    );
    const moved = heads.strongest.slice(0, 3).map(({ layer, head, class: name, weight }) => {
      return `L${layer}.H${head} at ${fewShot.classes[name] ?? ''} ${fixedText(weight, 2)}`;
    });
    lines.push(`With a weight for each head too, these moved most: ${moved.join(', ')}.`);
  }
  if (probabilities.length === 0) lines.push('Labels cannot be told apart by their first token, so no what-if was measured.');
  if (!canPatch)
    lines.push('This model’s forward pass cannot be changed: only the shortened prompt was measured, no weights and no hiding.');
  return { kind: 'text', title: 'How far to trust this', lines };
}

function rows(values: Float64Array, count: number): number[][] {
  return Array.from({ length: count }, (_, row) => Array.from(values.slice(row * count, (row + 1) * count)));
}

/** Below the diagonal. */
function pairs(values: Float64Array, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Array.from(values.slice(i * count, i * count + i))).flat();
}

/** Spearman over the pairs of classes that have cases; null below three. */
function comparable(predicted: Float64Array, { confusion }: CaseStudy, count: number): number | null {
  const both = pairs(predicted, count).map((value, index) => [value, pairs(confusion, count)[index] ?? Number.NaN] as const);
  const known = both.filter(([, value]) => !Number.isNaN(value));
  if (known.length < 3) return null;
  return spearman(
    known.map(([value]) => value),
    known.map(([, value]) => value),
  );
}
