/** An SVG picture as the bytes of a PNG file: drawn by the browser, so that fonts are those the reader sees. */

/** Twice as many pixels as the picture has units, so that text is sharp. */
const wantedScale = 2;
/** The browser's longest side of a canvas; a picture of a very long prompt is drawn smaller. */
const longestSide = 16_384;

export function pictureScale(width: number, height: number): number {
  return Math.min(wantedScale, longestSide / Math.max(width, height, 1));
}

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
