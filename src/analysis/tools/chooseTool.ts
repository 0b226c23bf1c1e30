import type { ModelInfo } from '../../model/model.ts';
import { toolParameter, toolUnknown, toolUnsupported } from '../../shared/toolErrors.ts';
import type { ToolParameter, ToolParameters } from '../../shared/protocol/tools.ts';
import type { Tool, ToolNeed } from './tool.ts';

export interface Abilities extends Pick<ModelInfo['can'], 'capture' | 'patch' | 'gradient'> {
  readonly language: boolean;
}

export function abilitiesOf({ can, task }: Pick<ModelInfo, 'can' | 'task'>): Abilities {
  const { capture, patch, gradient } = can;
  return { capture, patch, gradient, language: task === undefined };
}

const needNames: Record<ToolNeed, string> = {
  forward: 'forward passes',
  capture: 'a look at activations inside',
  patch: 'changes inside a forward pass',
  gradient: 'gradients',
  language: 'predictions of tokens',
};

/** The tool with this id, if the model can run it. @throws E_TOOL_UNKNOWN, E_TOOL_UNSUPPORTED */
export function chooseTool(tools: readonly Tool[], id: string, can: Abilities): Tool {
  const tool = tools.find((candidate) => candidate.id === id);
  if (tool === undefined)
    throw toolUnknown(
      id,
      tools.map((candidate) => candidate.id),
    );
  const missing = missingNeed(tool, can);
  if (missing === undefined) return tool;
  const supported = tools.filter((candidate) => missingNeed(candidate, can) === undefined).map((candidate) => candidate.id);
  throw toolUnsupported(id, needNames[missing], supported);
}

export function missingNeed({ needs }: Tool, can: Abilities): ToolNeed | undefined {
  return needs.find((need) => need !== 'forward' && !can[need]);
}

/**
 * What the user gave, checked, and defaults for the rest, in the tool's own order. A prompt or a file that was left out is ''.
 * @throws E_TOOL_PARAMETER
 */
export function toolParameters({ id: tool, parameters }: Tool, given: ToolParameters): ToolParameters {
  const known = parameters.map(({ id }) => id);
  for (const id of Object.keys(given)) {
    if (known.includes(id)) continue;
    const action = known.length > 0 ? `use one of: ${known.join(', ')}` : 'leave it away';
    throw toolParameter(tool, id, 'the tool has no such parameter', action);
  }
  return Object.fromEntries(
    parameters.map((parameter) => {
      const value = Object.hasOwn(given, parameter.id) ? given[parameter.id] : undefined;
      return [parameter.id, checkedValue(tool, parameter, value)];
    }),
  );
}

function checkedValue(tool: string, parameter: ToolParameter, given: string | number | boolean | undefined) {
  const refuse = (why: string, action: string) => toolParameter(tool, parameter.id, why, action);
  switch (parameter.kind) {
    case 'choice': {
      const value = given ?? parameter.default;
      if (parameter.choices.includes(String(value))) return String(value);
      throw refuse(`its value is ${JSON.stringify(value)}`, `use one of: ${parameter.choices.join(', ')}`);
    }
    case 'boolean': {
      const value = given ?? parameter.default;
      if (typeof value !== 'boolean') throw refuse(`its value is a ${typeof value}`, 'give true or false');
      return value;
    }
    case 'number': {
      const value = given ?? parameter.default;
      const { minimum = -Infinity, maximum = Infinity, whole = false } = parameter;
      const isInRange = typeof value === 'number' && value >= minimum && value <= maximum;
      if (!isInRange || (whole && !Number.isInteger(value))) {
        const shown = typeof value === 'number' ? String(value) : JSON.stringify(value);
        throw refuse(`its value is ${shown}`, `give ${whole ? 'a whole number' : 'a number'}${limits(minimum, maximum)}`);
      }
      return value;
    }
    case 'text':
    case 'prompt':
    case 'file': {
      const value = given ?? (parameter.kind === 'text' ? parameter.default : '');
      if (typeof value !== 'string') throw refuse(`its value is a ${typeof value}`, 'give a text');
      if (parameter.required === true && value === '') throw refuse('it is missing', `give it: ${parameter.help}`);
      return value;
    }
  }
}

function limits(minimum: number, maximum: number): string {
  if (minimum > -Infinity) return maximum < Infinity ? ` from ${minimum} to ${maximum}` : ` of at least ${minimum}`;
  return maximum < Infinity ? ` of at most ${maximum}` : '';
}
