/** What a user reads when something fails, and the commands offered with it. */
import type { LoupeError } from '../shared/errors.ts';
import type { CommandName } from './commandTable.ts';
import type { Translate } from './translate.ts';

export interface ErrorOffer {
  readonly label: string;
  readonly command: CommandName;
}

const otherMethodHelps: readonly string[] = [
  'E_METHOD_UNSUPPORTED',
  'E_METHOD_UNKNOWN',
  'E_GRADIENT_UNSUPPORTED',
  'E_GRADIENT_MEMORY',
];

/** One sentence a part: what, why, what to do. Never a stack. */
export function errorText(error: LoupeError): string {
  const { what, why, action } = error.parts;
  return `${sentence(what)} ${sentence(why)} ${sentence(action)} (${error.code})`;
}

export function errorOffers(error: LoupeError, t: Translate): ErrorOffer[] {
  const showLog: ErrorOffer = { label: t('Show Log'), command: 'showLog' };
  const pickModel: ErrorOffer = { label: t('Pick Model'), command: 'pickModel' };
  const restart: ErrorOffer = { label: t('Restart Engine'), command: 'restartEngine' };
  if (otherMethodHelps.includes(error.code)) {
    return [{ label: t('Pick Method'), command: 'explainWith' }, showLog];
  }
  if (error.code === 'E_CONTEXT_OVERFLOW' || error.kind === 'model') return [pickModel, showLog];
  if (error.code.startsWith('E_TARGET') || error.code === 'E_GRADIENT_TARGET')
    return [{ label: t('Set Target'), command: 'setTarget' }, showLog];
  if (error.kind === 'engine') return [restart, showLog];
  return [showLog];
}

function sentence(clause: string): string {
  const trimmed = clause.trim();
  if (trimmed === '') return '';
  const ended = /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return ended.charAt(0).toUpperCase() + ended.slice(1);
}
