/** Messages from the webviews, checked before anything acts on them: a webview is a browser page and not trusted. */
import * as v from 'valibot';
import type { AttentionViewOut, ExplainPanelOut } from '../../shared/protocol/panel.ts';
import { granularities } from '../../shared/tokens.ts';
import { indexSchema, targetSchema } from '../targetSchema.ts';

const weights = v.pipe(v.instance(Float32Array), v.maxLength(10_000_000));

const explainPanelOut = v.variant('type', [
  v.strictObject({ type: v.literal('ready') }),
  v.strictObject({ type: v.literal('explainTarget'), target: targetSchema }),
  v.strictObject({ type: v.literal('askContrast'), at: indexSchema }),
  v.strictObject({ type: v.literal('setMethod'), method: v.pipe(v.string(), v.maxLength(100)) }),
  v.strictObject({ type: v.literal('setGranularity'), granularity: v.picklist(granularities) }),
  v.strictObject({ type: v.literal('setMode'), mode: v.picklist(['raw', 'chat', 'auto']) }),
  v.strictObject({ type: v.literal('setShowHidden'), show: v.boolean() }),
  v.strictObject({
    type: v.literal('setIntensity'),
    intensity: v.pipe(v.number(), v.minValue(0.25), v.maxValue(4)),
    kept: v.boolean(),
  }),
  v.strictObject({ type: v.literal('revealUnit'), unit: indexSchema }),
  v.strictObject({ type: v.literal('endComparison') }),
  v.strictObject({ type: v.literal('cancel') }),
  v.strictObject({ type: v.literal('rerun') }),
  v.strictObject({ type: v.literal('checkFully') }),
  v.strictObject({ type: v.literal('export'), format: v.picklist(['json', 'html', 'svg', 'csv', 'png']) }),
  v.strictObject({ type: v.literal('picture'), bytes: v.nullable(v.pipe(v.instance(Uint8Array), v.maxLength(500_000_000))) }),
]);

const weighting = v.picklist(['plain', 'gradient']);

const attentionViewOut = v.variant('type', [
  v.strictObject({ type: v.literal('ready'), weighting }),
  v.strictObject({ type: v.literal('setWeighting'), weighting }),
  v.strictObject({ type: v.literal('requestHead'), layer: indexSchema, head: indexSchema }),
  v.strictObject({ type: v.literal('selectToken'), token: v.nullable(indexSchema), weights: v.nullable(weights) }),
  v.strictObject({ type: v.literal('refresh') }),
]);

/** Null for anything that is not a message of the Explain panel. */
export function parseExplainPanelOut(data: unknown): ExplainPanelOut | null {
  const result = v.safeParse(explainPanelOut, data);
  return result.success ? result.output : null;
}

/** Null for anything that is not a message of the Attention view. */
export function parseAttentionViewOut(data: unknown): AttentionViewOut | null {
  const result = v.safeParse(attentionViewOut, data);
  return result.success ? result.output : null;
}
