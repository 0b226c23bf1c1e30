import { toolParameter } from '../../shared/toolErrors.ts';
import type { Block } from '../../shared/inspection/blocks.ts';
import type { Tool } from '../tools/tool.ts';
import { quotedTarget } from '../words/quotedTarget.ts';
import { headAxis, layerAxis } from './axes.ts';
import { type Component, componentLabel, depth, headsAndMlps, readComponent } from './components.ts';
import { componentSites } from './componentPatch.ts';
import { pathPatching, type PathRequest, type ReceiverInput, receiverInputs, totalEffects } from './pathPatching.ts';
import { type PromptPair, readPromptPair } from './promptPair.ts';
import { fixedText } from '../../shared/numberText.ts';

const id = 'path-patch';
const everySender = 'all';

/** See docs/inside/path-patch.md. */
export const pathPatch: Tool = {
  id,
  family: 'causal',
  label: 'Path patching',
  question: 'What does one head or MLP tell another directly, and what does that change in the answer?',
  needs: ['capture', 'patch'],
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
      id: 'sender',
      kind: 'text',
      label: 'Sender',
      help: 'what speaks: "head 3.5", "attn 3", "mlp 3", "embed", or "all": every head and MLP before the receiver, one at a time',
      default: everySender,
      pattern: 'head 3.5',
    },
    {
      id: 'receiver',
      kind: 'text',
      label: 'Receiver',
      help: 'what listens: "head 7.2", "attn 7", "mlp 8" or "logits"',
      default: 'logits',
      pattern: 'head 7.2',
    },
    {
      id: 'input',
      kind: 'choice',
      label: 'Input',
      help: 'of a receiving head: the queries, keys or values that hear the sender, or all three',
      choices: receiverInputs,
      default: 'all',
    },
    {
      id: 'direction',
      kind: 'choice',
      label: 'Direction',
      help: 'corrupted messages in the clean run, or clean ones in the corrupted run',
      choices: ['noise', 'denoise'],
      default: 'noise',
    },
    {
      id: 'mlps',
      kind: 'choice',
      label: 'MLPs between',
      help: 'held, so that only the direct path counts, or free to pass the message on',
      choices: ['frozen', 'free'],
      default: 'frozen',
    },
  ],

  async run(context) {
    const { model, parameters, signal, progress } = context;
    const { info } = model;
    const receiver = readComponent(String(parameters['receiver']), ['head', 'attn', 'mlp', 'logits'], info, id, 'receiver');
    const senders = sendersOf(String(parameters['sender']), receiver, info);
    const input = parameters['input'] as ReceiverInput;
    if (input !== 'all' && receiver.kind !== 'head') {
      throw toolParameter(id, 'input', `${componentLabel(receiver)} has no ${input}`, 'leave it at all, or let a head receive');
    }
    const isNoise = parameters['direction'] === 'noise';
    const pair = await readPromptPair(context, id, 'corrupt', componentSites);
    const { target } = pair;
    const [base, source] = isNoise
      ? [pair.cleanActivations, pair.corruptActivations]
      : [pair.corruptActivations, pair.cleanActivations];
    const total = senders.length * (receiver.kind === 'logits' ? 1 : 2) + (senders.length === 1 ? 1 : 0);
    let done = 0;
    const request: PathRequest = {
      model,
      ids: (isNoise ? pair.clean : pair.corrupt).ids,
      tokens: isNoise ? pair.cleanTokens : pair.corruptTokens,
      target,
      base,
      source,
      receiver,
      input,
      mlps: parameters['mlps'] as 'frozen' | 'free',
      signal,
      onRun: () => progress('patching paths', ++done, total),
    };
    const direct = await pathPatching(request, senders);
    const whole = senders.length === 1 ? await totalEffects(request, senders) : null;
    const baseline = isNoise ? pair.cleanValue : pair.corruptValue;
    const effects = Float64Array.from(direct.values, (value) => value - baseline);
    const totalEffect = whole === null ? null : (whole.values[0] as number) - baseline;
    const { unit, label } = target.description;
    return {
      data: {
        receiver: componentLabel(receiver),
        input,
        direction: parameters['direction'],
        mlps: parameters['mlps'],
        senders: senders.map((sender, index) => ({
          sender: componentLabel(sender),
          kind: sender.kind,
          layer: sender.layer,
          ...(sender.head < 0 ? {} : { head: sender.head }),
          effect: effects[index],
        })),
        ...(totalEffect === null ? {} : { totalEffect }),
        clean: pair.cleanValue,
        corrupt: pair.corruptValue,
        unit,
        target: label,
      },
      blocks: pathBlocks({ pair, receiver, input, senders, effects, totalEffect, isNoise, heads: info.heads }),
      forwardPasses: 2 + direct.forwardPasses + (whole?.forwardPasses ?? 0),
    };
  },
};

/** @throws E_TOOL_PARAMETER for a sender that is computed after the receiver, as `readComponent` */
function sendersOf(text: string, receiver: Component, info: { readonly layers: number; readonly heads: number }): Component[] {
  const isBefore = (sender: Component) => depth(sender, info.layers) < depth(receiver, info.layers);
  if (text.trim().toLowerCase() === everySender) {
    const senders = headsAndMlps(info).filter(isBefore);
    if (senders.length > 0) return senders;
    throw toolParameter(id, 'receiver', `nothing is computed before ${componentLabel(receiver)}`, 'choose a later receiver');
  }
  const sender = readComponent(text, ['embed', 'head', 'attn', 'mlp'], info, id, 'sender');
  if (isBefore(sender)) return [sender];
  const why = `${componentLabel(sender)} is not computed before ${componentLabel(receiver)}, and cannot tell it anything`;
  throw toolParameter(id, 'sender', why, 'choose a sender of an earlier layer; in a layer attention comes before the MLP');
}

interface Paths {
  readonly pair: PromptPair;
  readonly receiver: Component;
  readonly input: ReceiverInput;
  readonly senders: readonly Component[];
  /** [senders] */
  readonly effects: Float64Array;
  readonly totalEffect: number | null;
  readonly isNoise: boolean;
  readonly heads: number;
}

function pathBlocks(paths: Paths): Block[] {
  const { pair, receiver, input, senders, effects, totalEffect, isNoise, heads } = paths;
  const { unit } = pair.target.description;
  const span = pair.cleanValue - pair.corruptValue;
  const heard = input === 'all' ? componentLabel(receiver) : `the ${input} of ${componentLabel(receiver)}`;
  const title = `What reaches ${heard} directly: change of ${quotedTarget(pair.target.description)}`;
  const caption = `Clean: ${fixedText(pair.cleanValue, 3)} ${unit}; corrupted: ${fixedText(pair.corruptValue, 3)} ${unit}. Base: the ${isNoise ? 'clean' : 'corrupted'} run.`;
  const trust: Block = {
    kind: 'text',
    title: 'How far to trust it',
    lines: [
      'Exact, not an estimate: every other part between the two is held at its value in the base run. Norms are computed anew from what arrives.',
      'A part that speaks through a third one shows nothing here: follow the path by letting that one receive.',
      'Parts that stand in for each other show less than they do together.',
    ],
  };
  if (totalEffect !== null && senders.length === 1) {
    const [sender] = senders as [Component];
    const change = effects[0] as number;
    return [
      {
        kind: 'bars',
        title,
        caption,
        unit,
        bars: [
          { label: `${componentLabel(sender)} → ${heard}`, value: change, detail: share(change, span) },
          { label: `${componentLabel(sender)} by all its paths`, value: totalEffect, detail: share(totalEffect, span) },
        ],
      },
      trust,
    ];
  }
  const layers = 1 + Math.max(...senders.map(({ layer }) => layer));
  const width = heads + 1;
  const cells = new Float32Array(layers * width).fill(Number.NaN);
  senders.forEach(({ layer, head }, index) => {
    cells[layer * width + (head < 0 ? heads : head)] = effects[index] as number;
  });
  const order = Array.from(effects.keys()).sort((a, b) => Math.abs(effects[b] as number) - Math.abs(effects[a] as number));
  return [
    {
      kind: 'heat',
      title,
      caption,
      rows: layerAxis(layers),
      columns: { title: 'sender', entries: [...headAxis(heads).entries, { label: 'MLP' }] },
      values: cells,
      unit,
      scale: 'signed',
    },
    {
      kind: 'table',
      title: 'Strongest senders',
      columns: [
        { label: 'sender' },
        { label: 'change', numeric: true, unit },
        { label: 'of the difference', numeric: true, unit: '%' },
      ],
      rows: order.slice(0, 20).map((index) => {
        const change = effects[index] as number;
        return { cells: [componentLabel(senders[index] as Component), change, (100 * Math.abs(change)) / Math.abs(span)] };
      }),
    },
    trust,
  ];
}

function share(change: number, span: number): string {
  return `${((100 * Math.abs(change)) / Math.abs(span)).toFixed(0)} % of the difference between the prompts`;
}
