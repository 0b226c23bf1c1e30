import { expect, test } from 'vitest';
import { allFinite } from '../../src/model/runtime/rowSummary.ts';

test.each([Number.NaN, Infinity, -Infinity])('%d is found wherever it stands', (bad) => {
  for (let length = 0; length <= 9; length++) {
    const values = Float32Array.from({ length }, (_, index) => (index % 2 === 0 ? -1e38 : 3e38));
    expect(allFinite(values)).toBe(true);
    for (let place = 0; place < length; place++) {
      const broken = values.slice();
      broken[place] = bad;
      expect(allFinite(broken)).toBe(false);
    }
  }
});
