/** Errors of evaluations: measures, files of cases, files of results. */
import { LoupeError } from './errors.ts';

export const measureUnknown = (measure: string, known: readonly string[]) =>
  new LoupeError({
    code: 'E_MEASURE_UNKNOWN',
    kind: 'input',
    what: `there is no measure "${measure}"`,
    why: 'its name is not in the list of measures of faithfulness',
    action: `choose of: ${known.join(', ')}`,
    details: { measure, known },
  });

/** A line of a file of cases or results; `line` counts from 1. */
export const casesInvalid = (
  file: string,
  line: number,
  why: string,
  action = 'write one JSON object a line: { "id", "prompt" }, and if wanted "target", "rationale", "response"',
) =>
  new LoupeError({
    code: 'E_CASES_INVALID',
    kind: 'input',
    what: `${file} holds no case at line ${line}`,
    why,
    action,
    details: { line },
  });

export const resultsCorrupt = (file: string, line: number, why: string) =>
  new LoupeError({
    code: 'E_RESULTS_CORRUPT',
    kind: 'input',
    what: `${file} is damaged at line ${line}`,
    why,
    action: 'correct or remove this line, give another file with --out, or begin anew with --fresh',
    details: { line },
  });
