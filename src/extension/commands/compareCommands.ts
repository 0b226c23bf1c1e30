/** One explanation beside another: the difference is drawn in place of the scores. */
import * as vscode from 'vscode';
import type { Explanation } from '../../shared/explanation.ts';
import type { FoundModel } from '../../shared/protocol/engine.ts';
import type { EngineService } from '../engineService.ts';
import type { ActiveDocument } from '../explain/activeDocument.ts';
import { askMethod } from '../explain/askMethod.ts';
import type { Comparer, Shown } from '../explain/comparer.ts';
import type { MethodCatalog } from '../explain/methodCatalog.ts';
import { methodChoices, methodLabel } from '../explain/methodChoices.ts';
import type { DocumentSession } from '../explain/session.ts';
import type { HistoryStore } from '../history/historyStore.ts';
import { t } from '../localise.ts';
import { modelItem } from '../models/modelGroups.ts';
import type { ServerAccess } from '../models/serverAccess.ts';
import { withServerKey } from './askServer.ts';
import type { CommandHandlers } from './registerCommands.ts';

type CompareCommands = Pick<CommandHandlers, 'compareWithMethod' | 'compareWithModel' | 'compareWithPrevious' | 'endComparison'>;

export function compareCommands(
  comparer: Comparer,
  active: ActiveDocument,
  methods: MethodCatalog,
  engine: Pick<EngineService, 'status'>,
  history: HistoryStore,
  find: () => Promise<readonly FoundModel[]>,
  servers: ServerAccess,
): CompareCommands {
  return {
    compareWithMethod: async (id) => {
      const [session, shown] = shownIn(active);
      if (session === null) return sayNothingShown();
      const known = await methods.read(shown.explanation.units.length);
      const others = methodChoices(known, engine.status.model, t).filter((choice) => choice.id !== shown.explanation.method.id);
      // An argument is a method's id: from a keyboard shortcut, or a test.
      const method = typeof id === 'string' ? id : await askMethod(others, t('Compare with'));
      if (method === null) return null;
      const other = await comparer.withMethod(shown, method);
      if (other === null) return null;
      const name = (of: string) => methodLabel(known, of, t);
      return session.compareWith(shown.explanation, other, name(shown.explanation.method.id), name(method));
    },
    compareWithModel: async (path) => {
      const [session, shown] = shownIn(active);
      if (session === null) return sayNothingShown();
      const file = typeof path === 'string' ? path : await askModel(await find(), engine.status.model?.file);
      if (file === null) return null;
      const other = await withServerKey(servers, file, () => comparer.withModel(shown, file));
      if (other === null) return null;
      return session.compareWith(shown.explanation, other, shown.explanation.model.name, other.model.name);
    },
    compareWithPrevious: async () => {
      const [session, shown] = shownIn(active);
      if (session === null) return sayNothingShown();
      const previous = session.previous ?? (await olderOf(history, session.uri, shown.explanation));
      if (previous === null) {
        void vscode.window.showInformationMessage(t('This prompt was explained only once.'));
        return null;
      }
      return session.compareWith(shown.explanation, previous, t('this explanation'), t('the one before'));
    },
    endComparison: () => active.session?.endComparison(),
  };
}

/** What can be compared: a finished explanation of the document that is followed. */
function shownIn({ session }: ActiveDocument): readonly [DocumentSession, Shown] | readonly [null, null] {
  if (session === undefined || session.stage !== 'final' || session.run !== null) return [null, null];
  const { explanation, prompt, target } = session;
  if (explanation === null || prompt === null || target === null) return [null, null];
  return [session, { explanation, prompt, target }];
}

/** The newest explanation of a document with another picture that the history has: a full check leaves a second entry with the same one. */
async function olderOf(history: HistoryStore, uri: string, shown: Explanation): Promise<Explanation | null> {
  const same = ({ model, prompt, method, scores, target }: Explanation) =>
    JSON.stringify([model, prompt, method, scores, target]);
  const own = same(shown);
  const ofDocument = (await history.list()).filter(({ entry }) => entry?.prompt.uri === uri);
  return ofDocument.find(({ entry }) => entry !== null && same(entry.explanation) !== own)?.entry?.explanation ?? null;
}

async function askModel(models: readonly FoundModel[], loaded: string | undefined): Promise<string | null> {
  const picked = await vscode.window.showQuickPick(models.filter(({ file }) => file !== loaded).map(modelItem), {
    title: t('Compare with'),
    placeHolder: t('It is loaded for one run, then the model of now again.'),
  });
  return picked?.file ?? null;
}

function sayNothingShown(): null {
  void vscode.window.showInformationMessage(t('Explain a prompt to its end first.'));
  return null;
}
