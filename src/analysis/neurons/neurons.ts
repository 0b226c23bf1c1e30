import { toolParameter } from '../../shared/toolErrors.ts';
import type { Warning } from '../../shared/explanation.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import { neuronWrites } from '../weights/neuronWrites.ts';
import { vocabularyOf } from '../weights/vocabularyOf.ts';
import { chosenNeuron } from './chosenNeuron.ts';
import { neuronBlocks, type NeuronReport } from './neuronBlocks.ts';
import {
  activationsOf,
  effectOfAblation,
  neuronEffect,
  type NeuronName,
  strongestNeurons,
  targetValue,
} from './neuronEffects.ts';
import { neuronExamples } from './neuronExamples.ts';

const id = 'neurons';
/** Tokens listed that a neuron writes. */
const written = 6;

/** See docs/inside/neurons.md. */
export const neurons: Tool = {
  id,
  family: 'neurons',
  label: 'Neurons',
  question: 'Which neurons matter for the answer, when are they active, and what do they write?',
  needs: ['capture', 'patch', 'language'],
  usesTarget: true,
  parameters: [
    {
      id: 'neuron',
      kind: 'text',
      label: 'Neuron',
      help: 'one neuron, as layer.neuron; empty: the strongest ones are searched for',
      default: '',
      pattern: '12.345',
    },
    {
      id: 'position',
      kind: 'number',
      label: 'Position',
      help: 'the token whose neurons are searched, counted from 0; -1: the last one; -2: the whole prompt',
      default: -1,
      minimum: -2,
      whole: true,
    },
    {
      id: 'rank',
      kind: 'choice',
      label: 'Strongest by',
      help: 'activation × gradient of the target, or the activation alone',
      choices: ['effect', 'activation'],
      default: 'effect',
    },
    {
      id: 'top',
      kind: 'number',
      label: 'Neurons',
      help: 'how many are shown',
      default: 10,
      minimum: 1,
      maximum: 200,
      whole: true,
    },
    { id: 'text', kind: 'file', label: 'Text', help: 'a text in which the neuron is searched for its strongest tokens' },
    {
      id: 'tokens',
      kind: 'number',
      label: 'Tokens of the text',
      help: 'how much of the text is read at the most',
      default: 8192,
      minimum: 1,
      maximum: 1_000_000,
      whole: true,
    },
  ],

  async run(context) {
    const { model, prompt, parameters, signal, progress } = context;
    const target = await context.target();
    const positions = chosenPositions(Number(parameters.position), prompt.ids.length);
    const question = { ids: prompt.ids, target, positions, rankBy: rankBy(context), count: Number(parameters.top) };
    const named = chosenNeuron(id, String(parameters.neuron), model.info);
    const found = named === null ? await strongest(context, question) : await neuronEffect(model, question, named, signal);
    const clean = await targetValue(model, prompt.ids, target, [], signal);
    const reports: NeuronReport[] = [];
    const directions = await neuronWrites(model, found.neurons, signal);
    const words = await vocabularyOf(model, directions, written, { signal });
    for (const [index, neuron] of found.neurons.entries()) {
      const ablation = await effectOfAblation(model, question, neuron, clean, signal);
      const { top = [], bottom = [] } = words[index] ?? {};
      reports.push({ ...neuron, ablation, top, bottom });
      progress('switching neurons off', index + 1, found.neurons.length);
    }
    const first = found.neurons[0];
    const activations =
      first === undefined ? new Float32Array(prompt.ids.length) : await activationsOf(model, prompt.ids, first, signal);
    const text = first === undefined || parameters.text === '' ? null : await inText(context, first);
    return {
      data: {
        target: { label: target.description.label, unit: target.description.unit, value: clean },
        positions,
        neurons: reports,
        activations: {
          ...(first === undefined ? {} : { layer: first.layer, neuron: first.neuron }),
          tokens: prompt.tokens.map((token, index) => ({ id: token.id, text: token.text, activation: activations[index] })),
        },
        ...(text === null ? {} : { text: text.examples }),
      },
      blocks: neuronBlocks({
        reports,
        activations,
        tokens: prompt.tokens,
        examples: text?.examples ?? null,
        unit: target.description.unit,
        isNamed: named !== null,
      }),
      forwardPasses: found.forwardPasses + 2 * reports.length + 2,
      warnings: text?.warnings ?? [],
    };
  },
};

function rankBy({ parameters, model }: ToolContext): 'effect' | 'activation' {
  return parameters.rank === 'effect' && model.info.can.gradient ? 'effect' : 'activation';
}

/** @throws E_TOOL_PARAMETER */
function chosenPositions(position: number, length: number): number[] {
  if (position === -2) return Array.from({ length }, (_, index) => index);
  if (position === -1) return [length - 1];
  if (position < length) return [position];
  throw toolParameter(id, 'position', `the prompt has ${length} tokens`, `use a number from 0 to ${length - 1}, -1 or -2`);
}

function strongest({ model, signal, progress }: ToolContext, question: Parameters<typeof strongestNeurons>[1]) {
  const onLayer = (done: number, total: number) => progress('reading neurons', done, total);
  return strongestNeurons(model, question, { signal, onLayer });
}

async function inText({ model, parameters, signal, progress }: ToolContext, name: NeuronName) {
  const limit = Number(parameters.tokens);
  const { tokens } = await model.tokenizer.encode(String(parameters.text), { parseSpecial: false });
  if (tokens.length === 0) throw toolParameter(id, 'text', 'the text is empty', 'give a file with text');
  const ids = Int32Array.from(tokens.slice(0, limit), (token) => token.id);
  const examples = await neuronExamples(model, ids, name, Number(parameters.top), {
    signal,
    onWindow: (done, total) => progress('reading the text', done, total),
  });
  const warnings: Warning[] =
    tokens.length <= limit
      ? []
      : [
          {
            code: 'W_TEXT_SHORTENED',
            message: `The text has ${tokens.length} tokens; the first ${limit} were read. Raise "tokens" to read more.`,
          },
        ];
  return { examples, warnings };
}
