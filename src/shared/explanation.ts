/**
 * The one result object: `--json`, the panel, the history, export and diff all carry it (DESIGN.md).
 * Plain JSON data; `parseExplanation` is the only way in from outside.
 */
import * as v from 'valibot';
import { LoupeError } from './errors.ts';

const explanationSchemaVersion = 1;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const range = { start: count, end: count };
const role = v.picklist(['system', 'user', 'assistant', 'tool', 'developer']);

const alternative = v.object({ id: count, text: v.string(), logprob: v.number() });

const section = v.object({
  ...range,
  kind: v.picklist([
    'message',
    'heading',
    'paragraph',
    'list-item',
    'code',
    'quote',
    'table',
    'variable',
    'passage',
    'example',
    'document',
  ]),
  label: v.string(),
  role: v.optional(role),
});

/** Points [share of the ranked units, the target's value]; shares ascend from 0 to 1. */
const curve = v.array(v.tuple([v.number(), v.number()]));

const faithfulness = v.object({
  /** Mean fall of the target when the top units are dropped, in the target's unit. */
  comprehensiveness: v.number(),
  /** Mean fall of the target when only the top units are kept, in the target's unit. */
  sufficiency: v.number(),
  /** The same two for random rankings of the same unit sizes. */
  random: v.object({ comprehensiveness: v.number(), sufficiency: v.number() }),
  /** Comprehensiveness minus that of random rankings, with a 95 % interval over the random rankings. */
  gain: v.number(),
  interval: v.tuple([v.number(), v.number()]),
  /** Shares of the units that were dropped or kept, e.g. 0.1, 0.2, 0.5. */
  fractions: v.array(v.number()),
  verdict: v.picklist(['trusted', 'weak', 'untrusted']),
  reason: v.string(),
  /** Everything that speaks against trust, the most serious first. */
  reasons: v.optional(v.array(v.string())),
  curves: v.optional(
    v.object({
      /** Units go, the top ones first; the target with only the top ones; and the mean of random rankings of deletion. */
      deletion: curve,
      insertion: v.optional(curve),
      randomDeletion: v.optional(curve),
    }),
  ),
  /** The full set, each beside its mean over random rankings of the same units (docs/faithfulness.md). */
  measures: v.optional(
    v.array(
      v.object({
        id: v.string(),
        value: v.number(),
        random: v.number(),
        /** How much better than random, in the measure's own unit: above 0 is better whichever way the measure goes. */
        gain: v.number(),
        /** 95 % interval of the gain over the random rankings. */
        interval: v.tuple([v.number(), v.number()]),
      }),
    ),
  ),
  /** Random rankings that were measured. */
  rankings: v.optional(count),
  /** What the check itself cost; part of the explanation's `cost`. */
  cost: v.optional(v.object({ milliseconds: v.number(), forwardPasses: v.number() })),
});

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const interval = v.tuple([v.number(), v.number()]);

const treeNode = v.variant('kind', [
  v.object({
    kind: v.literal('split'),
    /** Index of the unit that is asked for. */
    unit: count,
    /** Indices of the nodes that follow when the unit is there, and when it is not. */
    present: count,
    absent: count,
    /** Mean target over the node's samples, in the target's unit, and how many there are. */
    mean: v.number(),
    samples: count,
  }),
  v.object({ kind: v.literal('leaf'), mean: v.number(), samples: count }),
]);

/** What a method says beside one score a unit; each method gives those parts that it has. */
const findings = v.object({
  /** Anchors: while these units stay, the model's answer stays. */
  rule: v.optional(
    v.object({
      units: v.array(count),
      /** Share of perturbed prompts with these units that keep the answer, and its 95 % interval. */
      precision: share,
      precisionInterval: interval,
      /** Share of perturbed prompts that hold these units, and its 95 % interval. */
      coverage: share,
      coverageInterval: interval,
      samples: count,
      /** What "the answer stays" meant. */
      condition: v.string(),
    }),
  ),
  /** Decision tree over the presence of units; node 0 is the root. */
  tree: v.optional(v.array(treeNode)),
  /** How well a surrogate describes the model on its own samples. */
  fit: v.optional(
    v.object({
      samples: count,
      /** Weighted R², 1 = all variation described. */
      r2: v.number(),
      /** The surrogate's value with no unit, in the target's unit. */
      intercept: v.number(),
      /** Spearman correlation of prediction and truth on samples left out, where some were. */
      heldOut: v.optional(v.number()),
    }),
  ),
  /** Direct contributions to the target, in its unit. */
  contributions: v.optional(
    v.object({
      embedding: v.number(),
      /** [layers, heads] */
      heads: v.array(v.array(v.number())),
      /** [layers] */
      mlps: v.array(v.number()),
      /** What biases give. */
      bias: v.number(),
      sum: v.number(),
    }),
  ),
  /** Units whose score was not measured itself: [unit, largest magnitude it can have as far as is known]. */
  bounds: v.optional(v.array(v.tuple([count, v.number()]))),
  /** Multi-hop: how much of the answer's attribution went through the thought tokens, a share. */
  throughThoughts: v.optional(share),
  /** Scores of whole layers: [layers, units]. */
  layers: v.optional(v.array(v.array(v.number()))),
  /** Other units whose presence was needed together: pairs and the strength of their interaction, in the target's unit. */
  interactions: v.optional(v.array(v.tuple([count, count, v.number()]))),
});

export const explanationSchema = v.object({
  schema: v.literal(explanationSchemaVersion),
  model: v.object({
    name: v.string(),
    file: v.string(),
    sha256: v.string(),
    format: v.picklist(['gguf', 'onnx', 'remote']),
    architecture: v.string(),
    quantization: v.string(),
    precision: v.picklist(['as-served', 'dequantised']),
    layers: count,
    heads: count,
    hidden: count,
  }),
  prompt: v.object({
    mode: v.picklist(['raw', 'chat']),
    text: v.string(),
    uri: v.optional(v.string()),
    sections: v.array(section),
    /** Which runs of `text` stand verbatim in the document, so that an editor can draw on it. */
    sourceMap: v.array(v.object({ ...range, documentStart: count })),
  }),
  tokens: v.array(
    v.object({
      ...range,
      id: count,
      text: v.string(),
      special: v.boolean(),
      role: v.optional(role),
      section: v.optional(v.string()),
      /** Log-probability in nats given the tokens before; absent for the first token. */
      logprob: v.optional(v.number()),
    }),
  ),
  response: v.object({
    text: v.string(),
    /** `given`: the user supplied it; `generated`: the model wrote it. */
    source: v.picklist(['generated', 'given']),
    tokens: v.array(v.object({ id: count, text: v.string(), logprob: v.number(), alternatives: v.array(alternative) })),
  }),
  target: v.object({
    kind: v.picklist(['next', 'response', 'span', 'text', 'id', 'contrast', 'entropy', 'kl', 'class', 'similarity']),
    label: v.string(),
    /** Entropy and KL are sums over the whole row: `logprob` stands there for "in nats". */
    score: v.picklist(['logit', 'logprob', 'prob']),
    unit: v.picklist(['logit', 'nat', 'probability', 'cosine']),
    /** The explained number on the unmodified prompt. */
    value: v.number(),
    /** Response tokens `[from, to]`, inclusive, where the target reads a span of the response. */
    span: v.optional(v.tuple([count, count])),
    /** Token ids the target reads (for a contrast: A then B). */
    ids: v.array(count),
  }),
  method: v.object({
    id: v.string(),
    parameters: v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])),
    seed: v.number(),
    /** False: scores are sizes, never below zero. Absent in explanations of older versions. */
    signed: v.optional(v.boolean()),
  }),
  granularity: v.picklist(['token', 'word', 'sentence', 'line', 'paragraph', 'section']),
  units: v.array(
    v.object({
      ...range,
      label: v.string(),
      kind: v.picklist(['text', 'special', 'template', 'sink']),
      tokens: v.array(count),
    }),
  ),
  /** One per unit, signed, in the target's unit unless `scoreUnit` says otherwise. */
  scores: v.array(v.number()),
  /** The unit of the scores where it is not the target's: `nat per unit of embedding`. */
  scoreUnit: v.optional(v.string()),
  faithfulness: v.nullable(faithfulness),
  /** Integrated gradients: how far the scores' sum is from what it should be, f(prompt) − f(baseline), in the target's unit. */
  completeness: v.optional(
    v.object({
      sum: v.number(),
      expected: v.number(),
      /** expected − sum. */
      gap: v.number(),
      /** |gap| as a share of |expected|; null when expected is 0. */
      share: v.nullable(v.number()),
      /** Points along the path. */
      steps: count,
    }),
  ),
  /** 95 % interval of each score, one per unit, where the method samples. */
  intervals: v.optional(v.array(v.tuple([v.number(), v.number()]))),
  /** What each unit did for single tokens of the response, where one run gave it. */
  matrix: v.optional(
    v.object({
      /** Indices of response tokens, one per row. */
      rows: v.array(count),
      /** [rows, units], in `unit`. */
      scores: v.array(v.array(v.number())),
      /** `nat`, `logit`, `nat per unit of embedding`, … */
      unit: v.string(),
    }),
  ),
  /** What the method found beside scores. */
  findings: v.optional(findings),
  cost: v.object({ milliseconds: v.number(), forwardPasses: v.number() }),
  warnings: v.array(v.object({ code: v.string(), message: v.string() })),
});

export type Explanation = v.InferOutput<typeof explanationSchema>;
export type Faithfulness = v.InferOutput<typeof faithfulness>;
export type Warning = Explanation['warnings'][number];

/**
 * Reads an explanation from untrusted data.
 * @throws E_EXPLANATION_VERSION for another schema version, E_EXPLANATION_INVALID for anything that does not fit.
 */
export function parseExplanation(data: unknown): Explanation {
  const version = typeof data === 'object' && data !== null && 'schema' in data ? data.schema : undefined;
  if (version !== undefined && version !== explanationSchemaVersion) {
    throw new LoupeError({
      code: 'E_EXPLANATION_VERSION',
      kind: 'input',
      what: `the explanation has schema version ${JSON.stringify(version)}`,
      why: `this Prompt Loupe reads version ${explanationSchemaVersion}`,
      action: 'open it with the Prompt Loupe that wrote it, or explain the prompt again',
    });
  }
  const result = v.safeParse(explanationSchema, data);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new LoupeError({
    code: 'E_EXPLANATION_INVALID',
    kind: 'input',
    what: 'the explanation cannot be read',
    why: `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`,
    action: 'explain the prompt again',
  });
}
