/** An SVG picture as the bytes of a PNG file, drawn by resvg (WebAssembly, MPL-2.0): no browser, no native library. */
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { pictureScale } from '../../shared/pictureScale.ts';

export interface Rasterised {
  readonly bytes: Uint8Array;
  /** Pixels for each unit of the picture; below 1, text is too small to read. */
  readonly scale: number;
}

/** The renderer is compiled once a process, from the first bytes that are given. */
let ready: Promise<void> | undefined;

/**
 * @param fonts TrueType or OpenType files; the first is used, the others where it has no glyph
 * @throws what resvg says of an SVG that it cannot read
 */
export async function rasterise(svg: string, renderer: Uint8Array, fonts: readonly Uint8Array[]): Promise<Rasterised> {
  ready ??= initWasm(renderer);
  await ready;
  const family = 'DejaVu Sans Mono';
  const picture = new Resvg(svg, {
    font: { fontBuffers: [...fonts], loadSystemFonts: false, defaultFontFamily: family, monospaceFamily: family },
    ...zoom(svg),
  });
  try {
    const image = picture.render();
    const scale = image.width / picture.width;
    const bytes = image.asPng();
    image.free();
    return { bytes, scale };
  } finally {
    picture.free();
  }
}

/** The picture states its size in its first element. */
function zoom(svg: string): { fitTo: { mode: 'zoom'; value: number } } {
  const [, width, height] = /^<svg [^>]*?width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
  return { fitTo: { mode: 'zoom', value: pictureScale(Number(width ?? 1), Number(height ?? 1)) } };
}
