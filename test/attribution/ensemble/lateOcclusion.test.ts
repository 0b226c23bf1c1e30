import { expect, test } from 'vitest';
import { lateOcclusion } from '../../../src/attribution/ensemble/lateOcclusion.ts';
import { sharedPasses } from '../../../src/attribution/perturbation/evaluateSequences.ts';
import { fullValue, inputFor } from '../attributionInput.ts';
import { createLinearModel } from '../linearModel.ts';

const model = createLinearModel();
const ids = [40, 41, 42, 43, 44, 45, 46, 47, 48, 49];

test('the last units, each as a full pass without it says, as many as the budget buys', async () => {
  const input = await inputFor(model, { ids, spec: { kind: 'id', id: 60 } });
  const units = ids.slice(0, -1).map((_id, unit) => unit);
  // Without unit u the last 9 − u tokens are evaluated: 1 + 2 + 3 of 10.
  const { effects, forwardPasses } = await lateOcclusion(input, units, 0.6);
  expect([...effects.keys()]).toEqual([8, 7, 6]);
  expect(forwardPasses).toBeCloseTo(0.6, 12);
  for (const [unit, effect] of effects) {
    const without = Int32Array.from(ids.filter((_id, index) => index !== unit));
    expect(effect).toBe(input.value - (await fullValue(model, without, input.target)));
  }
  expect(await lateOcclusion(input, units, 0.05)).toEqual({ effects: new Map(), forwardPasses: 0, budgeted: 0 });
  // Evaluated whole, one late unit costs almost a pass.
  const whole = await inputFor(createLinearModel({ sharesBeginnings: false }), { ids });
  expect(await lateOcclusion(whole, units, 0.8)).toEqual({ effects: new Map(), forwardPasses: 0, budgeted: 0 });
  expect((await lateOcclusion(whole, units, 1.8)).effects.size).toBe(2);
  // Where the prompt itself is not held, the same units cost one pass more: 9 of 10 tokens for the first, then what lies behind.
  const forgotten = await inputFor(createLinearModel({ holdsBeginnings: false }), { ids, spec: { kind: 'id', id: 60 } });
  const late = await lateOcclusion(forgotten, units, 0.6);
  expect(late.effects).toEqual(effects);
  expect(late.forwardPasses).toBeCloseTo(1.4, 12);
  expect(late.budgeted).toBeCloseTo(0.6, 12);
});

test('what prompts cost, alone and behind one that was just read', () => {
  const of = (...tokens: number[]) => Int32Array.from(tokens);
  const cases: [prompts: Int32Array[], continuation: number, held: Int32Array | undefined, passes: number][] = [
    [[], 0, undefined, 0],
    [[of(1, 2, 3, 4)], 0, undefined, 1],
    [[of(1, 2, 3, 5), of(1, 2, 3, 4)], 0, undefined, 5 / 4],
    [[of(1, 2, 3, 5), of(1, 2, 3, 4)], 1, undefined, 7 / 5],
    [[of(1, 2, 4), of(1, 3, 4)], 0, of(1, 2, 3, 4), 3 / 4],
    // The whole prompt again: its last row has to be computed.
    [[of(1, 2, 3, 4)], 0, of(1, 2, 3, 4), 1 / 4],
    [[of(9, 2, 3, 4)], 0, of(1, 2, 3, 4), 1],
  ];
  for (const [prompts, continuation, held, passes] of cases) {
    expect(sharedPasses(model.info, prompts, 4, continuation, held)).toBeCloseTo(passes, 12);
    // One that does not hold what it read last begins with nothing.
    const forgets = { ...model.info, holdsBeginnings: false };
    expect(sharedPasses(forgets, prompts, 4, continuation, held)).toBe(sharedPasses(model.info, prompts, 4, continuation));
  }
});
