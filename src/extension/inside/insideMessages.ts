/** Messages of the Inside panel, checked before anything acts on them. */
import * as v from 'valibot';
import type { InsidePanelOut } from '../../shared/protocol/insidePanel.ts';
import { indexSchema, targetSchema } from '../targetSchema.ts';

const name = v.pipe(v.string(), v.maxLength(100));
const value = v.union([v.pipe(v.string(), v.maxLength(1_000_000)), v.pipe(v.number(), v.finite()), v.boolean()]);

const insidePanelOut = v.variant('type', [
  v.strictObject({ type: v.literal('ready') }),
  v.strictObject({ type: v.literal('run'), tool: name, parameters: v.record(name, value), target: targetSchema }),
  v.strictObject({ type: v.literal('cancel') }),
  v.strictObject({ type: v.literal('mark'), tokens: v.nullable(v.pipe(v.array(indexSchema), v.maxLength(100_000))) }),
  v.strictObject({ type: v.literal('draw'), block: v.nullable(indexSchema) }),
  v.strictObject({ type: v.literal('apply'), block: indexSchema }),
  v.strictObject({ type: v.literal('pickFile'), parameter: name }),
]);

/** Null for anything that is not a message of the Inside panel. */
export function parseInsidePanelOut(data: unknown): InsidePanelOut | null {
  const result = v.safeParse(insidePanelOut, data);
  return result.success ? result.output : null;
}
