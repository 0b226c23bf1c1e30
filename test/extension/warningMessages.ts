/** The messages of warnings and the reasons of verdicts, read from the sources of what the engine runs: constants, and templates with `{0}` for each value in them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const folders = [
  'src/analysis',
  'src/attribution',
  'src/engine',
  'src/prompt',
  'src/remote',
  'src/llama',
  'src/onnx',
  'src/model',
];
/** What is called with a reason that stands in a warning, and at which place. */
const reasonCalls: Readonly<Record<string, number>> = { notMeasured: 0, gapWarning: 1 };

export function warningMessages(): string[] {
  const found = new Set<string>();
  for (const folder of folders) {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('.ts')) for (const message of messagesOf(path.join(folder, name))) found.add(message);
    }
  }
  return [...found];
}

function messagesOf(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const constants = new Map<string, ts.Expression>();
  const written: ts.Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.initializer !== undefined) constants.set(node.name.getText(), node.initializer);
    // A function of one line that words a reason.
    if (ts.isFunctionDeclaration(node) && node.body?.statements.length === 1) {
      const [only] = node.body.statements;
      if (only !== undefined && ts.isReturnStatement(only) && only.expression !== undefined)
        constants.set(node.name?.text ?? '', only.expression);
    }
    if (ts.isObjectLiteralExpression(node) && isWarning(node)) written.push(...node.properties.flatMap(messageOf));
    if (ts.isObjectLiteralExpression(node) && file.endsWith('verdict.ts')) written.push(...node.properties.flatMap(reasonOf));
    if (ts.isCallExpression(node)) {
      const reason = node.arguments[reasonCalls[node.expression.getText()] ?? -1];
      if (reason !== undefined) written.push(reason);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return written.flatMap((expression) => textsOf(expression, constants));
}

const isWarning = (node: ts.ObjectLiteralExpression) =>
  node.properties.some((property) => ts.isPropertyAssignment(property) && /^'W_\w+'$/.test(property.initializer.getText()));

function messageOf(property: ts.ObjectLiteralElementLike): ts.Expression[] {
  if (property.name?.getText() !== 'message') return [];
  if (ts.isPropertyAssignment(property)) return [property.initializer];
  return ts.isShorthandPropertyAssignment(property) ? [property.name] : [];
}

/** What a verdict says, and what a function words inside it. */
function reasonOf(property: ts.ObjectLiteralElementLike): ts.Expression[] {
  if (property.name?.getText() !== 'reason' || !ts.isPropertyAssignment(property)) return [];
  const { initializer } = property;
  const body = ts.isArrowFunction(initializer) ? initializer.body : initializer;
  if (ts.isBlock(body)) throw new Error(`${body.getText()} is no text`);
  const spans = ts.isTemplateExpression(body) ? body.templateSpans.map(({ expression }) => expression) : [];
  return [body, ...spans.filter(ts.isCallExpression).filter(({ expression }) => ts.isIdentifier(expression))];
}

/** One text for each branch; none for what is handed in from elsewhere. */
function textsOf(node: ts.Expression, constants: ReadonlyMap<string, ts.Expression>): string[] {
  if (ts.isConditionalExpression(node)) return [...textsOf(node.whenTrue, constants), ...textsOf(node.whenFalse, constants)];
  if (ts.isIdentifier(node)) {
    const constant = constants.get(node.text);
    return constant === undefined ? [] : textsOf(constant, constants);
  }
  if (ts.isCallExpression(node)) return textsOf(node.expression, constants);
  let values = 0;
  const pieces = (part: ts.Expression): string => {
    if (ts.isBinaryExpression(part)) return pieces(part.left) + pieces(part.right);
    if (ts.isStringLiteralLike(part)) return part.text;
    if (!ts.isTemplateExpression(part)) throw new Error(`${part.getText()} is no text`);
    return part.templateSpans.reduce((text, { literal }) => `${text}{${values++}}${literal.text}`, part.head.text);
  };
  const isText = ts.isBinaryExpression(node) || ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
  return isText ? [pieces(node)] : [];
}
