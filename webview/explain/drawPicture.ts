/** An SVG picture as the bytes of a PNG file: drawn by the browser, so that fonts are those the reader sees. */

import { pictureScale } from '../../src/shared/pictureScale.ts';

/** Null when the browser cannot draw it. */
export async function drawPicture(svg: string): Promise<Uint8Array | null> {
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const scale = pictureScale(image.naturalWidth, image.naturalHeight);
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(image.naturalWidth * scale);
    canvas.height = Math.round(image.naturalHeight * scale);
    const context = canvas.getContext('2d');
    if (context === null) return null;
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    return blob === null ? null : new Uint8Array(await blob.arrayBuffer());
  } catch {
    // The browser says no more than that the picture could not be decoded.
    return null;
  } finally {
    URL.revokeObjectURL(url);
  }
}
