import type { AttributionInput } from '../../src/attribution/method.ts';
import { resolveTarget } from '../../src/attribution/target.ts';
import type { Model } from '../../src/model/model.ts';
import type { ScoreKind, TargetSpec } from '../../src/shared/target.ts';
import type { Unit, UnitKind } from '../../src/shared/tokens.ts';

export interface InputParts {
  readonly text?: string;
  readonly ids?: readonly number[];
  /** Token indices of each unit; default one unit a token. */
  readonly groups?: readonly (readonly number[])[];
  readonly kinds?: readonly UnitKind[];
  readonly spec?: TargetSpec;
  readonly score?: ScoreKind;
  readonly response?: readonly number[];
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
  readonly seed?: number;
}

/** What a method is given, for a prompt stated by its text or its ids; the value comes of an own full forward pass. */
export async function inputFor(model: Model, parts: InputParts): Promise<AttributionInput> {
  const { text = '', ids, kinds = [], spec = { kind: 'next' }, score, response = [], parameters = {}, seed = 1 } = parts;
  const encoded = ids === undefined ? (await model.tokenizer.encode(text, { addSpecial: false })).tokens : [];
  const tokens = ids?.map((id) => ({ id, text: '', start: 0, end: 0, special: false })) ?? encoded;
  const groups = parts.groups ?? tokens.map((_token, index) => [index]);
  const units = groups.map(
    (group, index): Unit => ({ start: 0, end: 0, label: String(index), kind: kinds[index] ?? 'text', tokens: group }),
  );
  const sequence = Int32Array.from(tokens, (token) => token.id);
  const { read } = await model.forward({ tokens: sequence, read: [{ position: sequence.length - 1, ids: [], top: 1 }] });
  const target = await resolveTarget(spec, score, { model, next: read[0]?.top[0]?.id ?? 0, response });
  const value = await fullValue(model, sequence, target);
  const whole = response.length === 0 ? null : await resolveTarget({ kind: 'response' }, 'logprob', { model, next: 0, response });
  return { model, tokens, promptText: text, sections: [], units, target, response: whole, value, parameters, seed };
}

/** The plain reference: one forward pass over exactly these tokens. */
export async function fullValue(model: Model, prompt: Int32Array, target: AttributionInput['target']): Promise<number> {
  const tokens = Int32Array.from([...prompt, ...target.continuation]);
  const { read } = await model.forward({ tokens, read: target.reads(prompt.length) });
  return target.value(read);
}
