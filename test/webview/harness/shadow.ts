/** Looking through open shadow roots, and waiting until every component has drawn. */
import { LitElement } from 'lit';

export function all(root: Element | ShadowRoot, selector: string): Element[] {
  const found: Element[] = [];
  const visit = (scope: Element | ShadowRoot) => {
    for (const element of scope.querySelectorAll('*')) {
      if (element.matches(selector)) found.push(element);
      if (element.shadowRoot !== null) visit(element.shadowRoot);
    }
  };
  if (root instanceof Element && root.shadowRoot !== null) visit(root.shadowRoot);
  visit(root);
  return found;
}

export function find(root: Element | ShadowRoot, selector: string): Element | null {
  return all(root, selector)[0] ?? null;
}

/** Resolves when no component has work left; a parent may give its children new work. */
export async function settle(root: LitElement): Promise<void> {
  for (let quiet = false; !quiet; ) {
    quiet = true;
    for (const element of [root, ...all(root, '*')]) {
      if (!(element instanceof LitElement) || !element.isUpdatePending) continue;
      quiet = false;
      await element.updateComplete;
    }
  }
}
