/** From what stands in the fields of the form to values of a tool's parameters. Pure. */
import type { ToolParameter, ToolParameters } from '../../src/shared/protocol/tools.ts';
import type { InsideStrings } from './insideStrings.ts';

/** What the fields hold; a field the user never touched is not in it. */
export type FieldTexts = Readonly<Record<string, string | boolean>>;

export interface FormValues {
  readonly values: ToolParameters;
  /** What is wrong, by parameter. */
  readonly problems: Readonly<Record<string, string>>;
}

/** `files`: names of picked files. Parameters left empty are left out, so that the tool's defaults hold. */
export function parameterValues(
  parameters: readonly ToolParameter[],
  fields: FieldTexts,
  files: Readonly<Record<string, string>>,
  text: InsideStrings,
): FormValues {
  const values: [string, string | number | boolean][] = [];
  const problems: [string, string][] = [];
  for (const parameter of parameters) {
    const { id } = parameter;
    const field = Object.hasOwn(fields, id) ? fields[id] : undefined;
    if ('required' in parameter && parameter.required === true) {
      const given = parameter.kind === 'file' ? files[id] : (field ?? (parameter.kind === 'text' ? parameter.default : ''));
      if (given === undefined || given === '') problems.push([id, text.mustBeGiven]);
    }
    if (field === undefined || parameter.kind === 'file') continue;
    if (parameter.kind !== 'number') {
      values.push([id, field]);
      continue;
    }
    if (field === '') continue;
    const problem = numberProblem(parameter, String(field), text);
    if (problem === null) values.push([id, numberOf(String(field))]);
    else problems.push([id, problem]);
  }
  return { values: Object.fromEntries(values), problems: Object.fromEntries(problems) };
}

function numberProblem(
  { minimum, maximum, whole }: Extract<ToolParameter, { kind: 'number' }>,
  field: string,
  text: InsideStrings,
): string | null {
  const value = numberOf(field);
  if (!Number.isFinite(value)) return text.mustBeNumber;
  if (whole === true && !Number.isInteger(value)) return text.mustBeWhole;
  if (minimum !== undefined && value < minimum) return text.atLeast(String(minimum));
  if (maximum !== undefined && value > maximum) return text.atMost(String(maximum));
  return null;
}

/** A real minus sign, as the panel itself writes it, is one too. */
function numberOf(field: string): number {
  const trimmed = field.trim().replace('−', '-');
  return trimmed === '' ? Number.NaN : Number(trimmed);
}
