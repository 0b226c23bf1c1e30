import type { MethodParameter } from '../method.ts';

/** Without the unit that holds the last token another place of the text is asked for its continuation. */
export const keepLastParameter: MethodParameter = {
  id: 'keepLast',
  label: 'Always keep the unit where the answer is read',
  default: true,
};
