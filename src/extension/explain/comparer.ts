/** Explains a prompt that is shown once more, with another method or model; what is shown stays. */
import type { Explanation } from '../../shared/explanation.ts';
import type { ExplainRequest, PromptSource } from '../../shared/protocol/engine.ts';
import type { TargetSpec } from '../../shared/target.ts';
import { callInProgress } from '../callInProgress.ts';
import type { EngineService } from '../engineService.ts';
import { t } from '../localise.ts';
import type { ModelLoader } from '../models/modelLoader.ts';
import { readSettings } from '../settings.ts';
import { agreeTo } from './methodAgreement.ts';
import type { MethodCatalog } from './methodCatalog.ts';
import { methodParameters } from './methodParameters.ts';
import { sameQuestion } from './sameQuestion.ts';

/** What is shown: the explanation, of which prompt, and what was asked. */
export interface Shown {
  readonly explanation: Explanation;
  readonly prompt: PromptSource;
  readonly target: TargetSpec;
}

export class Comparer {
  constructor(
    private readonly engine: EngineService,
    private readonly models: ModelLoader,
    private readonly methods: MethodCatalog,
  ) {}

  /** Null when the user does not agree to what the method does. @throws as `EngineService.explain` */
  async withMethod(shown: Shown, method: string): Promise<Explanation | null> {
    const description = this.methods.current.find(({ id }) => id === method);
    if (!(await agreeTo(description))) return null;
    return callInProgress(t('Comparing'), async (hooks) => {
      await this.models.ensureLoaded(hooks);
      const { target } = shown;
      const parameters = methodParameters(description, readSettings());
      return this.engine.explain({ ...requestOf(shown), target, method, parameters }, hooks);
    });
  }

  /** The wanted model is loaded again afterwards, however it ends. @throws as `ModelLoader.visit` and `EngineService.explain` */
  async withModel(shown: Shown, file: string): Promise<Explanation> {
    const { method } = shown.explanation;
    return callInProgress(t('Comparing'), async (hooks) => {
      try {
        await this.models.visit(file, hooks);
        const question = sameQuestion(shown.explanation, shown.target);
        const asked = { method: method.id, parameters: method.parameters };
        return await this.engine.explain({ ...requestOf(shown), ...question, ...asked }, hooks);
      } finally {
        await this.models.ensureLoaded({});
      }
    });
  }
}

/** The part of a request that is the same in both explanations. */
function requestOf({ explanation, prompt }: Shown): Omit<ExplainRequest, 'target' | 'method'> {
  const { maxTokens, agreedMethods } = readSettings();
  return {
    prompt,
    granularity: explanation.granularity,
    maxTokens,
    seed: explanation.method.seed,
    progressive: false,
    faithfulness: false,
    agreed: agreedMethods,
  };
}
