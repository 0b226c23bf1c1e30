import { describe, expect, it } from 'vitest';
import { headLabels } from '../../../src/analysis/heads/headLabels.ts';
import { patternStatistics, sightOf, uniformPattern } from '../../../src/analysis/heads/patternStatistics.ts';
import { ungrouped } from '../../../src/analysis/heads/repeatedSequence.ts';
import { clusters, patternSignature, similarities } from '../../../src/analysis/heads/similarity.ts';
import { seededRandom } from '../../../src/attribution/seededRandom.ts';

/** Every query looks at one key only. */
const lookingAt = (size: number, key: (query: number) => number) => {
  const pattern = new Float32Array(size * size);
  for (let query = 0; query < size; query++) pattern[query * size + key(query)] = 1;
  return pattern;
};
const twice = Int32Array.of(11, 12, 13, 14, 11, 12, 13, 14);

describe('statistics of a pattern', () => {
  it('are what a uniform pattern has in closed form', () => {
    const size = 6;
    const groups = { ...ungrouped(Int32Array.of(1, 2, 3, 4, 5, 6)), sentences: [0, 0, 0, 1, 1, 1], headings: [1, 0, 0, 0, 0, 0] };
    const found = patternStatistics(uniformPattern(size), groups);
    const mean = (of: (query: number) => number) => [1, 2, 3, 4, 5].reduce((sum, query) => sum + of(query), 0) / 5;
    expect(found.entropy).toBeCloseTo(
      mean((query) => Math.log(query + 1)),
      6,
    );
    expect(found.concentration).toBeCloseTo(
      mean((query) => 1 / (query + 1)),
      6,
    );
    expect(found.distance).toBeCloseTo(
      mean((query) => query / 2),
      6,
    );
    for (const name of ['sink', 'self', 'previous', 'sameSection', 'heading'] as const) {
      expect(found[name], name).toBeCloseTo(
        mean((query) => 1 / (query + 1)),
        6,
      );
    }
    expect(found.sameSentence).toBeCloseTo((1 + 1 + 1 / 4 + 2 / 5 + 3 / 6) / 5, 6);
    expect([found.duplicate, found.induction, found.sameWord]).toEqual([null, null, null]);
  });

  it.each([
    ['previous', (query: number) => Math.max(0, query - 1), 1],
    ['self', (query: number) => query, 1],
    ['sink', () => 0, 1],
    ['induction', (query: number) => Math.max(0, query - 3), 1],
    ['duplicate', (query: number) => Math.max(0, query - 4), 1],
    ['induction', (query: number) => Math.max(0, query - 4), 0],
  ] as const)('know a perfect %s head', (name, key, expected) => {
    expect(patternStatistics(lookingAt(8, key), ungrouped(twice))[name]).toBe(expected);
  });

  it('find induction, duplicates and words as a brute-force count does', () => {
    const random = seededRandom(3);
    const size = 12;
    const ids = Int32Array.from({ length: size }, () => Math.floor(4 * random()));
    const words = Int32Array.from(ids, (_, index) => Math.floor(index / 3));
    const pattern = new Float32Array(size * size);
    for (let query = 0; query < size; query++) {
      const shares = Array.from({ length: query + 1 }, random);
      const total = shares.reduce((sum, share) => sum + share, 0);
      shares.forEach((share, key) => (pattern[query * size + key] = share / total));
    }
    const found = patternStatistics(pattern, { ...ungrouped(ids), words });
    const brute = (fits: (query: number, key: number) => boolean) => {
      const rows: number[] = [];
      for (let query = 1; query < size; query++) {
        const keys = Array.from({ length: query }, (_, key) => key).filter((key) => fits(query, key));
        if (keys.length > 0) rows.push(keys.reduce((sum, key) => sum + (pattern[query * size + key] as number), 0));
      }
      return rows.reduce((sum, row) => sum + row, 0) / rows.length;
    };
    expect(found.duplicate).toBeCloseTo(
      brute((query, key) => ids[key] === ids[query]),
      6,
    );
    expect(found.induction).toBeCloseTo(
      brute((query, key) => key > 0 && ids[key - 1] === ids[query]),
      6,
    );
    expect(found.sameWord).toBeCloseTo(
      brute((query, key) => words[key] === words[query]),
      6,
    );
  });
});

describe('a model that reads both ways', () => {
  it('is known by a look ahead', () => {
    expect(sightOf(uniformPattern(5))).toBe('back');
    expect(sightOf(uniformPattern(5, 'whole'))).toBe('whole');
  });

  it('is counted over the whole prompt', () => {
    const size = 6;
    const groups = { ...ungrouped(Int32Array.of(1, 2, 3, 1, 2, 3)), sentences: [0, 0, 0, 1, 1, 1], headings: [0, 0, 0, 0, 0, 1] };
    const found = patternStatistics(uniformPattern(size, 'whole'), groups, 'whole');
    expect(found.entropy).toBeCloseTo(Math.log(size), 6);
    expect(found.concentration).toBeCloseTo(1 / size, 6);
    // Queries 1 to 5: Σ |query − key| is 11, 9, 9, 11, 15.
    expect(found.distance).toBeCloseTo(55 / 5 / size, 6);
    expect(found.sameSentence).toBeCloseTo(0.5, 6);
    // The same token is the one three places on or back; what follows it, two on or four back, where there is one.
    expect(found.duplicate).toBeCloseTo(1 / size, 6);
    expect(found.induction).toBeCloseTo(1 / size, 6);
    expect(found.heading).toBeCloseTo(1 / size, 6);
  });

  it.each([
    ['duplicate', (query: number) => (query + 4) % 8],
    ['induction', (query: number) => (query + 5) % 8],
  ] as const)('has a perfect %s head that looks ahead too', (name, key) => {
    expect(patternStatistics(lookingAt(8, key), ungrouped(twice), 'whole')[name]).toBeCloseTo(1, 6);
  });

  it('compares heads by what they see ahead', () => {
    const [ahead, back] = [lookingAt(8, (query) => Math.min(7, query + 1)), lookingAt(8, (query) => Math.max(0, query - 1))];
    const [one, other] = [patternSignature(ahead, 'whole'), patternSignature(back, 'whole')];
    expect(similarities([one, one, other])[1]).toBeCloseTo(1, 6);
    expect(similarities([one, one, other])[2]).toBe(0);
  });
});

it('labels by the repeated sequence where there is one, the most telling label first', () => {
  const groups = ungrouped(twice);
  const sink = patternStatistics(
    lookingAt(8, () => 0),
    groups,
  );
  const induction = patternStatistics(
    lookingAt(8, (query) => Math.max(0, query - 3)),
    groups,
  );
  expect(headLabels(sink, null)).toEqual([{ name: 'sink head', score: 1 }]);
  expect(headLabels(sink, induction)).toEqual([
    { name: 'induction head', score: 1 },
    { name: 'sink head', score: 1 },
  ]);
});

describe('similarity', () => {
  it('is 1 for the same pattern, 0 for patterns that never meet, and does not see the sink', () => {
    const size = 9;
    const near = lookingAt(size, (query) => query);
    const far = lookingAt(size, (query) => Math.max(1, query - 1));
    const mixed = near.map((value, at) => (at % size === 0 ? 0.9 : 0.1 * value));
    const cosines = similarities([near, mixed, far].map((pattern) => patternSignature(pattern)));
    expect(cosines[1]).toBeCloseTo(1, 6);
    // Query 1 looks at key 1 in both.
    expect(cosines[2]).toBeCloseTo(1 / 8, 6);
    expect(cosines[4]).toBeCloseTo(1, 6);
  });

  it('is symmetric, and the same for a long pattern that is sampled', () => {
    const size = 400;
    const cosines = similarities(
      [uniformPattern(size), uniformPattern(size), lookingAt(size, (query) => query)].map((pattern) => patternSignature(pattern)),
    );
    expect(cosines[1]).toBeCloseTo(1, 5);
    expect(cosines[2]).toBe(cosines[6]);
    expect(patternSignature(uniformPattern(size)).length).toBeLessThan(20_000);
  });

  it('groups what is alike by average linkage', () => {
    // 0 and 2 at 0.95; 3 to them 0.92 and 0.90: a mean of 0.91; 1 and 4 at 0.99, far from the rest.
    const cosines = new Float32Array(25);
    const set = (i: number, j: number, value: number) => (cosines[i * 5 + j] = cosines[j * 5 + i] = value);
    for (let i = 0; i < 5; i++) set(i, i, 1);
    set(0, 2, 0.95);
    set(0, 3, 0.92);
    set(2, 3, 0.9);
    set(1, 4, 0.99);
    expect(clusters(cosines, 0.9)).toEqual([
      [0, 2, 3],
      [1, 4],
    ]);
    expect(clusters(cosines, 0.93)).toEqual([
      [0, 2],
      [1, 4],
    ]);
    expect(clusters(cosines, 0.999)).toEqual([]);
  });
});
