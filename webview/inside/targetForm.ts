/** What a tool's numbers are about: the next token, the response, a text, a contrast, or what Explain has there. */
import { html, nothing, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import type { InsideSubject } from '../../src/shared/protocol/insidePanel.ts';
import type { TargetSpec } from '../../src/shared/target.ts';
import { visibleLabel } from '../ui/visibleText.ts';
import type { InsideStrings } from './insideStrings.ts';

type TargetKind = 'explained' | 'next' | 'response' | 'text' | 'contrast';

export interface TargetFields {
  /** Null: not chosen, so what Explain has, where it has one. */
  readonly kind: TargetKind | null;
  readonly text: string;
  readonly a: string;
  readonly b: string;
}

export const emptyTarget: TargetFields = { kind: null, text: '', a: '', b: '' };

/** What is chosen; `explained` is one of the choices only where something is explained. */
function targetKind({ kind }: TargetFields, subject: InsideSubject | null): TargetKind {
  const hasExplained = subject?.explained != null;
  if (kind === null || kind === 'explained') return hasExplained ? 'explained' : 'next';
  return kind;
}

/** Null in `target`: as Explain has it. `isReady`: false while a text is missing. */
export function targetOf(fields: TargetFields, subject: InsideSubject | null): { target: TargetSpec | null; isReady: boolean } {
  const kind = targetKind(fields, subject);
  const { text, a, b } = fields;
  switch (kind) {
    case 'explained':
      return { target: null, isReady: true };
    case 'next':
    case 'response':
      return { target: { kind }, isReady: true };
    case 'text':
      return { target: { kind, text }, isReady: text !== '' };
    case 'contrast':
      return { target: { kind, a, b }, isReady: a !== '' && b !== '' };
  }
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
    ['text', text.targetText],
    ['contrast', text.targetContrast],
  ];
  const chosen = (event: Event) => onChange({ ...fields, kind: (event.currentTarget as HTMLSelectElement).value as TargetKind });
  const field = (id: 'text' | 'a' | 'b', label: string) =>
    html`<input
      type="text"
      aria-label=${label}
      placeholder=${label}
      title=${text.targetHint}
      .value=${live(fields[id])}
      @input=${(event: Event) => onChange({ ...fields, [id]: (event.currentTarget as HTMLInputElement).value })}
    />`;
  return html`<div class="fields">
    <label class="name" for="target">${text.target}</label>
    <div class="target">
      <select id="target" .value=${live(kind)} @change=${chosen}
        >${choices.map(([value, label]) => html`<option value=${value} ?selected=${value === kind}>${label}</option>`)}</select
      >
      ${kind === 'text' ? field('text', text.targetTextLabel) : nothing}
      ${kind === 'contrast' ? html`${field('a', text.targetA)} ${field('b', text.targetB)}` : nothing}
      ${kind === 'text' || kind === 'contrast' ? html`<p class="muted help">${text.targetHint}</p>` : nothing}
    </div>
  </div>`;
}
