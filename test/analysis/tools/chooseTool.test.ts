import { describe, expect, test } from 'vitest';
import { chooseTool, missingNeed, toolParameters } from '../../../src/analysis/tools/chooseTool.ts';
import { tools } from '../../../src/analysis/tools/registry.ts';
import type { Tool } from '../../../src/analysis/tools/tool.ts';
import type { ToolParameter, ToolParameters } from '../../../src/shared/protocol/tools.ts';

const words = { label: '', help: 'what it is' };
const parameters: ToolParameter[] = [
  { ...words, id: 'site', kind: 'choice', choices: ['a', 'b'], default: 'a' },
  { ...words, id: 'layer', kind: 'number', default: -1, minimum: -1, maximum: 29, whole: true },
  { ...words, id: 'noise', kind: 'number', default: 3 },
  { ...words, id: 'exact', kind: 'boolean', default: true },
  { ...words, id: 'span', kind: 'text', default: 'x', required: true },
  { ...words, id: 'other', kind: 'prompt' },
  { ...words, id: 'cases', kind: 'file' },
];

function toolWith(changes: Partial<Tool>): Tool {
  return {
    id: 'some',
    family: 'layers',
    label: '',
    question: '',
    needs: ['forward'],
    parameters,
    usesTarget: false,
    run: () => Promise.reject(new Error('not run here')),
    ...changes,
  };
}

const defaults = { site: 'a', layer: -1, noise: 3, exact: true, span: 'x', other: '', cases: '' };

describe('parameters', () => {
  const cases: [given: ToolParameters, changed: ToolParameters][] = [
    [{}, {}],
    [
      { layer: 29, site: 'b' },
      { layer: 29, site: 'b' },
    ],
    [
      { noise: -1e9, exact: false },
      { noise: -1e9, exact: false },
    ],
    [
      { span: ' y', other: 'p', cases: '{}' },
      { span: ' y', other: 'p', cases: '{}' },
    ],
  ];
  test.each(cases)('%j', (given, changed) => {
    const values = toolParameters(toolWith({}), given);
    expect(values).toEqual({ ...defaults, ...changed });
    expect(Object.keys(values)).toEqual(parameters.map(({ id }) => id));
  });

  const refused: [given: ToolParameters, message: RegExp][] = [
    [{ colour: 1 }, /no such parameter.*use one of: site, layer/],
    [{ toString: 1 }, /no such parameter/],
    [{ site: 'c' }, /its value is "c".*use one of: a, b/],
    [{ layer: 1.5 }, /its value is 1.5.*a whole number from -1 to 29/],
    [{ layer: 30 }, /from -1 to 29/],
    [{ layer: -2 }, /from -1 to 29/],
    [{ layer: '3' }, /its value is "3"/],
    [{ noise: Number.NaN }, /a number from -Infinity to Infinity/],
    [{ exact: 1 }, /its value is a number.*true or false/],
    [{ span: '' }, /it is missing.*what it is/],
    [{ other: true }, /its value is a boolean.*give a text/],
  ];
  test.each(refused)('%j is refused', (given, message) => {
    expect(() => toolParameters(toolWith({}), given)).toThrow(expect.objectContaining({ code: 'E_TOOL_PARAMETER' }));
    expect(() => toolParameters(toolWith({}), given)).toThrow(message);
  });

  test('of a tool without any', () => {
    expect(() => toolParameters(toolWith({ parameters: [] }), { layer: 1 })).toThrow(/leave it away/);
  });
});

describe('choosing', () => {
  const can = { capture: true, patch: false, gradient: false };
  const some = [
    toolWith({ id: 'plain' }),
    toolWith({ id: 'looks', needs: ['capture'] }),
    toolWith({ id: 'changes', needs: ['capture', 'patch', 'gradient'] }),
  ];

  test('what the model can run', () =>
    expect(['plain', 'looks'].map((id) => chooseTool(some, id, can).id)).toEqual(['plain', 'looks']));

  test('one that is not there: those that are', () => {
    expect(() => chooseTool(some, 'other', can)).toThrow(expect.objectContaining({ code: 'E_TOOL_UNKNOWN' }));
    expect(() => chooseTool(some, 'other', can)).toThrow(/plain, looks, changes/);
  });

  test('one it cannot run: the first thing that is missing, and those it can', () => {
    expect(missingNeed(some[2]!, can)).toBe('patch');
    expect(() => chooseTool(some, 'changes', can)).toThrow(expect.objectContaining({ code: 'E_TOOL_UNSUPPORTED' }));
    expect(() => chooseTool(some, 'changes', can)).toThrow(/changes inside a forward pass.*plain, looks/);
  });
});

describe('every tool of the list', () => {
  test('has an id of its own', () => {
    const ids = tools.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(tools.map((tool) => [tool.id, tool] as const))(
    '%s: its defaults are values it takes, its words are there',
    (_id, tool) => {
      const optional = tool.parameters.filter((parameter) => !('required' in parameter && parameter.required === true));
      expect(() => toolParameters({ ...tool, parameters: optional }, {})).not.toThrow();
      expect(new Set(tool.parameters.map(({ id }) => id)).size).toBe(tool.parameters.length);
      expect(tool.question).toMatch(/\?$/);
      for (const { label, help } of tool.parameters) expect([label, help].every((text) => text !== '')).toBe(true);
    },
  );
});
