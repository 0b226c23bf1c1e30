/**
 * The one file that knows the control library, `@vscode/webview-ui-toolkit`. It is archived; its successor
 * `@vscode-elements/elements` has the same kinds of element, so moving there means rewriting the bodies below and nothing else.
 *
 * Not from the library: tables (native `<table>`; its data grid is made of `div`s), lists of words and tokens, the dropdown with
 * groups (native `<select>`; its dropdown has none), the slider, the export menu (it has no menu) and the word of progress (its ring shouts "Loading" as an alert at every appearance, so it is hidden from
 * screen readers and the stage line speaks).
 */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodePanels,
  vsCodePanelTab,
  vsCodePanelView,
  vsCodeProgressRing,
} from '@vscode/webview-ui-toolkit';
import { html, nothing, type TemplateResult } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import { live } from 'lit/directives/live.js';

/** Defines the custom elements. Call once, before the first render. */
export function registerControls(): void {
  provideVSCodeDesignSystem().register(
    vsCodeButton(),
    vsCodeCheckbox(),
    vsCodeDropdown(),
    vsCodeOption(),
    vsCodePanels(),
    vsCodePanelTab(),
    vsCodePanelView(),
    vsCodeProgressRing(),
  );
}

export interface ButtonOptions {
  readonly label: string;
  readonly onClick: (event: Event) => void;
  readonly appearance?: 'primary' | 'secondary';
  readonly disabled?: boolean;
  /** Said instead of the label, where the label alone is ambiguous. */
  readonly description?: string;
  /** Given for a button that opens a menu: whether it is open. */
  readonly menuOpen?: boolean;
}

export function button(options: ButtonOptions): TemplateResult {
  return html`<vscode-button
    appearance=${options.appearance ?? 'secondary'}
    aria-label=${options.description ?? nothing}
    title=${options.description ?? nothing}
    aria-haspopup=${options.menuOpen === undefined ? nothing : 'menu'}
    aria-expanded=${options.menuOpen === undefined ? nothing : String(options.menuOpen)}
    ?disabled=${options.disabled ?? false}
    @click=${options.onClick}
    >${options.label}</vscode-button
  >`;
}

export interface CheckboxOptions {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

export function checkbox(options: CheckboxOptions): TemplateResult {
  const changed = (event: Event) => {
    const checked = (event.currentTarget as HTMLInputElement).checked;
    // The toolkit also fires `change` when the value is set from outside.
    if (checked !== options.checked) options.onChange(checked);
  };
  return html`<vscode-checkbox .checked=${options.checked} @change=${changed}>${options.label}</vscode-checkbox>`;
}

interface Choice {
  readonly value: string;
  readonly label: string;
}

export interface DropdownOptions {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly Choice[];
  readonly onChange: (value: string) => void;
}

export function dropdown(options: DropdownOptions): TemplateResult {
  const changed = (event: Event) => {
    const value = (event.currentTarget as HTMLSelectElement).value;
    if (value !== options.value) options.onChange(value);
  };
  // The toolkit's dropdown goes on showing an option's old text when the text changes: new texts get a new element.
  const texts = options.choices.map((choice) => choice.label).join('\n');
  return html`${keyed(
    texts,
    html`<vscode-dropdown aria-label=${options.label} .value=${options.value} @change=${changed}
      >${options.choices.map(
        (choice) =>
          html`<vscode-option value=${choice.value} ?selected=${choice.value === options.value}>${choice.label}</vscode-option>`,
      )}</vscode-dropdown
    >`,
  )}`;
}

export interface GroupedChoice extends Choice {
  /** Choices of one group follow each other. */
  readonly group: string;
  /** Said where the pointer rests. */
  readonly description: string;
  readonly disabled: boolean;
}

/** A dropdown with named groups and choices that cannot be taken: the platform's own, since the library's has neither. */
export function groupedDropdown(
  options: Omit<DropdownOptions, 'choices'> & { readonly choices: readonly GroupedChoice[] },
): TemplateResult {
  const { label, value, choices, onChange } = options;
  const changed = (event: Event) => {
    const select = event.currentTarget as HTMLSelectElement;
    const chosen = select.value;
    // What is chosen is the host's to say: it may ask first, and refuse.
    select.value = value;
    if (chosen !== value) onChange(chosen);
  };
  const groups = [...new Set(choices.map(({ group }) => group))];
  return html`<select class="grouped" aria-label=${label} .value=${live(value)} @change=${changed}
    >${groups.map(
      (group) => html`<optgroup label=${group}>
        ${choices
          .filter((choice) => choice.group === group)
          .map(
            (choice) => html`<option
              value=${choice.value}
              title=${choice.description}
              ?disabled=${choice.disabled}
              ?selected=${choice.value === value}
              >${choice.label}</option
            >`,
          )}
      </optgroup>`,
    )}</select
  >`;
}

export interface SliderOptions {
  readonly label: string;
  readonly value: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly step: number;
  /** What the value is called. */
  readonly spoken: string;
  /** `kept`: the slider was let go. */
  readonly onChange: (value: number, kept: boolean) => void;
}

/** The platform's own: the library has none. */
export function slider(options: SliderOptions): TemplateResult {
  const changed = (kept: boolean) => (event: Event) =>
    options.onChange(Number((event.currentTarget as HTMLInputElement).value), kept);
  return html`<label class="field"
    ><span class="muted">${options.label}</span
    ><input
      type="range"
      min=${options.minimum}
      max=${options.maximum}
      step=${options.step}
      .value=${live(String(options.value))}
      aria-valuetext=${options.spoken}
      title=${options.spoken}
      @input=${changed(false)}
      @change=${changed(true)}
  /></label>`;
}

interface TabPanel {
  readonly id: string;
  readonly label: string;
  readonly content: unknown;
}

export interface TabsOptions {
  readonly label: string;
  readonly selected: string;
  readonly panels: readonly TabPanel[];
  readonly onChange: (id: string) => void;
}

export function tabs(options: TabsOptions): TemplateResult {
  const changed = (event: Event) => {
    const id = (event.currentTarget as HTMLElement & { readonly activeid: string }).activeid.replace(/^tab-/, '');
    if (id !== options.selected) options.onChange(id);
  };
  return html`<vscode-panels aria-label=${options.label} activeid=${`tab-${options.selected}`} @change=${changed}
    >${options.panels.map((panel) => html`<vscode-panel-tab id=${`tab-${panel.id}`}>${panel.label}</vscode-panel-tab>`)}${options.panels.map(
      (panel) => html`<vscode-panel-view id=${`view-${panel.id}`}>${panel.content}</vscode-panel-view>`,
    )}</vscode-panels
  >`;
}

/** Shows that work is going on. The toolkit's ring announces itself as an alert; the stage line says it better, so the ring is silent. */
export function progressRing(): TemplateResult {
  return html`<span class="ring" aria-hidden="true"><vscode-progress-ring></vscode-progress-ring></span>`;
}
