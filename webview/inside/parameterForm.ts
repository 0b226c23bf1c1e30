/** The form of a tool, made from its parameters: native fields, each with its help and what is wrong with it. */
import { css, html, nothing, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import type { ToolParameter } from '../../src/shared/protocol/tools.ts';
import { button } from '../ui/controls.ts';
import { visibleLabel } from '../ui/visibleText.ts';
import type { InsideStrings } from './insideStrings.ts';
import type { FieldTexts } from './parameterValues.ts';

export interface FormContext {
  readonly fields: FieldTexts;
  readonly files: Readonly<Record<string, string>>;
  readonly problems: Readonly<Record<string, string>>;
  readonly text: InsideStrings;
  readonly onField: (id: string, value: string | boolean) => void;
  readonly onPickFile: (id: string) => void;
  readonly onPickDocument: (id: string) => void;
}

export function parameterForm(parameters: readonly ToolParameter[], context: FormContext): TemplateResult {
  return html`<div class="fields">${parameters.map((parameter) => fieldRow(parameter, context))}</div>`;
}

function fieldRow(parameter: ToolParameter, context: FormContext): TemplateResult {
  const { id, label, help, kind } = parameter;
  const problem = context.problems[id];
  const needed = 'required' in parameter && parameter.required === true ? ` (${context.text.required})` : '';
  const title = html`${label}${needed}`;
  return html`
    ${
      kind === 'file'
        ? html`<span class="name" id=${`name-${id}`}>${title}</span>`
        : html`<label class="name" for=${`field-${id}`}>${title}</label>`
    }
    <div>
      ${fieldOf(parameter, problem !== undefined, context)}
      <p class="muted help" id=${`help-${id}`}>${help}</p>
      ${problem === undefined ? nothing : html`<p class="problem" id=${`problem-${id}`}>${problem}</p>`}
    </div>
  `;
}

function fieldOf(parameter: ToolParameter, isWrong: boolean, context: FormContext): TemplateResult {
  const { id } = parameter;
  const { fields, onField } = context;
  const described = isWrong ? `help-${id} problem-${id}` : `help-${id}`;
  const given = fields[id];
  const typed = (event: Event) => onField(id, (event.currentTarget as HTMLInputElement).value);
  switch (parameter.kind) {
    case 'choice':
      return html`<select id=${`field-${id}`} aria-describedby=${described} .value=${live(String(given ?? parameter.default))} @change=${typed}
        >${parameter.choices.map(
          (choice) => html`<option value=${choice} ?selected=${choice === (given ?? parameter.default)}>${choice}</option>`,
        )}</select
      >`;
    case 'boolean':
      return html`<input
        type="checkbox"
        id=${`field-${id}`}
        aria-describedby=${described}
        .checked=${live(Boolean(given ?? parameter.default))}
        @change=${(event: Event) => onField(id, (event.currentTarget as HTMLInputElement).checked)}
      />`;
    case 'number':
      return html`<input
        type="text"
        inputmode="decimal"
        class="short"
        id=${`field-${id}`}
        aria-describedby=${described}
        aria-invalid=${isWrong ? 'true' : 'false'}
        .value=${live(String(given ?? parameter.default))}
        @input=${typed}
      />`;
    case 'text':
      if (parameter.lines === true) return textArea(id, String(given ?? parameter.default), isWrong, described, typed);
      return html`<input
        type="text"
        id=${`field-${id}`}
        placeholder=${parameter.pattern ?? ''}
        aria-describedby=${described}
        aria-invalid=${isWrong ? 'true' : 'false'}
        .value=${live(String(given ?? parameter.default))}
        @input=${typed}
      />`;
    case 'prompt': {
      const choose = context.text.chooseDocument;
      return html`${textArea(id, String(given ?? ''), isWrong, described, typed)}
      <div>${button({ label: choose, description: `${parameter.label}: ${choose}`, onClick: () => context.onPickDocument(id) })}</div>`;
    }
    case 'file': {
      const name = context.files[id];
      const choose = context.text.chooseFile;
      return html`<span class="row">
        ${button({ label: choose, description: `${parameter.label}: ${choose}`, onClick: () => context.onPickFile(id) })}
        <bdi class="muted" role="status">${name === undefined ? context.text.noFile : visibleLabel(name)}</bdi>
      </span>`;
    }
  }
}

function textArea(id: string, value: string, isWrong: boolean, described: string, typed: (event: Event) => void): TemplateResult {
  return html`<textarea
    rows="3"
    id=${`field-${id}`}
    aria-describedby=${described}
    aria-invalid=${isWrong ? 'true' : 'false'}
    .value=${live(value)}
    @input=${typed}
  ></textarea>`;
}

export const formStyles = css`
  .fields {
    display: grid;
    grid-template-columns: minmax(80px, max-content) minmax(0, 1fr);
    gap: 6px 12px;
    align-items: start;
    margin-block: 6px;
  }
  .fields .name {
    padding-block-start: 3px;
  }
  .help {
    font-size: 12px;
  }
  .problem {
    color: var(--vscode-errorForeground);
  }
  select,
  input[type='text'],
  textarea {
    max-inline-size: 100%;
    min-block-size: 24px;
    padding: 2px 6px;
    border: 1px solid var(--vscode-input-border, var(--vscode-dropdown-border, var(--vscode-contrastBorder, transparent)));
    border-radius: 2px;
    background: var(--vscode-input-background, var(--vscode-dropdown-background));
    color: var(--vscode-input-foreground, var(--vscode-foreground));
    font: inherit;
  }
  input[type='text'],
  textarea {
    inline-size: 100%;
    max-inline-size: 480px;
  }
  input.short {
    inline-size: 110px;
  }
  textarea {
    resize: vertical;
    font-family: var(--vscode-editor-font-family, monospace);
  }
  input[type='checkbox'] {
    margin: 4px 0;
    accent-color: var(--vscode-focusBorder);
  }
  ::placeholder {
    color: var(--vscode-input-placeholderForeground, var(--vscode-descriptionForeground));
    opacity: 1;
  }
  [aria-invalid='true'] {
    border-color: var(--vscode-errorForeground);
  }
`;
