/** A site's tensor while its node has just been computed: reading it, and writing it back. */
import type { SiteLayout, SiteVectors } from '../../model/runtime/siteVectors.ts';
import type { SiteNode } from '../graph/siteTable.ts';
import { readTensorHeader, type TensorHeader, tensorSpan } from '../graph/tensorHeader.ts';
import type { NativeFunctions, Pointer } from '../native/functions.ts';

const floatBytes = 4;

/** @throws Error when the graph is not the surveyed one: the plan would read the wrong tensor */
export function openSite({ node, layout, site, heads }: SiteNode, address: Pointer, tokens: number): TensorVectors {
  const header = readTensorHeader(address);
  if (header.name !== node.name || header.type !== node.type || header.ne[0] < 1) {
    throw new Error(`the graph changed: ${site} should be ${node.name}, found ${header.name}`);
  }
  return new TensorVectors(header, layout, heads, tokens);
}

export class TensorVectors {
  readonly positions: number;
  readonly heads: number;
  readonly width: number;
  readonly header: TensorHeader;
  readonly #positionStride: number;
  readonly #headStride: number;

  constructor(header: TensorHeader, layout: SiteLayout, heads: number, tokens: number) {
    this.header = header;
    const { ne, nb } = header;
    const strides = nb.map((bytes) => bytes / floatBytes) as [number, number, number, number];
    this.heads = layout === 'rows' ? 1 : layout === 'heads' ? ne[1] : heads;
    this.positions = layout === 'heads' ? ne[2] : ne[1];
    this.#positionStride = layout === 'heads' ? strides[2] : strides[1];
    if (layout === 'joined-heads') {
      this.width = ne[0] / heads;
      this.#headStride = this.width;
    } else {
      // Keys beyond the prompt are padding of the cache.
      this.width = layout === 'attention' ? Math.min(ne[0], tokens) : ne[0];
      this.#headStride = layout === 'heads' ? strides[1] : layout === 'attention' ? strides[2] : 0;
    }
  }

  /** Copies the tensor out of native memory, into `scratch` when it is large enough. */
  read(functions: NativeFunctions, scratch?: Float32Array): SiteVectors {
    const bytes = tensorSpan(this.header);
    const count = bytes / floatBytes;
    const raw = scratch !== undefined && scratch.length >= count ? scratch : new Float32Array(count);
    functions.ggml_backend_tensor_get(this.header.address, raw, 0, bytes);
    return this.over(raw);
  }

  /** Copies one head of an attention site only. */
  readHead(functions: NativeFunctions, head: number): SiteVectors {
    const bytes = this.#headStride * floatBytes;
    const raw = new Float32Array(this.#headStride);
    functions.ggml_backend_tensor_get(this.header.address, raw, head * bytes, bytes);
    return { ...this.over(raw), heads: 1 };
  }

  write(functions: NativeFunctions, { raw }: SiteVectors): void {
    functions.ggml_backend_tensor_set(this.header.address, raw, 0, tensorSpan(this.header));
  }

  /** The vectors of a tensor whose data is at hand. */
  over(raw: Float32Array): SiteVectors {
    const { positions, heads, width } = this;
    const positionStride = this.#positionStride;
    const headStride = this.#headStride;
    return { raw, positions, heads, width, offset: (position, head) => position * positionStride + head * headStride };
  }
}
