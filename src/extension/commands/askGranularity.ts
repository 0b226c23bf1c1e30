import * as vscode from 'vscode';
import { granularities, type Granularity } from '../../shared/tokens.ts';
import { granularityLabel } from '../explain/granularityLabel.ts';
import { t } from '../localise.ts';

/** What gets one score; null when the user leaves. */
export async function askGranularity(current: Granularity): Promise<Granularity | null> {
  const picked = await vscode.window.showQuickPick(
    granularities.map((granularity) => ({
      granularity,
      label: granularityLabel(granularity, t),
      ...(granularity === current ? { description: t('now') } : {}),
    })),
    { title: t('One score per') },
  );
  return picked?.granularity ?? null;
}
