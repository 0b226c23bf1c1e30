/** What a user can ask of the document in front of them. */
import * as vscode from 'vscode';
import type { Explanation } from '../../shared/explanation.ts';
import type { ActiveDocument } from '../explain/activeDocument.ts';
import type { Explainer } from '../explain/explainer.ts';
import { askMethod } from '../explain/askMethod.ts';
import { type MethodCatalog, usualUnits } from '../explain/methodCatalog.ts';
import { methodChoices } from '../explain/methodChoices.ts';
import type { EngineService } from '../engineService.ts';
import { t } from '../localise.ts';
import { loadInProgress } from '../models/loadInProgress.ts';
import type { ModelLoader } from '../models/modelLoader.ts';
import type { ExplainPanel } from '../panels/explainPanel.ts';
import { askContrast } from './askContrast.ts';
import { askGranularity } from './askGranularity.ts';
import { askTarget } from './askTarget.ts';
import { type PromptPlace, promptPlace, sayNothingOpen } from './promptPlace.ts';
import type { CommandHandlers } from './registerCommands.ts';
import { exportExplanation } from '../export/exportExplanation.ts';

type ExplainCommands = Pick<
  CommandHandlers,
  | 'explain'
  | 'explainWith'
  | 'setTarget'
  | 'contrast'
  | 'cancel'
  | 'clearOverlay'
  | 'selectGranularity'
  | 'toggleTemplateTokens'
  | 'exportExplanation'
>;

export function explainCommands(
  explainer: Explainer,
  active: ActiveDocument,
  panel: ExplainPanel,
  engine: EngineService,
  models: ModelLoader,
  methods: MethodCatalog,
): ExplainCommands {
  return {
    explain: async (uri) => {
      const place = await promptPlace(uri, active);
      if (place === null) return sayNothingOpen();
      panel.show();
      return explainer.explain(place.document, { selection: place.selection });
    },
    explainWith: async (uri) => {
      const place = await promptPlace(uri, active);
      if (place === null) return sayNothingOpen();
      const known = await methods.read(active.session?.view?.units.length ?? usualUnits);
      const method = await askMethod(methodChoices(known, engine.status.model, t), t('Explain with'));
      if (method === null) return null;
      panel.show();
      return explainer.explain(place.document, { selection: place.selection, method });
    },
    setTarget: async (uri) => {
      const place = await promptPlace(uri, active);
      if (place === null) return sayNothingOpen();
      // What can be asked is the model's to say: a classifier has classes, an encoder similarities.
      const { task } = await loadInProgress((hooks) => models.ensureLoaded(hooks));
      const target = await askTarget({ explanation: explanationOf(active, place), task });
      if (target === null) return null;
      panel.show();
      return explainer.explain(place.document, { ...keepSelection(active, place), target });
    },
    contrast: async (uri) => {
      const place = await promptPlace(uri, active);
      if (place === null) return sayNothingOpen();
      const target = await askContrast(explanationOf(active, place));
      if (target === null) return null;
      panel.show();
      return explainer.explain(place.document, { ...keepSelection(active, place), target });
    },
    cancel: () => active.session?.cancel(),
    clearOverlay: () => active.session?.clear(),
    selectGranularity: async () => {
      const session = active.session;
      if (session === undefined) return;
      const granularity = await askGranularity(session.choices.granularity);
      if (granularity !== null) session.setGranularity(granularity);
    },
    toggleTemplateTokens: () => {
      const session = active.session;
      session?.setShowHidden(!session.choices.showHidden);
    },
    exportExplanation: () => {
      const view = active.session?.view;
      if (view == null) return vscode.window.showInformationMessage(t('There is no explanation to export yet.'));
      return exportExplanation(engine, (svg) => panel.draw(svg), view);
    },
  };
}

/** What is shown of a document now. */
function explanationOf(active: ActiveDocument, { document }: PromptPlace): Explanation | null {
  const { session } = active;
  return session?.uri === document.uri.toString() ? session.explanation : null;
}

/** Another target of a prompt that is already explained is asked of the same part of it. */
function keepSelection(active: ActiveDocument, place: PromptPlace): Pick<PromptPlace, 'selection'> | object {
  if (place.selection !== null) return { selection: place.selection };
  return explanationOf(active, place) === null ? { selection: null } : {};
}
