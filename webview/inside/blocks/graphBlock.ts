/** Components and what flows between them: width = size, dashes and colour = below zero; the table below says the same. */
import { css, html, LitElement, svg, type TemplateResult } from 'lit';
import type { GraphBlock } from '../../../src/shared/inspection/blocks.ts';
import { formatSigned } from '../../ui/formatNumber.ts';
import { nextInList } from '../../ui/rovingFocus.ts';
import { sharedStyles } from '../../ui/sharedStyles.ts';
import { visibleLabel } from '../../ui/visibleText.ts';
import { type BlockContext, unitText } from './blockContext.ts';
import { cellText } from './cellText.ts';
import { type GraphLayout, graphLayout, nodeSize } from './graphLayout.ts';

/** Characters a node has room for. */
const roomInNode = 14;

export class GraphBlockView extends LitElement {
  static override properties = {
    block: { attribute: false },
    context: { attribute: false },
    chosen: { state: true },
  };
  declare block: GraphBlock;
  declare context: BlockContext;
  /** Index of a node. */
  declare private chosen: number | null;
  private layout: GraphLayout = { nodes: [], edges: [], width: 0, height: 0 };

  constructor() {
    super();
    this.chosen = null;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has('block')) return;
    this.chosen = null;
    this.layout = graphLayout(this.block);
  }

  protected override render(): TemplateResult {
    const { block, context, layout } = this;
    const { text } = context;
    const { width, height } = layout;
    const label = text.graphLabel(visibleLabel(block.title), String(block.nodes.length), String(block.edges.length));
    const chosen = this.chosen === null ? undefined : block.nodes[this.chosen]?.id;
    return html`<p class="muted">${text.graphLegend}</p>
      <div class="scroll">
        <svg width=${width} height=${height} viewBox="0 0 ${width} ${height}" role="group" aria-label=${label} @keydown=${this.pressed}>
          ${layout.edges.map(({ edge, path, width: thickness }) => {
            const isDim = chosen !== undefined && edge.from !== chosen && edge.to !== chosen;
            return svg`<path class="edge ${edge.weight < 0 ? 'negative' : 'positive'} ${isDim ? 'dim' : ''}" d=${path} stroke-width=${thickness.toFixed(2)}></path>`;
          })}
          ${layout.nodes.map(({ x, y }, index) => this.node(index, x, y))}
        </svg>
      </div>
      <p class="readout" role="status">${this.chosen === null ? '' : this.spoken(this.chosen)}</p>
      <details>
        <summary>${text.asTable}</summary>
        ${this.table()}
      </details>`;
  }

  private node(index: number, x: number, y: number): TemplateResult {
    const { context } = this;
    const { label, tokens = [] } = this.block.nodes[index] ?? { label: '' };
    const isStop = index === (this.chosen ?? 0);
    const isHighlighted = context.highlighted !== null && tokens.includes(context.highlighted);
    const shown = visibleLabel(label);
    // A long one is cut by the box it stands in.
    const isLong = [...shown].length > roomInNode;
    const point = () => {
      this.chosen = index;
      context.onMark(tokens);
    };
    const leave = () => context.onMark([]);
    return svg`<g
      role="button"
      class="node ${isHighlighted ? 'highlighted' : ''}"
      data-node=${index}
      tabindex=${isStop ? 0 : -1}
      aria-label=${this.spoken(index)}
      @focus=${point}
      @blur=${leave}
      @pointerenter=${point}
      @pointerleave=${leave}
      @click=${() => context.onReveal(tokens)}
    ><title>${shown}</title><rect x=${x} y=${y} width=${nodeSize.width} height=${nodeSize.height} rx="3"></rect><svg x=${x} y=${y} width=${nodeSize.width} height=${nodeSize.height}><text x=${isLong ? 6 : nodeSize.width / 2} y="16" text-anchor=${isLong ? 'start' : 'middle'}>${shown}</text></svg></g>`;
  }

  private spoken(index: number): string {
    const { nodes, edges } = this.block;
    const node = nodes[index];
    if (node === undefined) return '';
    const weights = (found: GraphBlock['edges']) =>
      String(found.length) +
      (found.length === 0
        ? ''
        : ` (${found
            .slice(0, 4)
            .map(({ weight }) => formatSigned(weight))
            .join(', ')}${found.length > 4 ? ', …' : ''})`);
    const into = weights(edges.filter(({ to }) => to === node.id));
    const out = weights(edges.filter(({ from }) => from === node.id));
    return this.context.text.nodeEdges(visibleLabel(node.label), into, out);
  }

  private table(): TemplateResult {
    const { text } = this.context;
    const { nodes, edges, title } = this.block;
    const unit = unitText(this.block.unit, text);
    const labels = new Map(nodes.map(({ id, label }) => [id, visibleLabel(label)]));
    const sorted = edges.toSorted((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
    return html`<table>
      <caption class="visually-hidden">${visibleLabel(title)}</caption>
      <thead>
        <tr>
          <th scope="col">${text.columnFrom}</th>
          <th scope="col">${text.columnTo}</th>
          <th scope="col" class="number">${text.columnWeight}${unit === '' ? '' : ` (${unit})`}</th>
        </tr>
      </thead>
      <tbody>
        ${sorted.map(
          ({ from, to, weight }) => html`<tr>
            <th scope="row"><bdi>${labels.get(from) ?? ''}</bdi></th>
            <td><bdi>${labels.get(to) ?? ''}</bdi></td>
            <td class="number">${cellText(weight)}</td>
          </tr>`,
        )}
      </tbody>
    </table>`;
  }

  private readonly pressed = (event: KeyboardEvent): void => {
    const node = (event.target as Element).closest<SVGElement>('[data-node]');
    if (node === null) return;
    const index = Number(node.dataset['node']);
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.context.onReveal(this.block.nodes[index]?.tokens ?? []);
      return;
    }
    const next = nextInList(event.key, index, this.block.nodes.length);
    if (next === null) return;
    event.preventDefault();
    this.renderRoot.querySelector<SVGElement>(`[data-node="${next}"]`)?.focus();
  };

  static override styles = [
    sharedStyles,
    css`
      .scroll {
        overflow: auto;
        max-block-size: 560px;
      }
      .edge {
        fill: none;
        stroke-opacity: 0.75;
      }
      .edge.dim {
        stroke-opacity: 0.15;
      }
      .positive {
        stroke: rgb(from var(--vscode-promptLoupe-positive5, var(--vscode-charts-blue)) r g b / 100%);
      }
      .negative {
        stroke: rgb(from var(--vscode-promptLoupe-negative5, var(--vscode-charts-orange)) r g b / 100%);
        stroke-dasharray: 7 4;
      }
      .node {
        cursor: pointer;
      }
      .node rect {
        fill: var(--vscode-editor-background);
        stroke: var(--vscode-descriptionForeground);
      }
      .node text {
        fill: var(--vscode-foreground);
        font-family: var(--vscode-font-family);
        font-size: 12px;
      }
      .node:hover rect,
      .node.highlighted rect {
        stroke: var(--vscode-focusBorder);
        stroke-width: 2;
      }
      .node:focus-visible {
        outline: none;
      }
      .node:focus-visible rect {
        stroke: var(--vscode-focusBorder);
        stroke-width: 3;
      }
      .readout {
        min-block-size: 1.4em;
        overflow-wrap: anywhere;
      }
    `,
  ];
}

customElements.define('loupe-graph-block', GraphBlockView);

export function graphBlock(block: GraphBlock, context: BlockContext): TemplateResult {
  return html`<loupe-graph-block .block=${block} .context=${context}></loupe-graph-block>`;
}
