import { readFileSync } from 'node:fs';
import koffi from 'koffi';
import { beforeAll, expect, test } from 'vitest';
import { loadLlamaLibrary } from '../../../src/llama/native/library.ts';
import { structLayouts, tensorOffsets } from '../../../src/llama/native/structs.ts';

/** As a C compiler lays the structs out: scripts/llama-layout.mjs. */
const compiled = JSON.parse(readFileSync('test/fixtures/llama/layout.json', 'utf8')) as Record<
  keyof typeof structLayouts,
  { size: number; offsets: Record<string, number> }
>;

beforeAll(async () => {
  await loadLlamaLibrary();
});

test.each(Object.keys(structLayouts) as (keyof typeof structLayouts)[])(
  '%s lies in memory as the header of the release says',
  (name) => {
    const fields = Object.keys(structLayouts[name]);
    expect(koffi.sizeof(name)).toBe(compiled[name].size);
    expect(Object.fromEntries(fields.map((field) => [field, koffi.offsetof(name, field)]))).toEqual(compiled[name].offsets);
  },
);

test('the fields of a tensor are read where they lie', () => {
  const { size, offsets } = compiled.ggml_tensor;
  expect(tensorOffsets).toMatchObject({
    size,
    type: offsets.type,
    ne: offsets.ne,
    nb: offsets.nb,
    operator: offsets.op,
    operatorParameters: offsets.op_params,
    buffer: offsets.buffer,
    flags: offsets.flags,
    sources: offsets.src,
    viewSource: offsets.view_src,
    viewOffset: offsets.view_offs,
    data: offsets.data,
    name: offsets.name,
  });
});
