/** Values for a tool's parameters, from the form of the panel and the files that were picked. */
import type { ToolDescription, ToolParameters } from '../../shared/protocol/tools.ts';

export interface PickedFile {
  readonly name: string;
  readonly text: string;
}

/**
 * What the engine is asked with: of the form only parameters the tool has, of each file its text. The engine checks the values;
 * the page, which is not trusted, can name no file.
 */
export function toolValues(
  { parameters }: Pick<ToolDescription, 'parameters'>,
  given: ToolParameters,
  files: ReadonlyMap<string, PickedFile>,
): ToolParameters {
  const values: [string, string | number | boolean][] = [];
  for (const { id, kind } of parameters) {
    const value = kind === 'file' ? files.get(id)?.text : Object.hasOwn(given, id) ? given[id] : undefined;
    if (value !== undefined) values.push([id, value]);
  }
  return Object.fromEntries(values);
}

/** Whether the tool can run before the user gave anything. */
export function runsAsItIs({ parameters }: Pick<ToolDescription, 'parameters'>): boolean {
  return parameters.every(
    (parameter) =>
      !('required' in parameter && parameter.required === true) || (parameter.kind === 'text' && parameter.default !== ''),
  );
}
