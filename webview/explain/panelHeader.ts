/** The head of the panel: what is explained, on which model, how, and how far the run has come. */
import { css, html, nothing, type TemplateResult } from 'lit';
import type { Explanation } from '../../src/shared/explanation.ts';
import type { ExplainPanelOut } from '../../src/shared/protocol/panel.ts';
import { granularities, type Granularity } from '../../src/shared/tokens.ts';
import { button, dropdown, groupedDropdown, progressRing } from '../ui/controls.ts';
import { formatNumber, formatShare } from '../ui/formatNumber.ts';
import type { Strings } from '../ui/strings.ts';
import { visibleText } from '../ui/visibleText.ts';
import type { PanelState } from './panelState.ts';
import { stageText } from './runStage.ts';
import type { ExportFormat } from './exportMenu.ts';
import './exportMenu.ts';

type Post = (message: ExplainPanelOut) => void;

export function modelLine(explanation: Explanation | null, post: Post, state: PanelState, text: Strings): TemplateResult {
  const model = explanation?.model;
  return html`<div class="row spread">
    <p class="model">
      ${
        model === undefined
          ? nothing
          : html`<strong>${visibleText(model.name)}</strong>
              <span class="muted">${visibleText(modelKind(model))}</span>`
      }
    </p>
    <div class="row">
      ${button({ label: text.rerun, disabled: state.running, onClick: () => post({ type: 'rerun' }) })}
      ${
        explanation === null
          ? nothing
          : html`<loupe-export-menu .onExport=${(format: ExportFormat) => post({ type: 'export', format })}></loupe-export-menu>`
      }
    </div>
  </div>`;
}

/** Of a model on a server the architecture is not known, and where it runs is. */
function modelKind({ format, file, quantization, architecture }: Explanation['model']): string {
  return [quantization, format === 'remote' ? file : architecture].filter(Boolean).join(' · ');
}

export function settingsLine(state: PanelState, post: Post, text: Strings): TemplateResult {
  const { explanation, methods, mode } = state;
  const method = methodShown(state);
  const choice = methods.find(({ id }) => id === method);
  const modeLabel = (value: 'auto' | 'raw' | 'chat') =>
    value === 'auto' && explanation !== null ? text.modeUsed(text.modes[explanation.prompt.mode]) : text.modes[value];
  return html`<div class="row settings">
      ${
        methods.length === 0
          ? nothing
          : labelled(
              text.method,
              groupedDropdown({
                label: text.method,
                value: method,
                choices: methods.map((each) => ({
                  value: each.id,
                  group: each.family,
                  label: `${each.label} — ${each.unavailable ?? each.cost}`,
                  description: each.assumption,
                  disabled: each.unavailable !== null,
                })),
                onChange: (value) => post({ type: 'setMethod', method: value }),
              }),
            )
      }
      ${
        explanation === null
          ? nothing
          : html`<span class="precision"><span class="muted">${text.computed}</span> ${text.precision[explanation.model.precision]}</span>`
      }
      ${
        explanation === null
          ? nothing
          : field(text.granularityLabel, {
              value: explanation.granularity,
              choices: granularities.map((value) => ({ value, label: text.granularityOne[value] })),
              onChange: (value) => post({ type: 'setGranularity', granularity: value as Granularity }),
            })
      }
      ${field(text.readAs, {
        value: mode,
        choices: (['auto', 'raw', 'chat'] as const).map((value) => ({ value, label: modeLabel(value) })),
        onChange: (value) => post({ type: 'setMode', mode: value as 'auto' | 'raw' | 'chat' }),
      })}
    </div>
    ${choice === undefined ? nothing : html`<p class="muted">${choice.assumption}</p>`}`;
}

/** The one that was asked for; where the model cannot run it, the one that stood in. */
function methodShown({ explanation, methods, method: asked }: PanelState): string {
  const cannot = methods.some(({ id, unavailable }) => id === asked && unavailable !== null);
  return (cannot ? null : asked) ?? explanation?.method.id ?? asked ?? methods[0]?.id ?? '';
}

function field(label: string, options: Omit<Parameters<typeof dropdown>[0], 'label'>): TemplateResult {
  return labelled(label, dropdown({ label, ...options }));
}

/** The control names itself to screen readers. */
function labelled(label: string, control: TemplateResult): TemplateResult {
  return html`<span class="field"><span class="muted" aria-hidden="true">${label}</span>${control}</span>`;
}

/**
 * `Explains ‘ Paris’ — log-probability −0.26 nats (probability 77 %)`. What is no score of an answer has a name of its own, and no
 * probability: `Explains entropy of the next token — entropy 2.31 nats`.
 */
export function targetLine(explanation: Explanation, text: Strings): TemplateResult {
  const { kind, label, score, unit, value } = explanation.target;
  const number = text.scoreIs(formatNumber(value), text.unit[unit]);
  const own = kind === 'entropy' || kind === 'kl' || kind === 'similarity' ? text.quantity[kind] : null;
  const probability =
    own === null && score === 'logprob' && kind !== 'contrast' ? ` (${text.probabilityOf(formatShare(Math.exp(value)))})` : '';
  return html`<p class="target">
    ${text.explains} <bdi class="mono">${visibleText(label)}</bdi> — ${own ?? text.score[score]} ${number}${probability}
  </p>`;
}

export function stageLine(state: PanelState, post: Post, text: Strings): TemplateResult {
  const { name, detail, provisional } = stageText(state, text);
  return html`<div class="row stage">
    ${state.running ? progressRing() : nothing}
    <span role="status" class=${provisional ? 'provisional' : ''}>${name}</span>
    <span class="muted">${detail}</span>
    ${state.running ? button({ label: text.cancel, onClick: () => post({ type: 'cancel' }) }) : nothing}
  </div>`;
}

export const headerStyles = css`
  .model {
    overflow-wrap: anywhere;
  }
  .settings {
    gap: 6px 16px;
  }
  .target {
    font-size: 14px;
    overflow-wrap: anywhere;
  }
  .stage {
    min-block-size: 22px;
  }
  .provisional {
    font-style: italic;
  }
`;
