/** Files of cases that tools take as a parameter: one JSON object a line, blank lines between allowed. */
import * as v from 'valibot';
import { toolParameter } from '../../shared/toolErrors.ts';
import { casesInvalid } from '../../shared/evaluationErrors.ts';

export interface CaseLine<T> {
  /** Counts from 1. */
  readonly line: number;
  readonly value: T;
}

export interface CaseFile<T> {
  readonly tool: string;
  /** The parameter that holds the file's text; named in errors. */
  readonly parameter: string;
  readonly schema: v.GenericSchema<unknown, T>;
  /** What a line looks like: `{ "text", "label" }`. */
  readonly shape: string;
}

/** @throws E_CASES_INVALID with the line that is wrong; E_TOOL_PARAMETER for a file without a case */
export function readCaseLines<T>({ tool, parameter, schema, shape }: CaseFile<T>, text: string): CaseLine<T>[] {
  const action = `write one JSON object a line: ${shape}`;
  const cases = text.split('\n').flatMap((content, index): CaseLine<T>[] => {
    if (content.trim() === '') return [];
    const refuse = (why: string) => casesInvalid(`the file of --${parameter}`, index + 1, why, action);
    const parsed = v.safeParse(schema, jsonOf(content, refuse));
    if (parsed.success) return [{ line: index + 1, value: parsed.output }];
    const [issue] = parsed.issues;
    throw refuse(`${v.getDotPath(issue) ?? 'the line'}: ${issue.message}`);
  });
  if (cases.length === 0) throw toolParameter(tool, parameter, 'the file holds no case', action);
  return cases;
}

function jsonOf(text: string, refuse: (why: string) => Error): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : 'it is no JSON');
  }
}
