/** The verbs in the order of the help. Adding one is one file and one line here; a tool that looks inside the model needs none. */
import { tools } from '../analysis/tools/registry.ts';
import { toolVerb } from './tools/toolVerb.ts';
import type { Verb } from './verb.ts';
import { attentionVerb } from './verbs/attention.ts';
import { captureVerb } from './verbs/capture.ts';
import { evaluateVerb } from './verbs/evaluate.ts';
import { explainVerb } from './verbs/explain.ts';
import { generateVerb } from './verbs/generate.ts';
import { logprobsVerb } from './verbs/logprobs.ts';
import { modelsVerb } from './verbs/models.ts';

export const verbs: readonly Verb[] = [
  explainVerb,
  evaluateVerb,
  logprobsVerb,
  generateVerb,
  attentionVerb,
  captureVerb,
  ...tools.map(toolVerb),
  modelsVerb,
];
