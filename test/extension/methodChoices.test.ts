import { describe, expect, test } from 'vitest';
import { MethodCatalog } from '../../src/extension/explain/methodCatalog.ts';
import { methodChoices, methodLabel } from '../../src/extension/explain/methodChoices.ts';
import { inEnglish } from '../../src/extension/translate.ts';
import type { EngineStatus, MethodDescription, ModelSummary } from '../../src/shared/protocol/engine.ts';

const method = (id: string, family: string, more: Partial<MethodDescription> = {}): MethodDescription => ({
  id,
  family,
  label: `The ${id}`,
  assumption: `What ${id} assumes.`,
  forwardPasses: 2,
  parameters: [],
  available: true,
  ...more,
});

describe('the choices', () => {
  test('stand in families, in the order the engine names them first', () => {
    const choices = methodChoices([method('a', 'gradient'), method('b', 'flow'), method('c', 'gradient')], null, inEnglish);
    expect(choices.map(({ id, family }) => [id, family])).toEqual([
      ['a', 'Gradient'],
      ['c', 'Gradient'],
      ['b', 'Flow'],
    ]);
  });

  test.each([
    [0, 'no forward pass'],
    [1, 'about 1 forward pass'],
    [2.04, 'about 2 forward passes'],
    [3.46, 'about 3.5 forward passes'],
    [63.7, 'about 64 forward passes'],
  ])('tell a cost of %d', (forwardPasses, cost) => {
    expect(methodChoices([method('a', 'flow', { forwardPasses })], null, inEnglish)[0]?.cost).toBe(cost);
  });

  test.each([
    [{ name: 'm', format: 'gguf', hasGradients: false }, 'm gives no gradients'],
    [{ name: 'm', format: 'remote', hasGradients: false }, 'not possible with m'],
    [null, 'not possible with this model'],
  ] as const)('that cannot run say why: %j', (model, reason) => {
    const [choice] = methodChoices([method('a', 'flow', { available: false })], model, inEnglish);
    expect(choice?.unavailable).toBe(reason);
  });

  test('are translated where the text is known', () => {
    const known: Record<string, string> = { 'The a': 'Das A', Flow: 'Fluss' };
    const [choice] = methodChoices([method('a', 'flow')], null, (message, ...args) =>
      inEnglish(known[message] ?? message, ...args),
    );
    expect(choice).toMatchObject({ label: 'Das A', family: 'Fluss', assumption: 'What a assumes.' });
  });

  test('name a method the engine does not have by its id', () => {
    expect(methodLabel([method('a', 'flow')], 'a', inEnglish)).toBe('The a');
    expect(methodLabel([method('a', 'flow')], 'b', inEnglish)).toBe('b');
  });
});

describe('the catalogue', () => {
  function engine() {
    const asked: number[] = [];
    let file: string | null = null;
    return {
      asked,
      loads: (next: string) => {
        file = next;
      },
      get status(): EngineStatus {
        return { state: 'ready', model: file === null ? null : ({ file } as ModelSummary), queue: [], running: null };
      },
      methods: (units: number) => {
        asked.push(units);
        return Promise.resolve([method(`for-${units}`, 'flow')]);
      },
    };
  }

  test('asks once for the same model and units, again for others, and tells', async () => {
    const source = engine();
    const catalog = new MethodCatalog(source);
    let told = 0;
    catalog.onChange(() => (told += 1));
    await catalog.refresh();
    expect([source.asked, catalog.current]).toEqual([[], []]);
    await catalog.read(10);
    await catalog.read(10);
    expect(source.asked).toEqual([10]);
    source.loads('/m.gguf');
    await catalog.refresh();
    await catalog.read(10);
    await catalog.read(12);
    expect([source.asked, told]).toEqual([[10, 10, 12], 3]);
    expect(catalog.current[0]?.id).toBe('for-12');
  });
});
