/** The tool: what the model says mattered, against what did. See docs/inside/self-explanation.md. */
import { attributionMethods, findMethod, resolveParameters } from '../../attribution/registry.ts';
import { isHidden } from '../../attribution/scoredUnits.ts';
import { withContinuation } from '../../attribution/perturbation/evaluateSequences.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import type { Warning } from '../../shared/explanation.ts';
import type { Unit } from '../../shared/tokens.ts';
import { buildUnits } from '../../shared/units.ts';
import type { Tool, ToolContext, ToolPrompt } from '../tools/tool.ts';
import { agreementOf } from './agreement.ts';
import { calibrationOf, judgeCases, readQuestionCases, selfExplanationId } from './calibrationCases.ts';
import { parseExplanation } from './parseExplanation.ts';
import { selfReport } from './selfReport.ts';
import { compareWords } from './statedWords.ts';
import { confidenceTemplate, explanationTemplate, filled } from './templates.ts';

/** Tokens for a reply that is one number, with room for a word before it. */
const replyTokens = 16;

export const selfExplanation: Tool = {
  id: selfExplanationId,
  family: 'self-explanation',
  label: 'Self-explanation against measurement',
  question: 'Does the model know which of my words mattered, and how sure it should be?',
  needs: ['forward', 'language'],
  usesTarget: true,
  parameters: [
    {
      id: 'template',
      label: 'What it is asked',
      help: 'with {prompt}, {response} and {count}; the reply should be JSON or a list',
      kind: 'text',
      default: explanationTemplate,
      lines: true,
    },
    {
      id: 'count',
      label: 'Words asked for',
      help: 'how many words it shall name',
      kind: 'number',
      default: 3,
      minimum: 1,
      maximum: 50,
      whole: true,
    },
    {
      id: 'method',
      label: 'Measured by',
      help: 'the attribution method it is compared with',
      kind: 'choice',
      choices: attributionMethods.filter(({ optIn }) => optIn === undefined).map(({ id }) => id),
      default: 'occlusion',
    },
    {
      id: 'length',
      label: 'Most tokens of its reply',
      help: 'room for the explanation',
      kind: 'number',
      default: 200,
      minimum: 1,
      maximum: 4096,
      whole: true,
    },
    {
      id: 'cases',
      label: 'Cases',
      help: 'JSON lines { "prompt", "answer" }: is its stated confidence calibrated?',
      kind: 'file',
    },
    {
      id: 'confidence-template',
      label: 'How it is asked for its confidence',
      help: 'for each case, with {prompt} and {response}',
      kind: 'text',
      default: confidenceTemplate,
      lines: true,
    },
    {
      id: 'answer-length',
      label: 'Most tokens of an answer',
      help: 'for each case',
      kind: 'number',
      default: 16,
      minimum: 1,
      maximum: 1024,
      whole: true,
    },
    {
      id: 'bins',
      label: 'Bins',
      help: 'of the reliability curve',
      kind: 'number',
      default: 10,
      minimum: 2,
      maximum: 100,
      whole: true,
    },
    {
      id: 'max-cases',
      label: 'Most cases',
      help: 'how many of them are asked',
      kind: 'number',
      default: 100,
      minimum: 1,
      maximum: 10_000,
      whole: true,
    },
  ],
  run,
};

async function run(context: ToolContext) {
  const { prompt, parameters, progress, seed } = context;
  const template = String(parameters.template);
  if (!template.includes('{prompt}')) {
    throw toolParameter(
      selfExplanationId,
      'template',
      'it has no place for the prompt',
      'write {prompt} where the prompt shall stand',
    );
  }
  const all = parameters.cases === '' ? [] : readQuestionCases(String(parameters.cases));
  const cases = all.slice(0, Number(parameters['max-cases']));
  const measured = await measure(context, String(parameters.method));

  progress('asking the model', 0, 1);
  const response = await context.generate(prompt, Number(parameters['answer-length']));
  const question = filled(template, { prompt: authoredText(prompt), response: response.trim(), count: String(parameters.count) });
  const reply = await context.generate(
    await context.readMessages([{ role: 'user', content: question }]),
    Number(parameters.length),
  );
  const stated = parseExplanation(reply);
  const { forms, invented } = compareWords(measured.units, (unit) => !isHidden(unit), measured.scores, stated.words);

  const judged = await judgeCases(context, cases, {
    template: String(parameters['confidence-template']),
    answerTokens: Number(parameters['answer-length']),
    replyTokens,
  });
  const bins = Number(parameters.bins);
  const saying = judged.flatMap(({ stated: confidence, isRight }) => (confidence === null ? [] : [{ confidence, isRight }]));
  const left = all.length - cases.length;
  const warnings: Warning[] = [...measured.warnings];
  if (left > 0)
    warnings.push({ code: 'W_CASES_LEFT', message: `${left} cases of the file were not run; max-cases says how many are.` });
  return {
    ...selfReport({
      question,
      reply,
      response,
      stated,
      forms,
      invented,
      units: measured.units,
      agreement: agreementOf(forms, seed),
      method: String(parameters.method),
      judged,
      calibrations: {
        stated: calibrationOf(saying, bins),
        probability: calibrationOf(
          judged.map(({ probability, isRight }) => ({ confidence: probability, isRight })),
          bins,
        ),
      },
    }),
    forwardPasses: measured.forwardPasses + 2 + 3 * judged.length,
    warnings,
  };
}

/** Effects of the prompt's words on the target, by one of the attribution methods with its defaults. */
async function measure(context: ToolContext, id: string) {
  const { model, prompt, signal, progress, seed } = context;
  const method = findMethod(id, model);
  const target = await context.target();
  const units: Unit[] = buildUnits(prompt.text, prompt.tokens, 'word', prompt);
  const tokens = withContinuation(prompt.ids, target.continuation);
  const { read, nonFinite } = await model.forward({ tokens, read: target.reads(prompt.ids.length) }, { signal });
  const value = target.value(read);
  if (nonFinite !== null || !Number.isFinite(value)) throw numeric(nonFinite ?? 'the target');
  const { scores, forwardPasses, warnings } = await method.attribute(
    {
      model,
      tokens: prompt.tokens,
      promptText: prompt.text,
      sections: prompt.sections,
      units,
      target,
      response: null,
      value,
      parameters: resolveParameters(method),
      seed,
    },
    { signal, onProgress: (done, total) => progress('measuring', done, total) },
  );
  return { units, scores, forwardPasses: forwardPasses + 1, warnings };
}

/** The prompt without what the chat template added. */
function authoredText({ text, templateRanges }: ToolPrompt): string {
  let at = 0;
  const parts: string[] = [];
  for (const { start, end } of [...templateRanges, { start: text.length, end: text.length }]) {
    if (start > at) parts.push(text.slice(at, start));
    at = end;
  }
  return parts.join('\n');
}
