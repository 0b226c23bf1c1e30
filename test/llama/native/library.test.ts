import { expect, test } from 'vitest';
import { operatorNames, operators } from '../../../src/llama/native/guard.ts';
import { loadLlamaLibrary } from '../../../src/llama/native/library.ts';

test('the pinned libraries load, pass the guard and are loaded once', async () => {
  const library = await loadLlamaLibrary();
  expect(library.functions.llama_print_system_info()).toContain('CPU');
  expect(await loadLlamaLibrary()).toBe(library);
  const names = operatorNames(library.functions);
  expect(operators.filter((operator) => !names.includes(operator))).toEqual([]);
  expect(names.length).toBeLessThan(200);
});
