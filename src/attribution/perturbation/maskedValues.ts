import type { Patch } from '../../model/model.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import { wholeSequence } from '../gradient/promptGradient.ts';
import type { AttributionInput, AttributionOptions } from '../method.ts';

/**
 * The target with the keys of some tokens hidden from every other position, in every layer and head: their place in the text stays,
 * nobody sees them. One forward pass for each group. @throws E_NUMERIC, and as `Model.forward`
 */
export async function maskedValues(
  input: AttributionInput,
  groups: readonly (readonly number[])[],
  options: AttributionOptions,
  onValue: (group: number, value: number) => void,
): Promise<void> {
  await patchedValues(
    input,
    groups.map((keys) =>
      Array.from(
        { length: input.model.info.layers },
        (_, layer): Patch => ({
          site: { kind: 'scores', layer },
          operation: { kind: 'hide', keys },
        }),
      ),
    ),
    options,
    onValue,
  );
}

/** The target under each of several sets of changes. */
export async function patchedValues(
  { model, target, tokens }: AttributionInput,
  changes: readonly (readonly Patch[])[],
  { signal, onProgress }: AttributionOptions,
  onValue: (index: number, value: number) => void,
): Promise<void> {
  const sequence = wholeSequence({ tokens, target });
  for (const [index, patches] of changes.entries()) {
    const { read, nonFinite } = await model.forward(
      { tokens: sequence, read: target.reads(tokens.length), patches },
      signal === undefined ? {} : { signal },
    );
    const value = target.value(read);
    if (nonFinite !== null || !Number.isFinite(value)) throw numeric(nonFinite ?? 'the target');
    onValue(index, value);
    onProgress?.(index + 1, changes.length);
  }
}
