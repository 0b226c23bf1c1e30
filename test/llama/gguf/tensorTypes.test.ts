import koffi from 'koffi';
import { expect, test } from 'vitest';
import { tensorTypes } from '../../../src/llama/gguf/tensorTypes.ts';
import { loadLlamaLibrary } from '../../../src/llama/native/library.ts';

test('names and block sizes are those of the pinned library', async () => {
  const { files } = await loadLlamaLibrary();
  const library = koffi.load(files.ggmlBase);
  const name = library.func('str ggml_type_name(int type)') as (type: number) => string;
  const blockElements = library.func('int64 ggml_blck_size(int type)') as (type: number) => number;
  const blockBytes = library.func('size_t ggml_type_size(int type)') as (type: number) => number;
  const highest = Math.max(...tensorTypes.keys());
  for (let type = 0; type <= highest; type++) {
    const entry = tensorTypes.get(type);
    expect([type, Number(blockElements(type)), Number(blockBytes(type))]).toEqual([
      type,
      entry?.blockElements ?? 0,
      entry?.blockBytes ?? 0,
    ]);
    if (entry !== undefined) expect(name(type).toUpperCase()).toBe(entry.name);
  }
});
