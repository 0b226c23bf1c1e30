/** How each kind of block is drawn: one file a kind, one line here. */
import type { TemplateResult } from 'lit';
import type { Block } from '../../../src/shared/inspection/blocks.ts';
import { barsBlock } from './barsBlock.ts';
import type { BlockContext } from './blockContext.ts';
import { curveBlock } from './curveBlock.ts';
import { editBlock } from './editBlock.ts';
import { graphBlock } from './graphBlock.ts';
import { heatBlock } from './heatBlock.ts';
import { promptBlock } from './promptBlock.ts';
import { tableBlock } from './tableBlock.ts';
import { textBlock } from './textBlock.ts';

type BlockViews = {
  readonly [Kind in Block['kind']]: (block: Extract<Block, { readonly kind: Kind }>, context: BlockContext) => TemplateResult;
};

const blockViews: BlockViews = {
  heat: heatBlock,
  table: tableBlock,
  bars: barsBlock,
  graph: graphBlock,
  curve: curveBlock,
  prompt: promptBlock,
  edit: editBlock,
  text: textBlock,
};

/** A kind this version does not know has no picture. */
export function blockView(block: Block, context: BlockContext): TemplateResult | null {
  if (!Object.hasOwn(blockViews, block.kind)) return null;
  const view = blockViews[block.kind] as (block: Block, context: BlockContext) => TemplateResult;
  return view(block, context);
}
