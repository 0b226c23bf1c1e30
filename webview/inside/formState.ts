/** What stands in the form of a tool, and the request it makes. Pure, so that it is tested without a page. */
import type { ToolDescription, ToolParameter, ToolParameters } from '../../src/shared/protocol/tools.ts';
import type { TargetSpec } from '../../src/shared/target.ts';

export interface TargetForm {
  readonly kind: 'next' | 'response' | 'text' | 'contrast';
  readonly text: string;
  readonly a: string;
  readonly b: string;
}

/** What the user typed, by parameter; absent: the default. */
export type Typed = Readonly<Record<string, string | boolean>>;

export const emptyTarget: TargetForm = { kind: 'next', text: '', a: '', b: '' };

export function targetForm(target: TargetSpec): TargetForm {
  if (target.kind === 'text') return { ...emptyTarget, kind: 'text', text: target.text };
  if (target.kind === 'contrast') return { ...emptyTarget, kind: 'contrast', a: target.a, b: target.b };
  return { ...emptyTarget, kind: target.kind === 'response' ? 'response' : 'next' };
}

export function targetOf({ kind, text, a, b }: TargetForm): TargetSpec {
  if (kind === 'text') return { kind, text };
  return kind === 'contrast' ? { kind, a, b } : { kind };
}

export function shownValue(parameter: ToolParameter, typed: Typed): string | boolean {
  const own = typed[parameter.id];
  if (own !== undefined) return own;
  if (parameter.kind === 'prompt' || parameter.kind === 'file') return '';
  return typeof parameter.default === 'number' ? String(parameter.default) : parameter.default;
}

/** Parameters for the engine, which checks their ranges; a field that is no number is left to it as text. */
export function parametersOf(tool: ToolDescription, typed: Typed): ToolParameters {
  return Object.fromEntries(
    tool.parameters.flatMap((parameter): [string, string | number | boolean][] => {
      const value = typed[parameter.id];
      if (value === undefined || parameter.kind === 'file') return [];
      if (parameter.kind !== 'number') return [[parameter.id, value]];
      const number = Number(value);
      return [[parameter.id, value === '' || Number.isNaN(number) ? value : number]];
    }),
  );
}

/** The first required field that is empty. @param files names of chosen files, by parameter */
export function missingField(tool: ToolDescription, typed: Typed, files: Readonly<Record<string, string>>): ToolParameter | null {
  return (
    tool.parameters.find((parameter) => {
      if (!('required' in parameter) || parameter.required !== true) return false;
      return parameter.kind === 'file' ? files[parameter.id] === undefined : shownValue(parameter, typed) === '';
    }) ?? null
  );
}
