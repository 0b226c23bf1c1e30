/** What is evaluated: prompt files as they are, and lists of cases, one JSON object a line. */
import path from 'node:path';
import * as v from 'valibot';
import { usage } from '../../shared/errorCatalog.ts';
import { casesInvalid } from '../../shared/evaluationErrors.ts';
import type { PromptSource } from '../../shared/protocol/engine.ts';
import type { CommandContext } from '../commandContext.ts';
import { type PromptOptions, promptSource } from '../input/promptSource.ts';
import { readPromptText } from '../input/readPromptText.ts';

export interface EvaluatedCase {
  readonly id: string;
  readonly prompt: PromptSource;
  /** As `--target` has it; absent: the option's. */
  readonly target?: string;
  readonly response?: string;
  /** What a person says carried the answer: words, or ranges of the prompt in UTF-16 units. */
  readonly rationale?: readonly (string | readonly [number, number])[];
}

const offset = v.pipe(v.number(), v.integer(), v.minValue(0));
const caseSchema = v.object({
  id: v.optional(v.union([v.string(), v.number()])),
  prompt: v.pipe(v.string(), v.minLength(1, 'the prompt is empty')),
  target: v.optional(v.string()),
  response: v.optional(v.string()),
  rationale: v.optional(v.array(v.union([v.string(), v.tuple([offset, offset])]))),
});

/** @throws E_USAGE for no file, one named twice or two cases of one id; E_CASES_INVALID; and as `promptSource` */
export async function readCases(
  files: readonly string[],
  options: PromptOptions,
  context: CommandContext,
): Promise<EvaluatedCase[]> {
  if (files.length === 0) throw usage('there is nothing to evaluate', 'give at least one FILE');
  const paths = files.map((file) => (file === '-' ? file : path.resolve(file)));
  const twice = paths.find((file, index) => paths.indexOf(file) < index);
  if (twice !== undefined) throw usage(`the file ${twice} is named twice`, 'name each file once');
  const cases: EvaluatedCase[] = [];
  for (const file of files) {
    if (/\.jsonl$/i.test(file)) cases.push(...(await listedCases(file, options, context)));
    else cases.push({ id: file, prompt: await promptSource(file, options, context) });
  }
  const ids = cases.map(({ id }) => id);
  const repeated = ids.find((id, index) => ids.indexOf(id) < index);
  if (repeated !== undefined) throw usage(`two cases have the id ${repeated}`, 'give each case an id of its own');
  return cases;
}

async function listedCases(
  file: string,
  { raw, chat }: PromptOptions,
  { stdin, signal }: CommandContext,
): Promise<EvaluatedCase[]> {
  const lines = (await readPromptText(file, stdin, signal)).split('\n');
  const mode = chat === true ? 'chat' : raw === true ? 'raw' : 'auto';
  return lines.flatMap((line, index): EvaluatedCase[] => {
    if (line.trim() === '') return [];
    const parsed = v.safeParse(caseSchema, jsonOf(file, index + 1, line));
    if (!parsed.success) {
      const [issue] = parsed.issues;
      throw casesInvalid(file, index + 1, `${v.getDotPath(issue) ?? 'the line'}: ${issue.message}`);
    }
    const { id, prompt, target, response, rationale } = parsed.output;
    return [
      {
        id: String(id ?? `${file}:${index + 1}`),
        prompt: { text: prompt, format: 'text', mode },
        ...(target === undefined ? {} : { target }),
        ...(response === undefined ? {} : { response }),
        ...(rationale === undefined ? {} : { rationale }),
      },
    ];
  });
}

function jsonOf(file: string, line: number, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw casesInvalid(file, line, error instanceof Error ? error.message : 'it is no JSON');
  }
}
