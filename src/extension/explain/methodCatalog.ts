/** The attribution methods, as the engine tells them for the loaded model. */
import type { MethodDescription } from '../../shared/protocol/engine.ts';
import type { CallHooks, EngineService } from '../engineService.ts';

/** A count of units that a cost is told for before any prompt was read. */
export const usualUnits = 50;

export class MethodCatalog {
  private readonly listeners = new Set<() => void>();
  private methods: readonly MethodDescription[] = [];
  /** What `methods` was told for: model and number of units. */
  private known = '';
  private units = usualUnits;

  constructor(private readonly engine: Pick<EngineService, 'methods' | 'status'>) {}

  /** Asks again for the model that is loaded now, where anybody has asked before. */
  async refresh(): Promise<void> {
    if (this.engine.status.model !== null && this.methods.length > 0) await this.read(this.units);
  }

  /** As they were told last; empty before the engine was first asked. */
  get current(): readonly MethodDescription[] {
    return this.methods;
  }

  /** Told when `current` changes. Returns a function that stops listening. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Asks the engine, which is started when it does not run, unless the answer for this model and cost is there. */
  async read(units: number, hooks: CallHooks = {}): Promise<readonly MethodDescription[]> {
    const wanted = JSON.stringify([this.engine.status.model?.file ?? null, units]);
    if (wanted === this.known) return this.methods;
    const methods = await this.engine.methods(units, hooks);
    this.known = wanted;
    this.units = units;
    this.methods = methods;
    for (const listener of this.listeners) listener();
    return methods;
  }
}
