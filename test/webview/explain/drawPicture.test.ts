import { expect, test } from 'vitest';
import { pictureScale } from '../../../src/shared/pictureScale.ts';

test.each([
  [800, 600, 2],
  [800, 8_192, 2],
  [800, 32_768, 0.5],
  [0, 0, 2],
])('a picture of %d × %d is drawn at %d pixels a unit', (width, height, scale) =>
  expect(pictureScale(width, height)).toBe(scale),
);
