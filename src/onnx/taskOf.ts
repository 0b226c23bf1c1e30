import type { ModelTask } from '../shared/modelTask.ts';
import type { ModelConfiguration } from './folder/mergeConfiguration.ts';
import type { Probe } from './graph/probe.ts';
import type { Structure } from './structure/recognise.ts';

/** Null for a language model. Classes without names are called as the libraries call them: LABEL_0, LABEL_1, … */
export function taskOf(
  { kind, output, hidden }: Pick<Structure, 'kind'> & { readonly output: string; readonly hidden: number },
  probe: Probe,
  { labels }: ModelConfiguration,
): ModelTask | null {
  if (kind === 'causal-lm') return null;
  if (kind === 'sentence-encoder') return { kind: 'embed', width: hidden };
  const classes = probe.facts(output)?.dims[0].at(-1) ?? 0;
  return { kind: 'classify', labels: Array.from({ length: classes }, (_, index) => labels?.[index] ?? `LABEL_${index}`) };
}
