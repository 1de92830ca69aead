import ts from 'typescript';

/** The parts of Math whose results the language defines to the last bit. */
const exactMath = new Set([
  ...['abs', 'ceil', 'clz32', 'floor', 'fround', 'imul', 'max', 'min', 'round', 'sign', 'sqrt', 'trunc'],
  ...['E', 'LN10', 'LN2', 'LOG10E', 'LOG2E', 'PI', 'SQRT1_2', 'SQRT2'],
]);

/** Methods whose results hang on the machine's language and time zone. */
const localMethods = /^(?:localeCompare|toLocale[A-Z]\w*)$/;

/**
 * What a source file of packages/ must not say: it runs in virtual time, on any machine, with the same bits.
 * @param {string} name
 * @param {string} text
 * @returns {{ line: number, column: number, message: string }[]}
 */
export function checkPackageSource(name, text) {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true);
  /** @type {{ line: number, column: number, message: string }[]} */
  const problems = [];
  visit(source);
  return problems;

  /** @param {ts.Node} node */
  function visit(node) {
    const message = judge(node);
    if (message) {
      const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
      problems.push({ line: line + 1, column: character + 1, message });
    }
    ts.forEachChild(node, visit);
  }
}

/** @param {ts.Node} node @returns {string | undefined} */
function judge(node) {
  if (ts.isPropertyAccessExpression(node)) {
    if (isMath(node.expression) && !exactMath.has(node.name.text)) return inexact(node.name.text);
    if (localMethods.test(node.name.text))
      return `${node.name.text}: differs between machines; compare code units`;
  } else if (ts.isIdentifier(node)) {
    if (isMath(node) && isValue(node))
      return 'Math may only be used as Math.name, so that the name can be checked';
  } else if (ts.isBinaryExpression(node)) {
    const kind = node.operatorToken.kind;
    if (kind === ts.SyntaxKind.AsteriskAsteriskToken || kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken) {
      return '`**` may differ between machines: write the number out (0x1_0000), multiply, or use pow of the engine';
    }
  } else if (ts.isExportDeclaration(node)) {
    if (!node.exportClause || ts.isNamespaceExport(node.exportClause)) {
      return '`export *`: an index names what it exports';
    }
  } else if (ts.isAwaitExpression(node)) {
    return '`await`: no promises inside virtual time';
  } else if (ts.isForOfStatement(node)) {
    if (node.awaitModifier) return '`for await`: no promises inside virtual time';
  } else if (node.kind === ts.SyntaxKind.AsyncKeyword) {
    return '`async`: no promises inside virtual time; write a Task';
  } else if (ts.isCallExpression(node)) {
    if (node.expression.kind === ts.SyntaxKind.ImportKeyword)
      return '`import()`: no promises inside virtual time';
  } else if (ts.isImportDeclaration(node)) {
    const from = node.moduleSpecifier;
    if (ts.isStringLiteral(from) && /^\.{0,2}$|^\.\.?\/.*(?<!\.ts)$/.test(from.text)) {
      return 'a relative import names its file: ./x.ts';
    }
  }
  return undefined;
}

/** @param {string} member */
function inexact(member) {
  if (member === 'random') return 'Math.random: take numbers from engine.random(purpose)';
  return `Math.${member} may differ between machines: the engine has exact ones`;
}

/** @param {ts.Node} node */
function isMath(node) {
  return ts.isIdentifier(node) && node.text === 'Math';
}

/** Not `Math.x`, which is judged as a whole, and not a name of something else. @param {ts.Identifier} node */
function isValue(node) {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return false;
  if (ts.isPropertyAssignment(parent) && parent.name === node) return false;
  return !ts.isQualifiedName(parent) && !ts.isTypeNode(parent);
}
