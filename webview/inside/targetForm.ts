/** What a tool's numbers are about: the next token, the response or a part of it, a text, a contrast, or what Explain has there. */
import { html, nothing, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import type { InsideDraft, InsideSubject, TargetKind } from '../../src/shared/protocol/insidePanel.ts';
import type { TargetSpec } from '../../src/shared/target.ts';
import { visibleLabel } from '../ui/visibleText.ts';
import type { InsideStrings } from './insideStrings.ts';

export type TargetFields = InsideDraft['target'];

export const emptyTarget: TargetFields = { kind: null, text: '', a: '', b: '', from: '0', to: '0' };

/** What is chosen; `explained` is one of the choices only where something is explained. */
function targetKind({ kind }: TargetFields, subject: InsideSubject | null): TargetKind {
  const hasExplained = subject?.explained != null;
  if (kind === null || kind === 'explained') return hasExplained ? 'explained' : 'next';
  return kind;
}

/** Null in `target`: as Explain has it. `isReady`: false while something is missing or no number. */
export function targetOf(fields: TargetFields, subject: InsideSubject | null): { target: TargetSpec | null; isReady: boolean } {
  const kind = targetKind(fields, subject);
  const { text, a, b } = fields;
  switch (kind) {
    case 'explained':
      return { target: null, isReady: true };
    case 'next':
    case 'response':
      return { target: { kind }, isReady: true };
    case 'span': {
      const [from, to] = [wholeNumber(fields.from), wholeNumber(fields.to)];
      const isReady = from !== null && to !== null && to >= from;
      return { target: isReady ? { kind, from, to } : null, isReady };
    }
    case 'text':
      return { target: { kind, text }, isReady: text !== '' };
    case 'contrast':
      return { target: { kind, a, b }, isReady: a !== '' && b !== '' };
  }
}

function wholeNumber(field: string): number | null {
  return /^\s*\d{1,9}\s*$/.test(field) ? Number(field) : null;
}

export function targetForm(
  fields: TargetFields,
  subject: InsideSubject | null,
  text: InsideStrings,
  onChange: (fields: TargetFields) => void,
): TemplateResult {
  const kind = targetKind(fields, subject);
  const explained = subject?.explained?.label;
  const choices: readonly (readonly [TargetKind, string])[] = [
    ...(explained === undefined ? [] : ([['explained', text.targetExplained(visibleLabel(explained))]] as const)),
    ['next', text.targetNext],
    ['response', text.targetResponse],
    ['span', text.targetSpan],
    ['text', text.targetText],
    ['contrast', text.targetContrast],
  ];
  const chosen = (event: Event) => onChange({ ...fields, kind: (event.currentTarget as HTMLSelectElement).value as TargetKind });
  const field = (id: 'text' | 'a' | 'b' | 'from' | 'to', label: string, isNumber = false) =>
    html`<input
      type="text"
      class=${isNumber ? 'short' : ''}
      inputmode=${isNumber ? 'numeric' : 'text'}
      aria-label=${label}
      placeholder=${label}
      title=${isNumber ? label : text.targetHint}
      .value=${live(fields[id])}
      @input=${(event: Event) => onChange({ ...fields, [id]: (event.currentTarget as HTMLInputElement).value })}
    />`;
  return html`<div class="fields">
    <label class="name" for="target">${text.target}</label>
    <div class="target">
      <select id="target" .value=${live(kind)} @change=${chosen}
        >${choices.map(([value, label]) => html`<option value=${value} ?selected=${value === kind}>${label}</option>`)}</select
      >
      ${kind === 'span' ? html`${field('from', text.targetFrom, true)} – ${field('to', text.targetTo, true)}` : nothing}
      ${kind === 'span' ? html`<p class="muted help">${text.targetSpanHint}</p>` : nothing}
      ${kind === 'text' ? field('text', text.targetTextLabel) : nothing}
      ${kind === 'contrast' ? html`${field('a', text.targetA)} ${field('b', text.targetB)}` : nothing}
      ${kind === 'text' || kind === 'contrast' ? html`<p class="muted help">${text.targetHint}</p>` : nothing}
    </div>
  </div>`;
}
