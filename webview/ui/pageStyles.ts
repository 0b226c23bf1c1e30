/**
 * The page around a panel. The editor gives the body a margin for documents; panels bring their own. The background is stated, though the
 * editor shows the same colour behind a transparent page, because tools that measure contrast see only the page.
 */
export function adoptPageStyles(place: 'editor' | 'sideBar'): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`html, body { margin: 0; padding: 0; } body { background: var(--vscode-${place}-background); }`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
