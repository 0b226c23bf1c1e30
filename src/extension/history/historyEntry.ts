/** One finished explanation as the history keeps it, with what is needed to show it again exactly. */
import * as v from 'valibot';
import { type Explanation, parseExplanation } from '../../shared/explanation.ts';
import type { PromptSource } from '../../shared/protocol/engine.ts';
import type { TargetSpec } from '../../shared/target.ts';
import { indexSchema, targetSchema } from '../targetSchema.ts';

export interface HistoryEntry {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The document's text as it was, and what of it was explained. */
  readonly prompt: PromptSource;
  readonly target: TargetSpec;
  readonly explanation: Explanation;
}

const entrySchema = v.object({
  time: v.number(),
  prompt: v.object({
    text: v.string(),
    uri: v.exactOptional(v.string()),
    format: v.picklist(['text', 'markdown', 'prompt-yml', 'messages-json']),
    selection: v.exactOptional(v.object({ start: indexSchema, end: indexSchema })),
    mode: v.picklist(['auto', 'raw', 'chat']),
    variables: v.exactOptional(v.record(v.string(), v.string())),
  }),
  target: targetSchema,
  explanation: v.unknown(),
});

/** @throws SyntaxError, ValiError, E_EXPLANATION_VERSION, E_EXPLANATION_INVALID */
export function parseEntry(text: string): HistoryEntry {
  const entry = v.parse(entrySchema, JSON.parse(text));
  return { ...entry, explanation: parseExplanation(entry.explanation) };
}
