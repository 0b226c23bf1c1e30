import { describe, expect, test } from 'vitest';
import { namedParameter, namedText } from '../../src/cli/input/namedValues.ts';
import { anyNumber, decimalNumber, wholeNumber, wholeNumberList } from '../../src/cli/input/numberArguments.ts';
import { parseTarget } from '../../src/cli/input/targetArgument.ts';
import { toJson } from '../../src/shared/toJson.ts';
import { colourLevel } from '../../src/cli/terminal/colourLevel.ts';

describe('targets', () => {
  test.each([
    ['next', { kind: 'next' }],
    ['response', { kind: 'response' }],
    ['span:0-4', { kind: 'span', from: 0, to: 4 }],
    ['span:3', { kind: 'span', from: 3, to: 3 }],
    ['text: Paris', { kind: 'text', text: ' Paris' }],
    ['text:a:b|c', { kind: 'text', text: 'a:b|c' }],
    ['id:42', { kind: 'id', id: 42 }],
    ['contrast: Paris| Rome', { kind: 'contrast', a: ' Paris', b: ' Rome' }],
    ['contrast:a\\|b|c', { kind: 'contrast', a: 'a|b', b: 'c' }],
  ])('%j', (text, target) => {
    expect(parseTarget(text)).toEqual(target);
  });

  test.each([
    '',
    'nexT',
    'text',
    'id:',
    'id:-1',
    'id:1e3',
    'span:',
    'span:4-2',
    'span:a-b',
    'contrast:a',
    'contrast:a|',
    'contrast:a|b|c',
    '__proto__:x',
    'constructor:x',
  ])('%j is refused', (text) => {
    expect(() => parseTarget(text)).toThrow(/^E_TARGET_INVALID: .+; .+; .+/);
  });
});

test('a target of no text', () => {
  expect(() => parseTarget('text:')).toThrow(/^E_TARGET_EMPTY: /);
});

describe('numbers', () => {
  test.each([
    ['0', 0],
    ['12', 12],
    ['1e2', 100],
    ['12.0', 12],
  ])('%j', (text, value) => {
    expect(wholeNumber(0, 100)(text)).toBe(value);
  });

  test.each(['', ' ', '-1', '1.5', '15e-1', '1e3', '0x10', '12abc', '101', 'NaN', 'Infinity', '1e999'])(
    '%j is no count',
    (text) => {
      expect(() => wholeNumber(0, 100)(text)).toThrow(/whole number from 0 to 100/);
    },
  );

  test.each([
    ['1e9', 1e9],
    ['1E+2', 100],
    ['.5', 0.5],
    ['5.', 5],
    ['-1e-3', -0.001],
    ['+2', 2],
    ['-.25e1', -2.5],
  ])('%j is a number', (text, value) => {
    expect(anyNumber(text)).toBe(value);
    expect(decimalNumber(-1e9, 1e9)(text)).toBe(value);
    expect(namedParameter(`n=${text}`)).toEqual({ n: value });
  });

  test.each(['', ' ', '1 ', '.', 'e5', '1e', '-', '--1', '0x1F', '0b1', '1_000', '1,5', 'NaN', 'Infinity', '-Infinity', '1e999'])(
    '%j is none',
    (text) => {
      expect(() => anyNumber(text)).toThrow(/must be a number/);
      expect(namedParameter(`n=${text}`)).toEqual({ n: text });
    },
  );

  test.each(['', '-1', '1e9', 'NaN', '.', '101'])('%j is no temperature', (text) => {
    expect(() => decimalNumber(0, 100)(text)).toThrow(/number from 0 to 100/);
  });

  test('lists', () => {
    expect(wholeNumberList(10)('1, 2,3')).toEqual([1, 2, 3]);
    for (const text of ['', '1,', '1,,2', '1;2', '11']) expect(() => wholeNumberList(10)(text)).toThrow(/separated by commas/);
  });
});

describe('named values', () => {
  test('collects', () => {
    expect(namedText('b=x=y', namedText('a='))).toEqual({ a: '', b: 'x=y' });
    expect(['n=3', 'n=-0.5', 'n=true', 'n=drop', 'n=1e3', 'n=0x3'].map((text) => namedParameter(text)['n'])).toEqual([
      3,
      -0.5,
      true,
      'drop',
      1000,
      '0x3',
    ]);
  });

  test.each(['a', '=b', '', '__proto__=1'])('%j is refused', (text) => {
    expect(() => namedText(text)).toThrow();
  });
});

describe('JSON', () => {
  test('typed arrays become arrays; null stays null', () => {
    expect(toJson({ values: Float32Array.of(1, 0.5), ids: Int32Array.of(3), logprob: null })).toBe(
      '{"values":[1,0.5],"ids":[3],"logprob":null}',
    );
  });

  test.each([{ a: Number.NaN }, { a: [{ b: -Infinity }] }, { a: Float32Array.of(1, Number.NaN) }])('%o is refused', (result) => {
    expect(() => toJson(result)).toThrow(/^E_NUMERIC: /);
  });
});

describe('colour level', () => {
  test.each([
    [{ flag: false, environment: { FORCE_COLOR: '3' }, isTerminal: true }, 0],
    [{ flag: undefined, environment: { NO_COLOR: '1', FORCE_COLOR: '3' }, isTerminal: true }, 0],
    [{ flag: undefined, environment: {}, isTerminal: false }, 0],
    [{ flag: undefined, environment: { FORCE_COLOR: '2' }, isTerminal: false }, 2],
    [{ flag: undefined, environment: { FORCE_COLOR: '0' }, isTerminal: true }, 0],
    [{ flag: true, environment: { NO_COLOR: '1', COLORTERM: 'truecolor' }, isTerminal: false }, 3],
    [{ flag: true, environment: {}, isTerminal: false }, 1],
  ] as const)('%o', (request, level) => {
    expect(colourLevel(request)).toBe(level);
  });
});
