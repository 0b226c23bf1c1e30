/** The page around a panel. The editor gives the body a margin for documents; panels bring their own. */
export function adoptPageStyles(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('html, body { margin: 0; padding: 0; }');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
