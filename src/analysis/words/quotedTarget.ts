import type { ResolvedTarget } from '../../attribution/target.ts';

/** What a target is about, in a sentence: its text in quotes; a contrast names two texts and says so already. */
export function quotedTarget({ kind, label }: Pick<ResolvedTarget['description'], 'kind' | 'label'>): string {
  return kind === 'contrast' ? `“${label.trim().replace(/\s*( rather than )\s*/u, '”$1“')}”` : JSON.stringify(label);
}
