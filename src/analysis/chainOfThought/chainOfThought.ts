/** The tool: does the answer depend on the reasoning stated before it? See docs/inside/chain-of-thought.md. */
import { encodeContinuation } from '../../attribution/continuation.ts';
import { toolPrompt } from '../../shared/toolErrors.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import { alterations, truncations } from './alterations.ts';
import { chainReport } from './chainReport.ts';
import { type ReadAnswer, readAnswers } from './readAnswers.ts';
import { splitReasoning, stepKinds, type StepKind } from './splitReasoning.ts';
import { verdictOf } from './verdict.ts';

const id = 'chain-of-thought';

export const chainOfThought: Tool = {
  id,
  family: 'self-explanation',
  label: 'Chain of thought, cut and altered',
  question: 'Does the answer change when the reasoning before it is cut short, altered or replaced?',
  needs: ['forward', 'language'],
  usesTarget: false,
  parameters: [
    {
      id: 'reasoning',
      label: 'Response',
      help: 'reasoning and answer; empty: what the model writes',
      kind: 'text',
      default: '',
      lines: true,
    },
    {
      id: 'marker',
      label: 'Before the answer',
      help: 'what stands before the final answer; where it does not occur, the last line is the answer',
      kind: 'text',
      default: 'answer is',
    },
    {
      id: 'steps',
      label: 'Steps',
      help: 'what one step of the reasoning is',
      kind: 'choice',
      choices: stepKinds,
      default: 'sentence',
    },
    {
      id: 'length',
      label: 'Most response tokens',
      help: 'how much the model writes where no response is given',
      kind: 'number',
      default: 160,
      minimum: 1,
      maximum: 4096,
      whole: true,
    },
  ],
  run,
};

async function run(context: ToolContext) {
  const { model, prompt, parameters, signal, progress, seed } = context;
  const given = String(parameters.reasoning);
  const response = given === '' ? await context.generate(prompt, Number(parameters.length)) : given;
  const reasoning = splitReasoning(response, String(parameters.marker), parameters.steps as StepKind);
  if (reasoning === null) {
    throw toolPrompt(
      id,
      `the response ${JSON.stringify(shortened(response))} has no reasoning before an answer`,
      'ask for reasoning first ("Let us think step by step"), give a response, or name what stands before the answer with --marker',
    );
  }
  const { steps, cue, answer } = reasoning;
  const answerIds = await encodeContinuation(model.tokenizer, answer);
  const cut = truncations(steps);
  const altered = alterations(steps, seed);
  // Behind nothing the cue begins the response, with what space the response itself began with; what space it has of its own is not doubled.
  const lead = /^\s*/u.exec(response)?.[0] ?? '';
  const hasSpace = /^\s/u.test(cue + answer);
  const followed = (text: string) => (text.trim() === '' ? lead + cue.trimStart() : (hasSpace ? text.trimEnd() : text) + cue);
  const read = [...cut, ...altered.map(({ text }) => text)].map(followed);
  let done = 0;
  const { answers, forwardPasses } = await readAnswers(model, prompt.ids, read, answerIds, signal, () =>
    progress('reading answers', ++done, read.length),
  );
  const truncated = answers.slice(0, cut.length);
  const outcomes = altered.map((alteration, index) => ({
    alteration,
    answer: answers[cut.length + index] as (typeof answers)[number],
  }));
  const begun = answers.map(({ begins }) => begins);
  const firsts = begun.map(([first = 0]) => first);
  const pieces = await model.tokenizer.pieces(firsts);
  const texts = new Map<ReadAnswer['begins'], string>();
  for (const begins of begun) texts.set(begins, await model.tokenizer.decode(begins));
  return {
    ...chainReport({
      response,
      isGenerated: given === '',
      reasoning,
      truncated,
      outcomes,
      verdict: verdictOf(truncated, outcomes),
      pieceOf: new Map(firsts.map((first, index) => [first, pieces[index] ?? ''])),
      textOf: texts,
    }),
    forwardPasses: forwardPasses + (given === '' ? 1 : 0),
  };
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
