/** The texts that tools write into their blocks, read from their sources: constants, and templates with `{0}` for each value in them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { isFindable } from '../../../src/extension/renderedTexts.ts';

/** Properties of blocks that hold words; a word alone counts only here. */
const wordProperties = new Set(['title', 'caption', 'label', 'x', 'y', 'unit', 'lines', 'detail', 'details']);
/** What a reader never sees, or sees from elsewhere: descriptions of tools, errors, phases, keys. */
const otherProperties = new Set(['parameters', 'id', 'kind', 'tone', 'code', 'action', 'question', 'family', 'message']);
const otherCalls = /^(progress|onProgress|toolParameter|toolUnsupported|readComponent|seedFor|componentOf)$/;

/** Names of sites and files, and pieces of errors that no block shows. */
const notShown =
  /^([\w-]*[_.][\w.-]*|fitted-heads|path-patch|direct-logit|[a-z]+[A-Z]\w*|MLP|ECE|AUROC|Brier|nat|logit|add --.*|(neurons|heads) are ablated.*|\{0\} is (not computed before|one token, and).*)$/;

/** The files under `folder` that write blocks, or words for those that do. */
export function blockSources(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files
    .filter((file) => !/^(export|faithfulness|tools)\b/.test(file))
    .map((file) => path.join(folder, file))
    .filter(
      (file) =>
        /(Blocks|[rR]eport|whatIfs|headLabels|directLogit[\\/]components|chainReport)\.ts$/.test(file) ||
        readFileSync(file, 'utf8').includes('inspection/blocks'),
    )
    .sort();
}

/** In the order of the file. */
export function blockMessages(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node, isWord: boolean): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node) || ts.isThrowStatement(node) || ts.isElementAccessExpression(node))
      return;
    if (ts.isCallExpression(node) && otherCalls.test(node.expression.getText())) return;
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsEqualsEqualsToken) return;
    if (ts.isPropertyAssignment(node)) {
      const name = node.name.getText();
      if (otherProperties.has(name)) return;
      visit(node.initializer, wordProperties.has(name));
      return;
    }
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) add(node.text, isWord);
    else if (ts.isTemplateExpression(node)) {
      add(
        node.templateSpans.reduce((text, span, at) => `${text}{${at}}${span.literal.text}`, node.head.text),
        isWord,
      );
      for (const span of node.templateSpans) visit(span.expression, false);
    } else ts.forEachChild(node, (child) => visit(child, isWord));
  };
  const add = (text: string, isWord: boolean): void => {
    const words = text.replaceAll(/\{\d\}/g, ' ').match(/\p{L}{2,}/gu) ?? [];
    const isText = words.length > 1 || (isWord && words.length > 0) || (words.length > 0 && /\{\d\}.*\{\d\}/.test(text));
    if (isText && isFindable(text) && !notShown.test(text) && !found.includes(text)) found.push(text);
  };
  visit(source, false);
  return found;
}
