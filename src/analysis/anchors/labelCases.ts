import * as v from 'valibot';
import { casesInvalid } from '../../shared/evaluationErrors.ts';
import { readCaseLines } from '../cases/caseLines.ts';
import { labelAnchorsId } from './fewShot.ts';

export interface LabelCase {
  readonly text: string;
  /** Index of the class. */
  readonly label: number;
}

const shape = '{ "text", "label" }';
const schema = v.object({
  text: v.pipe(v.string(), v.nonEmpty('the text is empty')),
  label: v.pipe(v.string(), v.nonEmpty('the label is empty')),
});

/** @throws E_CASES_INVALID, also for a label that no example has; E_TOOL_PARAMETER for an empty file */
export function readLabelCases(text: string, classes: readonly string[]): LabelCase[] {
  const known = classes.map((name) => name.toLowerCase());
  return readCaseLines({ tool: labelAnchorsId, parameter: 'cases', schema, shape }, text).map(({ line, value }) => {
    const label = known.indexOf(value.label.trim().toLowerCase());
    if (label >= 0) return { text: value.text, label };
    const why = `label: no example of the prompt has the label ${JSON.stringify(value.label)}`;
    throw casesInvalid('the file of --cases', line, why, `use one of: ${classes.join(', ')}`);
  });
}
