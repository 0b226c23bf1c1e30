/** Loading a model for a command, with a progress notification that can cancel it. */
import { callInProgress } from '../callInProgress.ts';
import type { CallHooks } from '../engineService.ts';
import { t } from '../localise.ts';

/** @throws what `load` throws; E_CANCELLED when the user cancels */
export function loadInProgress<Result>(load: (hooks: CallHooks) => Promise<Result>): Promise<Result> {
  return callInProgress(t('Loading the model'), load);
}
