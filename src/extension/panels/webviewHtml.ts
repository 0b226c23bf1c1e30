/** The empty page a webview starts from. No data is ever put into it: everything arrives by messages. */
import { randomBytes } from 'node:crypto';

export interface WebviewPage {
  readonly title: string;
  /** BCP 47, for screen readers. */
  readonly language: string;
  readonly cspSource: string;
  readonly scriptUri: string;
  readonly styleUri: string | null;
}

export function webviewHtml(page: WebviewPage, nonce: string = randomBytes(16).toString('base64url')): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${page.cspSource} 'nonce-${nonce}'`,
    // `blob:` is what the page itself made: the picture that becomes a PNG.
    `img-src ${page.cspSource} blob:`,
    `font-src ${page.cspSource}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const style = page.styleUri === null ? '' : `\n  <link rel="stylesheet" nonce="${nonce}" href="${escaped(page.styleUri)}">`;
  return `<!DOCTYPE html>
<html lang="${escaped(page.language)}">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${escaped(page.title)}</title>${style}
</head>
<body>
  <script nonce="${nonce}" src="${escaped(page.scriptUri)}"></script>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
