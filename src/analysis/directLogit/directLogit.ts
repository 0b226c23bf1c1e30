import { added, type LogitParts, logitParts } from '../../attribution/flow/logitParts.ts';
import { wholeSequence } from '../../attribution/gradient/promptGradient.ts';
import { toolUnsupported } from '../../shared/toolErrors.ts';
import type { Block } from '../../shared/inspection/blocks.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import { quotedTarget } from '../words/quotedTarget.ts';
import { type Component, rankedComponents, waterfall } from './components.ts';
import { logitTarget } from './logitTarget.ts';
import { fixedText, preciseText } from '../../shared/numberText.ts';

const id = 'direct-logit';

/** From this share of the target on, the picture carries a warning. */
const openShare = 0.05;

/** See docs/inside/direct-logit.md. */
export const directLogit: Tool = {
  id,
  family: 'layers',
  label: 'Direct logit attribution',
  question: 'Which heads and MLPs wrote the answer, and from which words?',
  needs: ['capture', 'gradient', 'language'],
  usesTarget: true,
  parameters: [
    {
      id: 'precision',
      kind: 'choice',
      label: 'Weights',
      help: 'the file as it is executed, or its weights computed in fp32',
      choices: ['as-served', 'dequantised'],
      default: 'as-served',
    },
    {
      id: 'top',
      kind: 'number',
      label: 'Parts',
      help: 'parts shown one by one',
      default: 12,
      minimum: 1,
      maximum: 1000,
      whole: true,
    },
  ],

  async run(context) {
    const { model, prompt, parameters, signal, progress } = context;
    const asked = await context.target();
    const target = logitTarget(asked, id);
    const input = { model, tokens: prompt.tokens, target, parameters };
    const onProgress = (done: number, total: number) => progress('splitting the logit', done, total);
    const parts = await logitParts(input, { signal, onProgress });
    if (!parts.isSum) {
      throw toolUnsupported(id, 'attention that is added to the residual stream without a norm of its own', ['lens', 'heads']);
    }
    const sequence = wholeSequence(input);
    const texts = await model.tokenizer.pieces([...sequence]);
    const residue = parts.expected - parts.sum;
    const share = Math.abs(residue / (parts.expected || 1));
    return {
      data: {
        target: { label: asked.description.label, unit: 'logit', value: parts.expected },
        precision: parts.precision,
        tokens: Array.from(sequence, (token, index) => ({ id: token, text: texts[index] })),
        embedding: added(parts.embedding),
        heads: parts.heads,
        mlps: parts.mlps,
        biases: { attention: parts.attentionBiases, norm: parts.normBias },
        sum: parts.sum,
        residue,
        /** [layers, heads, tokens] */
        sources: {
          shape: [parts.heads.length, model.info.heads, sequence.length],
          values: Float32Array.from(parts.headTokens.flat().flatMap((tokens) => [...tokens])),
        },
      },
      blocks: blocksOf(context, parts, texts, quotedTarget(asked.description)),
      forwardPasses: parts.forwardPasses,
      warnings:
        share <= openShare
          ? []
          : [
              {
                code: 'W_COMPLETENESS_GAP',
                message:
                  `The parts add up to ${preciseText(parts.sum, 3)} and the target is ${preciseText(parts.expected, 3)}: rounding in the ` +
                  'quantised file, or a cap on the logits, stands between them.',
              },
            ],
    };
  },
};

function blocksOf(
  { model, prompt, parameters }: ToolContext,
  parts: LogitParts,
  texts: readonly string[],
  label: string,
): Block[] {
  const { layers, heads } = model.info;
  const shown = Number(parameters.top);
  const readFrom = ({ layer, head }: Component) =>
    head === undefined ? [] : strongest(parts.headTokens[layer ?? 0]?.[head] ?? []);
  const described = (component: Component) =>
    readFrom(component)
      .map(({ token, value }) => `${JSON.stringify(texts[token])} ${fixedText(value, 2)}`)
      .join(', ');
  const columns = [...Array.from({ length: heads }, (_, head) => `H${head}`), 'MLP'];
  const reads = parts.embedding.map((part, token) =>
    parts.headTokens.flat().reduce((total, tokens) => total + (tokens[token] as number), part),
  );
  const gap = parts.expected - parts.sum;
  return [
    {
      kind: 'bars',
      title: `What the logit of ${label} is made of`,
      caption: 'Beside a head: the words it read it from.',
      unit: 'logit',
      waterfall: true,
      bars: waterfall(parts, shown).map((component) => {
        const detail = described(component);
        const tokens = readFrom(component)
          .map(({ token }) => token)
          .filter((token) => token < prompt.tokens.length);
        return {
          label: component.label,
          value: component.value,
          ...(detail === '' ? {} : { detail }),
          ...(tokens.length === 0 ? {} : { tokens }),
        };
      }),
      total: { label: 'target', value: parts.expected },
    },
    {
      kind: 'heat',
      title: 'Every head and MLP',
      rows: { title: 'layer', entries: Array.from({ length: layers }, (_, layer) => ({ label: `L${layer}` })) },
      columns: { title: 'head', entries: columns.map((column) => ({ label: column })) },
      values: Float32Array.from(parts.heads.flatMap((row, layer) => [...row, parts.mlps[layer] as number])),
      unit: 'logit',
      scale: 'signed',
      details: parts.heads.flatMap((row, layer) => [
        ...row.map((value, head) => described({ label: '', value, layer, head })),
        'belongs to no word',
      ]),
    },
    {
      kind: 'prompt',
      title: 'Read straight from each word, by all heads',
      caption: 'What MLPs wrote belongs to no word and is not here.',
      unit: 'logit',
      signed: true,
      scores: Float32Array.from(prompt.tokens, (_, token) => reads[token] as number),
    },
    {
      kind: 'table',
      title: 'Source words of the strongest heads',
      columns: [{ label: 'head' }, { label: 'word' }, { label: 'part', numeric: true, unit: 'logit' }],
      rows: rankedComponents(parts)
        .filter(({ head }) => head !== undefined)
        .slice(0, shown)
        .flatMap((component) =>
          readFrom(component).map(({ token, value }) => ({
            cells: [component.label, texts[token] ?? '', value],
            ...(token < prompt.tokens.length ? { tokens: [token] } : {}),
          })),
        ),
    },
    {
      kind: 'text',
      title: 'How far to trust it',
      lines: [
        `The parts add up to ${fixedText(parts.sum, 4)}; the model's own number is ${fixedText(parts.expected, 4)}; ${Math.abs(gap).toFixed(4)} is left open.`,
        'The scale of the last norm is held fast, though every part has a share in it. Detours through other words are not followed.',
      ],
    },
  ];
}

/** Two decimals are shown. */
const smallestShown = 0.005;

/** Up to three tokens, largest part first. */
function strongest(tokens: ArrayLike<number>): { readonly token: number; readonly value: number }[] {
  return Array.from(tokens, (value, token) => ({ token, value }))
    .filter(({ value }) => Math.abs(value) >= smallestShown)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, 3);
}
