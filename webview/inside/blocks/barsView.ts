/** Signed bars; as a waterfall each begins where the one before ended. */
import { html, nothing, svg, type TemplateResult } from 'lit';
import type { BarsBlock } from '../../../src/shared/inspection/blocks.ts';
import { formatSignificant } from '../../ui/formatNumber.ts';
import { visibleLabel, visibleText } from '../../ui/visibleText.ts';
import type { BlockContext } from './blockView.ts';

const mostBars = 200;
const width = 400;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Where each bar begins and ends, and the range of all. */
function barSpans({ bars, waterfall }: Pick<BarsBlock, 'bars' | 'waterfall'>): {
  readonly spans: readonly Span[];
  readonly low: number;
  readonly high: number;
} {
  let reached = 0;
  const spans = bars.map(({ value }) => {
    const from = waterfall === true ? reached : 0;
    reached = from + value;
    return { from, to: from + value };
  });
  const ends = spans.flatMap(({ from, to }) => [from, to]);
  return { spans, low: Math.min(0, ...ends), high: Math.max(0, ...ends) };
}

export function barsView(block: BarsBlock, { mark, text }: BlockContext): TemplateResult {
  const bars = block.bars.slice(0, mostBars);
  const { spans, low, high } = barSpans({ bars, ...(block.waterfall === true ? { waterfall: true } : {}) });
  const scale = width / (high - low || 1);
  const at = (value: number) => (value - low) * scale;
  return html`<div class="bars" role="list" aria-label=${`${block.title} (${block.unit})`}>
    ${bars.map(({ label, value, detail, tokens }, index) => {
      const { from, to } = spans[index] ?? { from: 0, to: 0 };
      const point = () => mark(tokens);
      return html`<span role="listitem" tabindex=${tokens === undefined ? nothing : '0'} title=${detail === undefined ? nothing : visibleText(detail)}
          @mouseenter=${point} @focus=${point} @mouseleave=${() => mark(undefined)} @blur=${() => mark(undefined)}>${visibleLabel(label)}</span>
        <span class="number">${formatSignificant(value)}</span>
        <svg class="picture" viewBox="0 0 ${width} 10" aria-hidden="true">
          ${svg`<line class="line" x1=${at(0)} x2=${at(0)} y1="0" y2="10"></line>
            <rect class=${value < 0 ? 'lowers' : 'raises'} x=${at(Math.min(from, to))} y="1" width=${Math.max(0.5, Math.abs(to - from) * scale)} height="8"></rect>`}
        </svg>`;
    })}
    ${
      block.total === undefined
        ? nothing
        : html`<strong role="listitem">${visibleLabel(block.total.label)}</strong><strong class="number">${formatSignificant(block.total.value)}</strong><span class="muted">${text.total}, ${block.unit}</span>`
    }
  </div>`;
}
