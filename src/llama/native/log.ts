/** llama.cpp reports why something failed only through its log: this keeps the last lines of it. */
import koffi from 'koffi';
import type { NativeFunctions } from './functions.ts';

const levels = { warning: 3, error: 4, continuation: 5 } as const;
const keptLines = 20;
const kept: string[] = [];
let lastLevel = 0;

/** Routes the library's log here for as long as this thread lives; the callback is never unregistered. */
export function listenToLog(functions: NativeFunctions): void {
  const type = koffi.pointer(koffi.proto('void llama_log_callback(int level, str text, void* data)'));
  const callback = koffi.register((level: number, text: string | null) => {
    // Nothing may be thrown into native code; an out-of-memory here would end the process anyway.
    remember(level, text ?? '');
  }, type);
  functions.llama_log_set(callback, 0);
}

function remember(level: number, text: string): void {
  if (level !== levels.continuation) lastLevel = level;
  if (lastLevel !== levels.warning && lastLevel !== levels.error) return;
  const line = text.trim();
  if (line === '' || line === '.') return;
  kept.push(line.slice(0, 500));
  if (kept.length > keptLines) kept.shift();
}

/** Forgets what was logged before. */
export function clearLog(): void {
  kept.length = 0;
}

/** Warnings and errors since {@link clearLog}, joined; `fallback` when there are none. */
export function loggedReason(fallback: string): string {
  return kept.length === 0 ? fallback : kept.join('; ');
}
