/** The fields of a tool, made from its description. */
import { html, nothing, type TemplateResult } from 'lit';
import type { ToolDescription, ToolParameter } from '../../src/shared/protocol/tools.ts';
import { button, checkbox, dropdown } from '../ui/controls.ts';
import { visibleText } from '../ui/visibleText.ts';
import { shownValue, type TargetForm, type Typed } from './formState.ts';
import type { InsideStrings } from './insideStrings.ts';

export interface FormParts {
  readonly tool: ToolDescription;
  readonly typed: Typed;
  readonly target: TargetForm;
  readonly files: Readonly<Record<string, string>>;
  readonly text: InsideStrings;
  readonly onType: (parameter: string, value: string | boolean) => void;
  readonly onTarget: (target: TargetForm) => void;
  readonly onFile: (parameter: string) => void;
}

export function toolForm(parts: FormParts): TemplateResult {
  const { tool } = parts;
  return html`<div class="form">
    ${tool.usesTarget ? targetFields(parts) : nothing}
    ${tool.parameters.map(
      (parameter) => html`<div class="field" title=${visibleText(parameter.help)}>
        ${parameter.kind === 'boolean' ? nothing : html`<span class="muted" aria-hidden="true">${parameter.label}</span>`}
        ${control(parameter, parts)}
      </div>`,
    )}
  </div>`;
}

function control(parameter: ToolParameter, { typed, files, text, onType, onFile }: FormParts): TemplateResult {
  const { id, label, help } = parameter;
  const value = shownValue(parameter, typed);
  const description = `${label}: ${help}`;
  const type = (event: Event) => onType(id, (event.currentTarget as HTMLInputElement | HTMLTextAreaElement).value);
  switch (parameter.kind) {
    case 'choice':
      return dropdown({
        label: description,
        value: String(value),
        choices: parameter.choices.map((choice) => ({ value: choice, label: choice })),
        onChange: (chosen) => onType(id, chosen),
      });
    case 'boolean':
      return checkbox({ label, checked: value === true, onChange: (checked) => onType(id, checked) });
    case 'number':
      return html`<input class="number" type="number" aria-label=${description} .value=${String(value)}
        min=${parameter.minimum ?? nothing} max=${parameter.maximum ?? nothing} step=${parameter.whole === true ? '1' : 'any'} @input=${type} />`;
    case 'text':
      return html`<input type="text" aria-label=${description} placeholder=${parameter.pattern ?? ''} .value=${String(value)} @input=${type} />`;
    case 'prompt':
      return html`<textarea rows="3" aria-label=${description} .value=${String(value)} @input=${type}></textarea>`;
    case 'file':
      return html`${button({ label: text.choose, description: `${text.choose} ${description}`, onClick: () => onFile(id) })}
        <span class="muted">${visibleText(files[id] ?? text.noFile)}</span>`;
  }
}

function targetFields({ target, text, onTarget }: FormParts): TemplateResult {
  const input = (label: string, value: string, change: (value: string) => Partial<TargetForm>) =>
    html`<input type="text" aria-label=${label} placeholder=${label} .value=${value}
      @input=${(event: Event) => onTarget({ ...target, ...change((event.currentTarget as HTMLInputElement).value) })} />`;
  const kinds = ['next', 'response', 'text', 'contrast'] as const;
  return html`<div class="field">
    <span class="muted" aria-hidden="true">${text.target}</span>
    ${dropdown({
      label: text.target,
      value: target.kind,
      choices: kinds.map((kind) => ({ value: kind, label: text.targets[kind] })),
      onChange: (kind) => onTarget({ ...target, kind: kinds.find((each) => each === kind) ?? 'next' }),
    })}
    ${target.kind === 'text' ? input(text.targetText, target.text, (value) => ({ text: value })) : nothing}
    ${
      target.kind === 'contrast'
        ? html`${input(text.targetA, target.a, (a) => ({ a }))} ${input(text.targetB, target.b, (b) => ({ b }))}`
        : nothing
    }
  </div>`;
}
