/** Words of the text in the editor, and the hover over them. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
}

/** Pixels that a word of the editor covers, as soon as it is drawn in one piece. */
export async function wordBox(lines: Locator, word: string): Promise<Box> {
  let box: Box | null = null;
  const found = async () => (box = await boxNow(lines, word)) !== null;
  await expect.poll(found, { timeout: 10_000, message: `the editor shows ${word}` }).toBe(true);
  return box as unknown as Box;
}

async function boxNow(lines: Locator, word: string): Promise<Box | null> {
  return await lines.evaluate((root, wanted) => {
    const page = globalThis as unknown as {
      document: {
        createTreeWalker(n: unknown, what: number): { nextNode(): { textContent: string } | null };
        createRange(): never;
      };
    };
    const walker = page.document.createTreeWalker(root, 4);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const at = node.textContent.indexOf(wanted);
      if (at < 0) continue;
      const range = page.document.createRange() as unknown as {
        setStart(n: unknown, o: number): void;
        setEnd(n: unknown, o: number): void;
        getBoundingClientRect(): { left: number; right: number; top: number };
      };
      range.setStart(node, at);
      range.setEnd(node, at + wanted.length);
      const { left, right, top } = range.getBoundingClientRect();
      return { left, right, top };
    }
    return null;
  }, word);
}

/** The text of the hover that appears over a word of the editor. The mouse comes from elsewhere: a hover opens where it stops. */
export async function hover(page: Page, lines: Locator, word: string, expected: RegExp): Promise<string> {
  const hovers = page.locator('.monaco-hover:visible');
  for (let attempt = 0; attempt < 6; attempt++) {
    const box = await wordBox(lines, word);
    await page.mouse.move(box.left + 300, box.top + 250);
    await page.mouse.move((box.left + box.right) / 2, box.top + 9, { steps: 6 });
    const text = await hovers
      .filter({ hasText: expected })
      .first()
      .textContent({ timeout: 4000 })
      .catch(() => null);
    if (text !== null) return text;
  }
  throw new Error(`no hover on ${word} says ${expected}`);
}
