import { type ModelInfo, outputWidth } from '../model/model.ts';
import type { Site } from '../model/sites.ts';

/** Shape of a site's tensor for a prompt of `length` tokens, as in `sites.ts`. */
export function siteShape({ kind }: Site, info: ModelInfo, length: number): number[] {
  switch (kind) {
    case 'q':
    case 'z':
      return [length, info.heads, info.headSize];
    case 'k':
    case 'v':
      return [length, info.kvHeads, info.headSize];
    case 'scores':
    case 'pattern':
      return [info.heads, length, length];
    case 'mlp_post':
      return [length, info.neurons];
    case 'logits':
      return info.task === undefined ? [length, info.vocabulary] : [1, outputWidth(info)];
    default:
      return [length, info.hidden];
  }
}
