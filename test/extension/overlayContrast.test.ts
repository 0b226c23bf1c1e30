/** Text must stay readable on every tint: WCAG 2.2 asks for a contrast of 4.5 (success criterion 1.4.3). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

type Rgb = readonly [number, number, number];

/** Editor background and text of the editor's own default themes. */
const themes = {
  dark: ['#1f1f1f', '#cccccc'],
  light: ['#ffffff', '#3b3b3b'],
  highContrast: ['#000000', '#ffffff'],
  highContrastLight: ['#ffffff', '#292929'],
} as const;

const { contributes } = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../package.json'), 'utf8')) as {
  contributes: { colors: { id: string; defaults: Record<keyof typeof themes, string> }[] };
};
const tints = contributes.colors.filter(({ id }) => /\.(positive|negative)\d$/.test(id));

function channels(hex: string): Rgb {
  const [red = 0, green = 0, blue = 0] = (hex.slice(1).match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
  return [red, green, blue];
}

function blend(over: string, background: string): Rgb {
  const alpha = over.length > 7 ? Number.parseInt(over.slice(7), 16) / 255 : 1;
  const [front, back] = [channels(over), channels(background)];
  return [0, 1, 2].map((at) => (front[at] as number) * alpha + (back[at] as number) * (1 - alpha)) as unknown as Rgb;
}

function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: Rgb, b: Rgb): number {
  const [darker, lighter] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

test('there are ten tints', () => {
  expect(tints).toHaveLength(10);
});

test.each(Object.entries(themes))('text on every tint is readable in %s', (theme, [background, text]) => {
  for (const { id, defaults } of tints) {
    const tint = blend(defaults[theme as keyof typeof themes], background);
    expect(contrast(channels(text), tint), id).toBeGreaterThanOrEqual(4.5);
  }
});
