/** Messages of the Inside panel, checked before anything acts on them. */
import * as v from 'valibot';
import type { InsidePanelOut } from '../../shared/protocol/insidePanel.ts';
import { indexSchema, targetSchema } from '../targetSchema.ts';

const name = v.pipe(v.string(), v.maxLength(100));
const value = v.union([v.pipe(v.string(), v.maxLength(10_000_000)), v.pipe(v.number(), v.finite()), v.boolean()]);
const tokens = v.pipe(v.array(indexSchema), v.maxLength(1_000_000));

const insidePanelOut = v.variant('type', [
  v.strictObject({ type: v.literal('ready') }),
  v.strictObject({ type: v.literal('selectTool'), tool: name }),
  v.strictObject({
    type: v.literal('run'),
    tool: name,
    parameters: v.pipe(v.record(name, value), v.maxEntries(100)),
    target: v.nullable(targetSchema),
  }),
  v.strictObject({ type: v.literal('cancel') }),
  v.strictObject({ type: v.literal('pickFile'), parameter: name }),
  v.strictObject({ type: v.literal('markTokens'), tokens }),
  v.strictObject({ type: v.literal('revealTokens'), tokens }),
  v.strictObject({ type: v.literal('drawScores'), block: v.nullable(indexSchema) }),
  v.strictObject({ type: v.literal('applyEdit'), block: indexSchema }),
]);

/** Null for anything that is not a message of the Inside panel. */
export function parseInsidePanelOut(data: unknown): InsidePanelOut | null {
  const result = v.safeParse(insidePanelOut, data);
  return result.success ? result.output : null;
}
