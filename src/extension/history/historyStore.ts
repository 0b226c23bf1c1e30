/** Old explanations as files of one folder: bounded, oldest removed first, each written whole or not at all. Knows no editor. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { LoupeError } from '../../shared/errors.ts';
import { type HistoryEntry, parseEntry } from './historyEntry.ts';

/** A file of the history: what it holds, or why it cannot be read. */
export type HistoryItem =
  | { readonly name: string; readonly entry: HistoryEntry; readonly error: null }
  | { readonly name: string; readonly entry: null; readonly error: string };

export interface HistoryLimits {
  readonly files: number;
  readonly bytes: number;
}

const usualLimits: HistoryLimits = { files: 200, bytes: 50_000_000 };

export class HistoryStore {
  private readonly listeners = new Set<() => void>();
  /** Files do not change once they are there. */
  private readonly read = new Map<string, HistoryItem>();

  constructor(
    private readonly folder: string,
    private readonly limits: HistoryLimits = usualLimits,
  ) {}

  /** Told when a file was added or removed here. Returns a function that stops listening. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async add(entry: HistoryEntry): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    // Names sort by time; the rest keeps two windows apart.
    const name = `${new Date(entry.time).toISOString().replaceAll(/[:.]/g, '-')}-${randomUUID().slice(0, 8)}.json`;
    const partial = path.join(this.folder, `${name}.partial`);
    try {
      await writeFile(partial, JSON.stringify(entry));
      await rename(partial, path.join(this.folder, name));
    } catch (thrown) {
      await rm(partial, { force: true });
      throw thrown;
    }
    await this.prune();
    this.changed();
  }

  /** Newest first. A file that cannot be read is an item that says why. */
  async list(): Promise<HistoryItem[]> {
    const names = await this.names();
    for (const known of this.read.keys()) if (!names.includes(known)) this.read.delete(known);
    const items: HistoryItem[] = [];
    for (const name of names.toReversed()) items.push(await this.item(name));
    return items;
  }

  /** Does nothing for a name that is no file of the history. */
  async remove(name: string): Promise<void> {
    if (!(await this.names()).includes(name)) return;
    await rm(path.join(this.folder, name), { force: true });
    this.changed();
  }

  async clear(): Promise<void> {
    for (const name of await this.names()) await rm(path.join(this.folder, name), { force: true });
    this.changed();
  }

  private async item(name: string): Promise<HistoryItem> {
    const known = this.read.get(name);
    if (known !== undefined) return known;
    let item: HistoryItem;
    try {
      item = { name, entry: parseEntry(await readFile(path.join(this.folder, name), 'utf8')), error: null };
    } catch (thrown) {
      item = { name, entry: null, error: reasonOf(thrown) };
    }
    this.read.set(name, item);
    return item;
  }

  /** Oldest first. */
  private async names(): Promise<string[]> {
    try {
      return (await readdir(this.folder)).filter((name) => name.endsWith('.json')).sort();
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return [];
      throw thrown;
    }
  }

  private async prune(): Promise<void> {
    const names = await this.names();
    const sizes = await Promise.all(names.map((name) => sizeOf(path.join(this.folder, name))));
    let bytes = sizes.reduce((sum, size) => sum + size, 0);
    let files = names.length;
    for (const [index, name] of names.entries()) {
      if (files <= this.limits.files && bytes <= this.limits.bytes) return;
      await rm(path.join(this.folder, name), { force: true });
      files -= 1;
      bytes -= sizes[index] ?? 0;
    }
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof LoupeError) return `${thrown.parts.what}: ${thrown.parts.why}`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** 0 for a file that another window has removed by now. */
async function sizeOf(file: string): Promise<number> {
  return await stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
