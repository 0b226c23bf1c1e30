/** What the status bar item says. Pure, so that a test can read it. */
import type { EngineStatus } from '../shared/protocol/engine.ts';
import type { Stage } from './explain/session.ts';
import type { Translate } from './translate.ts';

export interface StatusText {
  /** With codicons, for the status bar. */
  readonly text: string;
  readonly tooltip: string;
  readonly failed: boolean;
}

export interface ActiveRun {
  readonly stage: Stage | null;
  readonly phase: string | null;
  readonly done: number;
  readonly total: number;
}

export function engineStatusText(status: EngineStatus, active: ActiveRun | null, t: Translate): StatusText {
  const model = status.model?.name ?? t('no model loaded');
  const waiting = status.queue.length > 0 ? ` (+${status.queue.length})` : '';
  return {
    text: `${icon(status.state)} Prompt Loupe: ${label(status, active, t)}${waiting}`,
    tooltip: tooltip(status, model, t),
    failed: status.state === 'failed',
  };
}

function icon(state: EngineStatus['state']): string {
  if (state === 'starting' || state === 'busy') return '$(loading~spin)';
  return state === 'failed' ? '$(error)' : '$(search)';
}

function label(status: EngineStatus, active: ActiveRun | null, t: Translate): string {
  switch (status.state) {
    case 'stopped':
      return t('engine stopped');
    case 'starting':
      return t('starting');
    case 'failed':
      return t('engine failed');
    case 'ready':
      return status.model?.name ?? t('no model loaded');
    case 'busy':
      return busyLabel(status, active, t);
  }
}

function busyLabel(status: EngineStatus, active: ActiveRun | null, t: Translate): string {
  if (active === null) return status.running?.title ?? t('working');
  const share = active.total > 0 ? ` ${Math.floor((100 * Math.min(active.done, active.total)) / active.total)} %` : '';
  const phase = active.phase ?? t('working');
  return active.stage === null || active.stage === 'final' ? `${phase}${share}` : t('{0} (provisional)', `${phase}${share}`);
}

function tooltip(status: EngineStatus, model: string, t: Translate): string {
  const lines = [t('Engine: {0}', status.state), t('Model: {0}', model)];
  if (status.running !== null) lines.push(t('Running: {0}', status.running.title));
  status.queue.forEach((request) => {
    lines.push(t('Waiting: {0}', request.title));
  });
  return lines.join('\n');
}
