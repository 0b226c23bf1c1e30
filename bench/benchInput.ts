/** What an attribution method is given: a prompt by words, its next token explained. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { AttributionInput } from '../src/attribution/method.ts';
import { resolveTarget } from '../src/attribution/target.ts';
import type { Model } from '../src/model/model.ts';
import { buildUnits } from '../src/shared/units.ts';

/** Also leaves the prompt in the model's cache, as an explanation does before its method begins. */
export async function benchInput(model: Model, text: string): Promise<AttributionInput> {
  const { tokens } = await model.tokenizer.encode(text);
  const ids = Int32Array.from(tokens, ({ id }) => id);
  const position = ids.length - 1;
  const { read } = await model.forward({ tokens: ids, read: [{ position, ids: [], top: 1 }] });
  const target = await resolveTarget({ kind: 'next' }, undefined, { model, next: read[0]?.top[0]?.id ?? 0, response: [] });
  const value = target.value((await model.forward({ tokens: ids, read: target.reads(ids.length) })).read);
  return {
    model,
    tokens,
    promptText: text,
    sections: [],
    units: buildUnits(text, tokens, 'word', { sections: [], templateRanges: [] }),
    target,
    response: null,
    value,
    parameters: {},
    seed: 1,
  };
}

/** The ten public prompts of the reference set. @param modelFile the bundled model, from which the repository's root is found */
export function publicPrompts(modelFile: string): string[] {
  const file = path.resolve(path.dirname(modelFile), '..', 'test/fixtures/golden/faithfulness/prompts.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly text: string }[]).map(({ text }) => text);
}

/** Prompts nobody tuned anything on, see docs/faithfulness.md. */
export function ownPrompts(modelFile: string): string[] {
  const file = path.resolve(path.dirname(modelFile), '..', 'bench/faithfulnessPrompts.jsonl');
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { readonly prompt: string }).prompt);
}
