import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rasterise } from '../../../src/cli/output/rasterise.ts';
import { readPng, type Pixels } from './readPng.ts';

const renderer = readFileSync('node_modules/@resvg/resvg-wasm/index_bg.wasm');
const font = readFileSync('node_modules/dejavu-fonts-ttf/ttf/DejaVuSansMono.ttf');

const picture = (height: number, inside: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="100" height="${height}" viewBox="0 0 100 ${height}"><rect width="100" height="${height}" fill="#ffffff"/>${inside}</svg>`;

const pixel = ({ data, width }: Pixels, x: number, y: number) => [...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4)];

/** Share of the pixels in a box that are dark. */
function ink({ data, width }: Pixels, [left, top, right, bottom]: readonly [number, number, number, number]): number {
  let dark = 0;
  for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) if ((data[4 * (y * width + x)] ?? 255) < 128) dark++;
  return dark / ((right - left) * (bottom - top));
}

test('boxes have their place and colour, two pixels a unit', async () => {
  const { bytes, scale } = await rasterise(picture(40, '<rect x="10" y="20" width="30" height="10" fill="#b85600"/>'), renderer, [
    font,
  ]);
  const pixels = readPng(bytes);
  expect([pixels.width, pixels.height, scale]).toEqual([200, 80, 2]);
  expect(pixel(pixels, 20, 40)).toEqual([0xb8, 0x56, 0, 255]);
  expect(pixel(pixels, 79, 59)).toEqual([0xb8, 0x56, 0, 255]);
  for (const [x, y] of [
    [19, 40],
    [80, 59],
    [20, 39],
    [20, 60],
  ] as const)
    expect(pixel(pixels, x, y)).toEqual([255, 255, 255, 255]);
});

test('text is drawn with the given font, as wide as it is told to be; none without a font', async () => {
  const text = '<text x="10" y="30" font-family="ui-monospace, monospace" font-size="20" textLength="60">HHHHH</text>';
  const drawn = readPng((await rasterise(picture(40, text), renderer, [font])).bytes);
  expect(ink(drawn, [20, 30, 140, 60])).toBeGreaterThan(0.2);
  expect(ink(drawn, [142, 0, 200, 80])).toBe(0);
  // A capital stands on its line.
  expect(ink(drawn, [0, 61, 200, 80])).toBe(0);
  const bare = readPng((await rasterise(picture(40, text), renderer, [])).bytes);
  expect(ink(bare, [0, 0, 200, 80])).toBe(0);
});

test('a long picture is drawn smaller', async () => {
  const { bytes, scale } = await rasterise(picture(32_768, ''), renderer, [font]);
  expect([readPng(bytes).height, scale]).toEqual([16_384, 0.5]);
});

test('no picture', async () => {
  await expect(rasterise('<svg', renderer, [font])).rejects.toThrow();
});
