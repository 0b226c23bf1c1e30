import type { PromptFormat } from './protocol/engine.ts';

/** The format of a document, by its name and, where an editor knows it, its language. Anything unknown is plain text. */
export function detectFormat(uriOrFileName: string, languageId?: string): PromptFormat {
  const name = uriOrFileName.replace(/[?#].*$/u, '').toLowerCase();
  if (/\.prompt\.ya?ml$/u.test(name)) return 'prompt-yml';
  if (/\.jsonc?$/u.test(name)) return 'messages-json';
  if (/\.(?:md|markdown)$/u.test(name)) return 'markdown';
  if (/\.[a-z0-9]+$/u.test(name) && languageId === undefined) return 'text';
  if (languageId === 'json' || languageId === 'jsonc') return 'messages-json';
  return languageId === 'markdown' || languageId === 'prompt' ? 'markdown' : 'text';
}
