import { describe, expect, test } from 'vitest';
import { chooseTool, missingNeed, toolParameters } from '../../../src/analysis/tools/chooseTool.ts';
import { tools } from '../../../src/analysis/tools/registry.ts';
import type { Tool, ToolNeed } from '../../../src/analysis/tools/tool.ts';
import { LoupeError } from '../../../src/shared/errors.ts';
import type { ToolParameter } from '../../../src/shared/protocol/tools.ts';

const all = { capture: true, patch: true, gradient: true, language: true };

function toolOf(id: string, needs: readonly ToolNeed[], parameters: readonly ToolParameter[] = []): Tool {
  return {
    id,
    family: 'layers',
    label: id,
    question: 'what?',
    needs,
    parameters,
    usesTarget: false,
    run: () => Promise.reject(new Error('not run here')),
  };
}

function refusal(action: () => unknown): LoupeError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof LoupeError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

describe('choosing', () => {
  const list = [toolOf('reads', ['forward']), toolOf('looks', ['capture']), toolOf('differentiates', ['capture', 'gradient'])];

  test.each(['reads', 'looks', 'differentiates'])('%s, on a model that can everything', (id) => {
    expect(chooseTool(list, id, all).id).toBe(id);
  });

  test('a forward pass is what every model can', () => {
    expect(chooseTool(list, 'reads', { ...all, capture: false, patch: false, gradient: false }).id).toBe('reads');
  });

  test.each(['', 'read', 'Reads', '__proto__', 'constructor'])('%j is unknown, and the known ones are named', (id) => {
    const { code, parts } = refusal(() => chooseTool(list, id, all));
    expect(code).toBe('E_TOOL_UNKNOWN');
    expect(parts.action).toBe('choose one of: reads, looks, differentiates');
  });

  test('one the model cannot run: what is missing, and which it can run', () => {
    const { code, parts } = refusal(() => chooseTool(list, 'differentiates', { ...all, gradient: false }));
    expect(code).toBe('E_TOOL_UNSUPPORTED');
    expect(parts.why).toContain('it needs gradients');
    expect(parts.action).toBe('choose one of: reads, looks');
  });

  test('a model that can run none is told so', () => {
    const { parts } = refusal(() => chooseTool([toolOf('looks', ['capture'])], 'looks', { ...all, capture: false }));
    expect(parts.action).toBe('load another model');
  });

  test.each<[ToolNeed[], Partial<typeof all>, ToolNeed | undefined]>([
    [[], {}, undefined],
    [['forward', 'capture'], {}, undefined],
    [['capture', 'patch'], { patch: false }, 'patch'],
    [['forward', 'language'], { language: false }, 'language'],
    [['gradient', 'patch'], { patch: false, gradient: false }, 'gradient'],
  ])('of %j with %j is missing: %s', (needs, can, missing) => {
    expect(missingNeed(toolOf('any', needs), { ...all, ...can })).toBe(missing);
  });
});

describe('parameters', () => {
  const tool = toolOf(
    'tool',
    [],
    [
      { id: 'what', kind: 'choice', label: 'What', help: 'h', choices: ['head', 'mlp'], default: 'mlp' },
      { id: 'count', kind: 'number', label: 'Count', help: 'h', default: 5, minimum: 1, maximum: 9, whole: true },
      { id: 'noise', kind: 'number', label: 'Noise', help: 'h', default: 0.5 },
      { id: 'floor', kind: 'number', label: 'Floor', help: 'h', default: 1, minimum: 1 },
      { id: 'ceiling', kind: 'number', label: 'Ceiling', help: 'h', default: 1, maximum: 1, whole: true },
      { id: 'each', kind: 'boolean', label: 'Each', help: 'h', default: false },
      { id: 'layers', kind: 'text', label: 'Layers', help: 'h', default: 'all' },
      { id: 'other', kind: 'prompt', label: 'Other', help: 'h' },
      { id: 'cases', kind: 'file', label: 'Cases', help: 'h' },
    ],
  );
  const defaults = { what: 'mlp', count: 5, noise: 0.5, floor: 1, ceiling: 1, each: false, layers: 'all', other: '', cases: '' };

  test('left out: the defaults, in the tool’s order', () => {
    expect(Object.entries(toolParameters(tool, {}))).toEqual(Object.entries(defaults));
  });

  test.each([
    [{ what: 'head' }],
    [{ count: 1 }],
    [{ count: 9, noise: -1e9 }],
    [{ each: true }],
    [{ layers: '' }],
    [{ other: 'The capital of Italy is', cases: '{}' }],
  ])('%j is taken', (given) => {
    expect(toolParameters(tool, given)).toEqual({ ...defaults, ...given });
  });

  test.each<[Record<string, unknown>, RegExp, string]>([
    [{ what: 'neuron' }, /its value is "neuron"/, 'use one of: head, mlp'],
    [{ what: 1 }, /its value is 1/, 'use one of: head, mlp'],
    [{ count: 0 }, /its value is 0/, 'give a whole number from 1 to 9'],
    [{ count: 10 }, /its value is 10/, 'give a whole number from 1 to 9'],
    [{ count: 2.5 }, /its value is 2.5/, 'give a whole number from 1 to 9'],
    [{ count: Number.NaN }, /its value is NaN/, 'give a whole number from 1 to 9'],
    [{ count: '5' }, /its value is "5"/, 'give a whole number from 1 to 9'],
    [{ noise: 'much' }, /its value is "much"/, 'give a number'],
    [{ noise: Number.NaN }, /its value is NaN/, 'give a number'],
    [{ floor: 0 }, /its value is 0/, 'give a number of at least 1'],
    [{ ceiling: 2 }, /its value is 2/, 'give a whole number of at most 1'],
    [{ each: 'false' }, /its value is a string/, 'give true or false'],
    [{ layers: 3 }, /its value is a number/, 'give a text'],
    [{ other: false }, /its value is a boolean/, 'give a text'],
    [
      { layer: 3 },
      /the tool has no such parameter/,
      'use one of: what, count, noise, floor, ceiling, each, layers, other, cases',
    ],
    [
      { constructor: 'x' },
      /the tool has no such parameter/,
      'use one of: what, count, noise, floor, ceiling, each, layers, other, cases',
    ],
  ])('%j is refused', (given, why, action) => {
    const { code, kind, parts } = refusal(() => toolParameters(tool, given as never));
    expect([code, kind]).toEqual(['E_TOOL_PARAMETER', 'input']);
    expect(parts.why).toMatch(why);
    expect(parts.action).toBe(action);
  });

  test.each([
    { id: 'need', kind: 'text', label: 'N', help: 'a subject', default: '', required: true },
    { id: 'need', kind: 'prompt', label: 'N', help: 'a subject', required: true },
    { id: 'need', kind: 'file', label: 'N', help: 'a subject', required: true },
  ] satisfies ToolParameter[])('a required $kind must be given', (parameter) => {
    const { parts } = refusal(() => toolParameters(toolOf('tool', [], [parameter]), {}));
    expect([parts.why, parts.action]).toEqual(['it is missing', 'give it: a subject']);
    expect(toolParameters(toolOf('tool', [], [parameter]), { need: 'x' })).toEqual({ need: 'x' });
  });

  test('a required text with a default is not missing, an empty one is', () => {
    const subject: ToolParameter = { id: 'need', kind: 'text', label: 'N', help: 'a subject', default: 'x', required: true };
    expect(toolParameters(toolOf('tool', [], [subject]), {})).toEqual({ need: 'x' });
    expect(refusal(() => toolParameters(toolOf('tool', [], [subject]), { need: '' })).parts.why).toBe('it is missing');
  });

  test('a tool without parameters takes none', () => {
    expect(toolParameters(toolOf('bare', []), {})).toEqual({});
    expect(refusal(() => toolParameters(toolOf('bare', []), { top: 3 })).parts.action).toBe('leave it away');
  });
});

describe('the list', () => {
  test('ids are verbs, once each', () => {
    const ids = tools.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });

  test.each(tools.map((tool) => [tool.id, tool] as const))(
    '%s can be asked with its own defaults or says what is missing',
    (_, tool) => {
      expect(tool.question).toMatch(/\?$/);
      for (const { label, help } of tool.parameters) expect([label, help]).not.toContain('');
      const ids = tool.parameters.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      const required = tool.parameters.filter((parameter) => 'required' in parameter && parameter.required === true);
      const given = Object.fromEntries(required.map(({ id }) => [id, 'given']));
      expect(Object.keys(toolParameters(tool, given))).toEqual(ids);
      if (required.length > 0) expect(refusal(() => toolParameters(tool, {})).code).toBe('E_TOOL_PARAMETER');
    },
  );
});
