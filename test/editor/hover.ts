/** Words of the text in the editor, and the hover over them. */
import type { Locator, Page } from 'playwright-core';

/** Pixels that a word of the editor covers. */
export async function wordBox(lines: Locator, word: string): Promise<{ left: number; right: number; top: number }> {
  const box: { left: number; right: number; top: number } | null = await lines.evaluate((root, wanted) => {
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
  if (box === null) throw new Error(`the editor does not show ${word}`);
  return box;
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
