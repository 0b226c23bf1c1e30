/** Twice as many pixels as the picture has units, so that text is sharp. */
const wantedScale = 2;
/** The longest side of a browser's canvas, pixels; a picture of a very long prompt is drawn smaller. */
const longestSide = 16_384;

/** Pixels for each unit of a picture of this size. */
export function pictureScale(width: number, height: number): number {
  return Math.min(wantedScale, longestSide / Math.max(width, height, 1));
}
