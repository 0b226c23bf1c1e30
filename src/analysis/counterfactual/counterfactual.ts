/** The tool: the smallest edit of the author's words that makes the model answer otherwise. See docs/inside/counterfactual.md. */
import { encodeContinuation } from '../../attribution/continuation.ts';
import { sharedPasses, withContinuation } from '../../attribution/perturbation/evaluateSequences.ts';
import type { Model, RowResult } from '../../model/model.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import { toolParameter, toolPrompt } from '../../shared/toolErrors.ts';
import type { Warning } from '../../shared/explanation.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import { authorWords } from '../words/authorWords.ts';
import { promptEncoder, type EncodedPrompt } from '../words/promptEncoder.ts';
import { applyEdits } from '../words/textEdits.ts';
import { surprisePasses, textSurprise } from '../words/textSurprise.ts';
import { candidateEdits, editModes, type EditMode, type SubstituteSource, substituteSources } from './candidateEdits.ts';
import { anyOtherAnswer, type FlipGoal, givenAnswer, otherSign } from './flipGoal.ts';
import { searchFlips } from './flipSearch.ts';
import { counterfactualReport } from './report.ts';
import type { WordEdit } from './wordEdits.ts';

const id = 'counterfactual';

/** Prompts between two looks at whether to stop. */
const atOnce = 32;

/** Sets carried on to the next size. */
const beam = 6;

export const counterfactual: Tool = {
  id,
  family: 'counterfactual',
  label: 'Counterfactual edits',
  question: 'Which smallest change of my words makes the model answer otherwise?',
  needs: ['forward', 'language'],
  usesTarget: true,
  parameters: [
    {
      id: 'mode',
      label: 'Edits',
      help: 'delete words, put others in their place, or both',
      kind: 'choice',
      choices: editModes,
      default: 'both',
    },
    {
      id: 'candidates',
      label: 'Candidates',
      help: 'words put in: those the model finds likely at the place, those of the whole vocabulary that the gradient favours, or both',
      kind: 'choice',
      choices: substituteSources,
      default: 'likely',
    },
    {
      id: 'goal',
      label: 'Wanted answer',
      help: 'text the answer should begin with, leading space included; empty: any other answer',
      kind: 'text',
      default: '',
      pattern: ' London',
    },
    {
      id: 'max-edits',
      label: 'Most words changed',
      help: 'largest number of edited words',
      kind: 'number',
      default: 3,
      minimum: 1,
      maximum: 6,
      whole: true,
    },
    {
      id: 'budget',
      label: 'Most prompts tried',
      help: 'forward passes spent on candidates',
      kind: 'number',
      default: 300,
      minimum: 1,
      maximum: 100_000,
      whole: true,
    },
    {
      id: 'max-strain',
      label: 'How odd it may read',
      help: 'largest rise of −log-probability a token of the prompt, nats',
      kind: 'number',
      default: 0.5,
      minimum: 0,
    },
  ],
  run,
};

async function run(context: ToolContext) {
  const { model, prompt, parameters, signal, progress } = context;
  const encode = promptEncoder(context);
  const whole = await encode(prompt.text);
  const words = authorWords({ ...prompt, tokens: whole.tokens });
  const goal = await chosenGoal(context, whole);
  const first = await readGoal(model, goal, [whole.ids], signal);
  const row = first[0] as RowResult;
  const margin = goal.margin(row);
  if (margin < 0) {
    throw toolParameter(
      id,
      'goal',
      `${JSON.stringify(parameters.goal)} is what the model answers already`,
      'give another answer, or none',
    );
  }
  progress('finding candidates', 0, 1);
  const mode = parameters.mode as EditMode;
  const kinds = { mode, source: parameters.candidates as SubstituteSource };
  const candidates = await candidateEdits(model, prompt.text, whole, words, kinds, goal, row, context);
  const { edits, order, scored, forwardPasses } = candidates;
  const applicable = await withoutEmptyPrompts(prompt.text, edits, encode);
  if (applicable.length === 0) {
    const why = mode === 'substitution' ? 'no word has a substitute' : 'without its words nothing of it is left';
    throw toolPrompt(id, why, 'give a prompt of at least two words');
  }
  const budget = Number(parameters.budget);
  let tried = 0;
  // The goal, where it was not given, the margin, and how surprising the prompt is.
  let passes = forwardPasses + (parameters.goal === '' ? 3 : 2);
  const encodeAll = async (sets: readonly (readonly WordEdit[])[]) => {
    const prompts: Int32Array[] = [];
    for (const set of sets) prompts.push((await encode(applyEdits(prompt.text, set))).ids);
    return prompts;
  };
  const [surprise = 0] = await textSurprise(model, [whole.ids], signal);
  const result = await searchFlips({
    edits: applicable,
    maxEdits: Number(parameters['max-edits']),
    budget,
    beam,
    maxStrain: Number(parameters['max-strain']),
    margin,
    async evaluate(sets) {
      const outcomes: { margin: number; answer: number }[] = [];
      for (let from = 0; from < sets.length; from += atOnce) {
        const prompts = await encodeAll(sets.slice(from, from + atOnce));
        const rows = await readGoal(model, goal, prompts, signal);
        outcomes.push(...rows.map((read) => ({ margin: goal.margin(read), answer: goal.answer(read) })));
        passes += sharedPasses(model.info, prompts, whole.ids.length, goal.continuation.length);
        tried += prompts.length;
        progress('trying edits', Math.min(tried, budget), budget);
      }
      return outcomes;
    },
    async strains(sets) {
      if (sets.length === 0) return [];
      const prompts = await encodeAll(sets);
      passes += surprisePasses(prompts, whole.ids.length);
      return (await textSurprise(model, prompts, signal)).map((value) => value - surprise);
    },
  });
  const answers = [...new Set([goal.answer(row), ...result.trials.map(({ answer }) => answer)])];
  const pieces = await model.tokenizer.pieces(answers);
  const pieceOf = new Map(answers.map((answer, index) => [answer, pieces[index] ?? '']));
  const report = counterfactualReport({
    result,
    goal,
    margin,
    answer: goal.answer(row),
    words,
    text: prompt.text,
    order,
    scored,
    pieceOf,
    parameters,
  });
  return { ...report, forwardPasses: passes, warnings: differentTokens(prompt.ids, whole.ids) };
}

async function chosenGoal(context: ToolContext, { ids }: EncodedPrompt): Promise<FlipGoal> {
  const { model, parameters, signal } = context;
  const wanted = String(parameters.goal);
  const target = await context.target();
  if (wanted !== '') {
    const [first] = await encodeContinuation(model.tokenizer, wanted);
    if (first === undefined)
      throw toolParameter(id, 'goal', 'the tokenizer makes nothing of it', 'give a text with at least one character');
    const [piece = ''] = await model.tokenizer.pieces([first]);
    return givenAnswer(first, `the next token is ${JSON.stringify(piece)}`);
  }
  if (target.description.kind === 'contrast') {
    const prompt = withContinuation(ids, target.continuation);
    const { read, nonFinite } = await model.forward({ tokens: prompt, read: target.reads(ids.length) }, { signal });
    if (nonFinite !== null) throw numeric(nonFinite);
    return otherSign(target, target.value(read));
  }
  const { read, nonFinite } = await model.forward(
    { tokens: ids, read: [{ position: ids.length - 1, ids: [], top: 1 }] },
    { signal },
  );
  if (nonFinite !== null) throw numeric(nonFinite);
  return anyOtherAnswer(read[0]?.top[0]?.id ?? 0);
}

async function readGoal(model: Model, goal: FlipGoal, prompts: readonly Int32Array[], signal: AbortSignal): Promise<RowResult[]> {
  if (prompts.length === 0) return [];
  const variants = prompts.map((ids) => ({ tokens: withContinuation(ids, goal.continuation), read: [goal.read(ids.length)] }));
  return (await model.forwardVariants({ variants }, { signal })).map(({ read: [row] }) => {
    if (row === undefined || !Number.isFinite(goal.margin(row))) throw numeric('the margin');
    return row;
  });
}

/** A model reads at least one token. */
async function withoutEmptyPrompts(
  text: string,
  edits: readonly WordEdit[],
  encode: (text: string) => Promise<EncodedPrompt>,
): Promise<WordEdit[]> {
  const kept: WordEdit[] = [];
  for (const edit of edits) if ((await encode(applyEdits(text, [edit]))).ids.length > 0) kept.push(edit);
  return kept;
}

function differentTokens(given: Int32Array, read: Int32Array): Warning[] {
  if (given.length === read.length && given.every((token, index) => token === read[index])) return [];
  const message =
    'The prompt’s text is read as other tokens than those that were given; everything here is about the text as it is read.';
  return [{ code: 'W_TOKENS_DIFFER', message }];
}
