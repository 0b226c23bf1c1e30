/** The settings a model is loaded with, as the engine takes them. */
import type { LoadOptions } from '../../shared/protocol/engine.ts';
import type { Settings } from '../settingsTable.ts';

const bytesPerMegabyte = 1_000_000;

/** A weight memory of −1 is left away: the engine then takes a quarter of the free memory. */
export function loadOptions(
  settings: Pick<Settings, 'threads' | 'contextLength' | 'gradientMemory' | 'weightMemory' | 'onnxProvider'>,
): LoadOptions {
  const { threads, contextLength, gradientMemory, weightMemory, onnxProvider } = settings;
  return {
    threads,
    contextLength,
    gradientBytes: gradientMemory * bytesPerMegabyte,
    ...(onnxProvider === 'cpu' ? {} : { provider: onnxProvider }),
    ...(weightMemory < 0 ? {} : { weightBytes: weightMemory * bytesPerMegabyte }),
  };
}
