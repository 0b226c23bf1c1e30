import type { ToolParameter } from '../../shared/protocol/tools.ts';

/** For tools whose grid can be asked for one layer at a time. */
export const oneLayerParameter = {
  id: 'layer',
  kind: 'number',
  label: 'Layer',
  help: 'one layer only; -1: all',
  default: -1,
  minimum: -1,
  whole: true,
} as const satisfies ToolParameter;
