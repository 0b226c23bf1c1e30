import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { explain } from '../../../src/engine/requests/explain.ts';
import type { Model } from '../../../src/model/model.ts';
import { type Explanation, explanationSchema } from '../../../src/shared/explanation.ts';
import type { ExplainRequest, PromptSource } from '../../../src/shared/protocol/engine.ts';
import { createLinearModel, idOf, type LinearModelOptions, weight } from '../../attribution/linearModel.ts';
import { recordRequest } from './requestRecorder.ts';

const text = 'The cat sat on the mat.\n\nThe dog sat on the cat. Paris is the capital of the mat.\n\nThe capital is';
const source = (parts: Partial<PromptSource> = {}): PromptSource => ({ text, format: 'markdown', mode: 'raw', ...parts });

const request = (parts: Partial<ExplainRequest> = {}): ExplainRequest => ({
  prompt: source(),
  method: 'occlusion',
  target: { kind: 'next' },
  granularity: 'word',
  maxTokens: 3,
  seed: 1,
  progressive: false,
  ...parts,
});

async function run(parts: Partial<ExplainRequest> = {}, model: Model | LinearModelOptions = {}): Promise<Explanation> {
  const context = recordRequest('forward' in model ? model : createLinearModel(model));
  return await explain(context, request(parts));
}

const timeless = ({ faithfulness, cost, ...rest }: Explanation) => ({
  ...rest,
  faithfulness: faithfulness === null ? null : { ...faithfulness, cost: { ...faithfulness.cost, milliseconds: 0 } },
  cost: { ...cost, milliseconds: 0 },
});
const codes = (explanation: Explanation) => explanation.warnings.map((warning) => warning.code);

describe('every explanation fits the schema', () => {
  const cases: [name: string, parts: Partial<ExplainRequest>, options?: LinearModelOptions][] = [
    ['occlusion', {}],
    ['neutral token', { parameters: { replacement: 'neutral' } }],
    ['attention', { method: 'attention' }],
    ['rollout', { method: 'attention', parameters: { aggregation: 'rollout' } }],
    ['random', { method: 'random' }],
    ['response', { target: { kind: 'response' } }],
    ['span', { target: { kind: 'span', from: 1, to: 2 } }],
    ['text', { target: { kind: 'text', text: ' Paris is' } }],
    ['id', { target: { kind: 'id', id: 40 } }],
    ['contrast', { target: { kind: 'contrast', a: ' Paris', b: ' London' } }],
    ['contrast inside the response', { target: { kind: 'contrast', a: ' Paris', b: ' London', at: 2 } }],
    ['given response', { response: ' Paris is', target: { kind: 'response' } }],
    ['chat', { prompt: source({ mode: 'chat' }) }],
    ['tokens', { granularity: 'token' }],
    ['sections', { granularity: 'section' }],
    ['ids', { prompt: source({ text: '', ids: [9, 12, 1, 40] }) }],
    ['no response', { maxTokens: 0 }],
    ['a model that cannot be looked into', {}, { capture: false }],
    ['a vocabulary with a beginning token', {}, { addBos: true }],
    ['one token', { prompt: source({ text: 'The' }) }],
  ];
  test.each(cases)('%s', async (_name, parts, options) => {
    const explanation = await run(parts, options);
    expect(v.safeParse(explanationSchema, JSON.parse(JSON.stringify(explanation))).issues).toBeUndefined();
    expect(explanation.scores).toHaveLength(explanation.units.length);
    expect(explanation.units.flatMap((unit) => unit.tokens)).toEqual(explanation.tokens.map((_token, index) => index));
    expect(explanation.cost.forwardPasses).toBeGreaterThan(0);
  });
});

describe('scores', () => {
  test('are the closed form of the model, at any granularity', async () => {
    for (const granularity of ['token', 'word', 'sentence', 'line', 'paragraph', 'section'] as const) {
      const { units, tokens, scores } = await run({ target: { kind: 'id', id: 40 }, granularity });
      units.forEach((unit, index) => {
        const fall = unit.tokens.reduce((sum, token) => sum + weight(tokens[token]?.id ?? 0, 40), 0);
        // Of a prompt of which nothing is left, the separator stays.
        expect(scores[index]).toBeCloseTo(unit.tokens.length === tokens.length ? fall - weight(0, 40) : fall, 4);
      });
    }
  });

  test('are the same with and without partial explanations', async () => {
    for (const method of ['occlusion', 'attention', 'random']) {
      const plain = await run({ method });
      const progressive = await run({ method, progressive: true });
      expect(progressive.scores).toEqual(plain.scores);
    }
  });

  test('and everything else but the time are the same for the same request', async () => {
    for (const parts of [{}, { progressive: true }, { method: 'random' }, { target: { kind: 'response' as const } }]) {
      const model = createLinearModel();
      expect(JSON.stringify(timeless(await run(parts, model)))).toBe(JSON.stringify(timeless(await run(parts, model))));
    }
  });
});

describe('the response', () => {
  test('generated: streamed, with log-probabilities and five alternatives', async () => {
    const context = recordRequest(createLinearModel());
    const { response, target } = await explain(context, request());
    expect(context.texts.join('')).toBe(response.text);
    expect(response.source).toBe('generated');
    expect(response.tokens.map((token) => token.alternatives.length)).toEqual([5, 5, 5]);
    expect(target.ids).toEqual([response.tokens[0]?.id]);
    expect(target.value).toBeCloseTo(response.tokens[0]?.logprob ?? 0, 12);
  });

  test('given: read, not generated', async () => {
    const model = createLinearModel();
    const { response, target } = await run({ response: ' Paris is', target: { kind: 'response' } }, model);
    expect(model.calls.generate).toBe(0);
    expect(response).toMatchObject({ text: ' Paris is', source: 'given' });
    expect(response.tokens.map((token) => token.id)).toEqual([idOf(' Paris'), idOf(' is')]);
    expect(target.value).toBeCloseTo(
      response.tokens.reduce((sum, token) => sum + token.logprob, 0),
      10,
    );
  });

  test('cut by a full context: said', async () => {
    const length = (await run({ maxTokens: 0 })).tokens.length;
    const explanation = await run({ maxTokens: 5 }, { contextLength: length + 2 });
    expect(explanation.response.tokens).toHaveLength(2);
    expect(codes(explanation)).toContain('W_CONTEXT_FULL');
  });
});

describe('prompt tokens', () => {
  test('carry the log-probability given those before; the first has none', async () => {
    const { tokens } = await run();
    expect(tokens[0]?.logprob).toBeUndefined();
    expect(tokens.slice(1).every((token) => (token.logprob ?? 1) < 0)).toBe(true);
  });

  test('chat: template and control tokens are units of their own and score nothing', async () => {
    const { prompt, units, scores } = await run({ prompt: source({ text: 'The cat', mode: 'chat' }) });
    expect(prompt.text).toContain('<|im_start|>user\nThe cat<|im_end|>');
    expect(units.filter((unit) => unit.kind === 'text').map((unit) => unit.label)).toEqual(['The', 'cat']);
    units.forEach((unit, index) => {
      if (unit.kind !== 'text') expect(scores[index]).toBe(0);
    });
  });

  test('chat: control tokens typed into a message are noticed', async () => {
    const typed = await run({ prompt: source({ text: 'The <|im_end|> cat', mode: 'chat' }) });
    expect(codes(typed)).toContain('W_CONTROL_TOKEN_IN_MESSAGE');
    const plain = await run({ prompt: source({ text: 'The cat', mode: 'chat' }) });
    expect(codes(plain)).not.toContain('W_CONTROL_TOKEN_IN_MESSAGE');
  });

  test('a second beginning token is not added where the template writes one', async () => {
    const raw = await run({ prompt: source({ text: 'The cat' }) }, { addBos: true });
    const chat = await run({ prompt: source({ text: 'The cat', mode: 'chat' }) }, { addBos: true });
    expect(raw.tokens.slice(0, 2).map((token) => token.id)).toEqual([1, idOf('The')]);
    expect(chat.tokens.slice(0, 2).map((token) => token.id)).toEqual([1, idOf('u')]);
  });

  test('ids are taken as they are, control tokens marked', async () => {
    const ids = [idOf('The'), 1, idOf(' '), idOf('c'), idOf('a'), idOf('t')];
    const { tokens, prompt } = await run({ prompt: source({ text: '', ids }) });
    expect(tokens.map((token) => token.id)).toEqual(ids);
    expect(prompt.text).toBe('The<|im_start|> cat');
    expect(tokens.map((token) => prompt.text.slice(token.start, token.end))).toEqual(['The', '<|im_start|>', ' ', 'c', 'a', 't']);
    expect(tokens.map((token) => token.special)).toEqual([false, true, false, false, false, false]);
  });

  test('the first word is a sink where attention shows it, and not where it does not', async () => {
    const kinds = async (options: LinearModelOptions) => (await run({}, options)).units.map((unit) => unit.kind);
    const shown = await kinds({ sink: 0.6 });
    expect(shown[0]).toBe('sink');
    expect(new Set(shown.slice(1))).toEqual(new Set(['text']));
    expect(new Set(await kinds({ sink: 0 }))).toEqual(new Set(['text']));
    expect((await kinds({ sink: 0.6, addBos: true })).slice(0, 2)).toEqual(['special', 'text']);
  });
});

describe('partial explanations', () => {
  test('attention first, within one forward pass; then sections, then units, then all of them', async () => {
    const model = createLinearModel();
    const context = recordRequest(model);
    let passesAtFirst = 0;
    const final = await explain(
      {
        ...context,
        partial: (partial) => {
          if (context.partials.length === 0)
            passesAtFirst = model.calls.forward.length + model.calls.variants.length + model.calls.generate;
          context.partial(partial);
        },
      },
      request({ progressive: true }),
    );
    const stages = context.partials.map((partial) => partial.stage);
    expect(passesAtFirst).toBe(1);
    expect([...new Set(stages)]).toEqual(['attention', 'sections', 'units']);
    expect(stages.length).toBeLessThanOrEqual(24);
    for (const { explanation } of context.partials) expect(v.is(explanationSchema, explanation)).toBe(true);
    const [first, second] = context.partials;
    expect(first?.explanation.method.id).toBe('attention');
    expect(first?.explanation.warnings.map((warning) => warning.code)).toContain('W_ATTENTION_NOT_ATTRIBUTION');
    expect(second?.explanation.granularity).toBe('section');
    expect(context.partials.at(-1)?.explanation.scores).toEqual(final.scores);
    expect(final.warnings.map((warning) => warning.code)).not.toContain('W_ATTENTION_NOT_ATTRIBUTION');
  });

  test('sections carry exact scores', async () => {
    const context = recordRequest(createLinearModel());
    await explain(context, request({ progressive: true, target: { kind: 'id', id: 40 } }));
    const sections = context.partials.find((partial) => partial.stage === 'sections')?.explanation;
    const whole = await run({ granularity: 'section', target: { kind: 'id', id: 40 } });
    expect(sections?.scores).toEqual(whole.scores);
  });

  test('at most twenty-odd however long the prompt', async () => {
    const context = recordRequest(createLinearModel());
    await explain(
      context,
      request({ progressive: true, granularity: 'token', prompt: source({ text: 'a'.repeat(200) }), maxTokens: 1 }),
    );
    expect(context.partials.filter((partial) => partial.stage === 'units').length).toBeLessThanOrEqual(21);
  });

  test('none when they were not asked for, nor for attention and random', async () => {
    for (const parts of [{}, { method: 'attention', progressive: true }, { method: 'random', progressive: true }]) {
      const context = recordRequest(createLinearModel());
      await explain(context, request(parts));
      expect(context.partials).toEqual([]);
    }
  });
});

describe('faithfulness', () => {
  test('measured for occlusion, within its budget', async () => {
    const checked = await run({ target: { kind: 'id', id: 40 } });
    const unchecked = await run({ target: { kind: 'id', id: 40 }, faithfulness: false });
    expect(checked.faithfulness).not.toBeNull();
    expect(checked.cost.forwardPasses).toBeLessThanOrEqual(unchecked.cost.forwardPasses + 20);
    expect(codes(unchecked)).toContain('W_FAITHFULNESS_NOT_MEASURED');
  });

  test('not for the control, and said when there is too little to rank', async () => {
    const control = await run({ method: 'random' });
    expect(control.faithfulness).toBeNull();
    const short = await run({ prompt: source({ text: 'The cat' }) });
    expect(short.faithfulness).toBeNull();
    expect(codes(short)).toContain('W_FAITHFULNESS_NOT_MEASURED');
  });

  test('effects that rounding could cause are named', async () => {
    const small = await run(
      { target: { kind: 'id', id: 40 }, score: 'prob', parameters: { replacement: 'neutral' } },
      { quantization: 'Q4_1' },
    );
    const large = await run({ target: { kind: 'id', id: 40 } }, { quantization: 'Q4_1' });
    expect(codes(large)).not.toContain('W_EFFECTS_BELOW_NOISE');
    const largest = Math.max(...small.scores.map(Math.abs));
    expect(codes(small).includes('W_EFFECTS_BELOW_NOISE')).toBe(largest < 0.13 * small.target.value);
  });
});

describe('what cannot be explained', () => {
  const cases: [name: string, parts: Partial<ExplainRequest>, options: LinearModelOptions, code: string][] = [
    ['unknown method', { method: 'magic' }, {}, 'E_METHOD_UNKNOWN'],
    ['a method the model cannot do', { method: 'attention' }, { capture: false }, 'E_METHOD_UNSUPPORTED'],
    ['unknown parameter', { parameters: { steps: 3 } }, {}, 'E_PARAMETER'],
    ['empty prompt', { prompt: source({ text: '' }) }, {}, 'E_PROMPT_EMPTY'],
    ['no ids', { prompt: source({ text: '', ids: [] }) }, {}, 'E_PROMPT_EMPTY'],
    ['a prompt of spaces', { prompt: source({ text: '   ' }) }, {}, 'E_PROMPT_BLANK'],
    ['a prompt that tokenises to nothing', { prompt: source({ text: '☃' }) }, {}, 'E_PROMPT_EMPTY'],
    ['an id out of range', { prompt: source({ text: '', ids: [1, 5000] }) }, {}, 'E_TOKEN_RANGE'],
    ['a prompt that does not fit', {}, { contextLength: 10 }, 'E_CONTEXT_OVERFLOW'],
    [
      'ids that do not fit',
      { prompt: source({ text: '', ids: Array<number>(11).fill(9) }) },
      { contextLength: 10 },
      'E_CONTEXT_OVERFLOW',
    ],
    ['a text that tokenises to nothing', { target: { kind: 'text', text: '☃' } }, {}, 'E_TARGET_EMPTY'],
    ['no response to explain', { target: { kind: 'response' }, maxTokens: 0 }, {}, 'E_TARGET_EMPTY'],
    ['a given response of nothing', { response: '☃' }, {}, 'E_TARGET_EMPTY'],
    ['a span past the response', { target: { kind: 'span', from: 0, to: 99 } }, {}, 'E_TARGET_RANGE'],
    ['a contrast of equals', { target: { kind: 'contrast', a: 'The', b: 'The cat' } }, {}, 'E_TARGET_CONTRAST'],
    ['a model that yields NaN', {}, { poison: idOf(' cat') }, 'E_NUMERIC'],
    ['a template without a model for it', { prompt: source({ mode: 'chat' }) }, { chat: false }, 'E_TEMPLATE_MISSING'],
  ];
  test.each(cases)('%s', async (_name, parts, options, code) => {
    await expect(run(parts, options)).rejects.toMatchObject({ code });
  });

  test('prompt and response that fit only one by one, with both numbers', async () => {
    const prompt = source({ text: 'abcdefgh' });
    await expect(run({ prompt, response: 'xyz' }, { contextLength: 10 })).rejects.toMatchObject({
      code: 'E_CONTEXT_OVERFLOW',
      parts: { details: { promptTokens: 11, contextTokens: 10 } },
    });
    await expect(run({ prompt, target: { kind: 'text', text: 'wxyz' } }, { contextLength: 10 })).rejects.toMatchObject({
      code: 'E_CONTEXT_OVERFLOW',
    });
  });

  test('a wrong target is refused before the prompt is read', async () => {
    const model = createLinearModel();
    await expect(run({ target: { kind: 'id', id: -4 } }, model)).rejects.toMatchObject({ code: 'E_TARGET_RANGE' });
    expect(model.calls.forward).toEqual([]);
  });

  test('NaN names the place', async () => {
    await expect(run({}, { poison: idOf(' cat') })).rejects.toThrow(/resid_post\.1/);
  });

  test('cancelled', async () => {
    const context = recordRequest(createLinearModel(), AbortSignal.abort());
    await expect(explain(context, request())).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });
});
