/** Found models, grouped by where they were found, in the order the Models view shows them. */
import type { FoundModel, ModelSource } from '../../shared/protocol/engine.ts';
import type { Translate } from '../translate.ts';

export interface ModelGroup {
  readonly source: ModelSource;
  readonly label: string;
  readonly models: readonly FoundModel[];
}

const order: readonly ModelSource[] = ['bundled', 'folder', 'ollama', 'lm-studio', 'hugging-face', 'server'];

/** Groups without a model are left out; within one, models are sorted by name. A file found twice counts once, where it was found first. */
export function modelGroups(models: readonly FoundModel[], t: Translate): ModelGroup[] {
  const seen = new Set<string>();
  const distinct = models.filter((model) => {
    if (seen.has(model.file)) return false;
    seen.add(model.file);
    return true;
  });
  return order
    .map((source) => ({
      source,
      label: sourceLabel(source, t),
      models: distinct.filter((model) => model.source === source).sort((a, b) => a.name.localeCompare(b.name)),
    }))
    .filter((group) => group.models.length > 0);
}

function sourceLabel(source: ModelSource, t: Translate): string {
  switch (source) {
    case 'bundled':
      return t('Bundled');
    case 'folder':
      return t('Folders');
    case 'ollama':
      return 'Ollama';
    case 'lm-studio':
      return 'LM Studio';
    case 'hugging-face':
      return t('Hugging Face cache');
    case 'server':
      return t('Servers');
  }
}

/** What stands beside a model's name: the size of a file, the address of a server. */
export function modelDetail({ source, file, bytes }: FoundModel): string {
  return source === 'server' ? file : byteSize(bytes);
}

/** A model in a list to pick from; where a file lies stands below its name. */
export function modelItem(model: FoundModel) {
  const { name, file, source } = model;
  return { label: name, description: modelDetail(model), ...(source === 'server' ? {} : { detail: file }), file };
}

/** Bytes as a person reads them, in decimal units. */
export function byteSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}
