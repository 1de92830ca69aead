import ts from 'typescript';
import { taskTypes } from './task-type.mjs';

/**
 * @typedef {{ file: string, line: number, column: number, message: string, hint: string }} Problem
 */

const run =
  'Run it: put `yield*` in front; or hand it to `scope.spawn(name, ...)` to run beside this thread.';
const value = 'Take its result: `yield*` in front of it.';

/**
 * Every place in `files` where a task is made and dropped, or taken for its own result.
 * @param {ts.Program} program
 * @param {readonly string[]} files
 * @returns {Problem[]} in the order of the files
 */
export function findForgottenTasks(program, files) {
  const checker = program.getTypeChecker();
  const task = taskTypes(checker);
  /** @type {Problem[]} */
  const problems = [];

  for (const file of files) {
    const source = program.getSourceFile(file);
    if (!source) throw new Error(`the program does not hold ${file}`);
    lint(source);
  }
  return problems;

  /** @param {ts.SourceFile} source */
  function lint(source) {
    const uses = new Uses(source, checker);
    /** @param {ts.Node} node */
    const visit = (node) => {
      check(node, uses);
      ts.forEachChild(node, visit);
    };
    visit(source);
  }

  /** @param {ts.Node} node @param {Uses} uses */
  function check(node, uses) {
    if (ts.isExpressionStatement(node)) {
      for (const dropped of results(node.expression)) {
        if (inert(dropped)) report(dropped, 'a task is made here and never run', run);
      }
    } else if (ts.isVariableDeclaration(node)) {
      checkVariable(node, uses);
    } else if (ts.isForOfStatement(node)) {
      if (some(node.expression))
        report(node.expression, 'a task is not a list: `for ... of` drops its result', value);
    } else if (ts.isSpreadElement(node)) {
      if (some(node.expression))
        report(node.expression, 'a task is not a list: `...` drops its result', value);
    } else if (ts.isReturnStatement(node)) {
      const { expression } = node;
      if (expression && some(expression) && inGenerator(node)) {
        report(expression, 'a task returns a task that nobody has run', 'Write `return yield* ...`.');
      }
    } else if (ts.isYieldExpression(node)) {
      if (!node.asteriskToken && node.expression && some(node.expression)) {
        report(node, '`yield` hands the task out instead of running it', 'Write `yield*`.');
      }
    } else if (ts.isAwaitExpression(node)) {
      if (some(node.expression)) report(node, '`await` does not run a task', 'Write `yield*`.');
    } else if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) {
      checkCondition(node.expression);
    } else if (ts.isForStatement(node) || ts.isConditionalExpression(node)) {
      if (node.condition) checkCondition(node.condition);
    } else if (ts.isPrefixUnaryExpression(node)) {
      if (node.operator === ts.SyntaxKind.ExclamationToken) checkCondition(node.operand);
    } else if (ts.isBinaryExpression(node)) {
      checkBinary(node);
    } else if (ts.isTemplateSpan(node)) {
      if (some(node.expression)) report(node.expression, 'a task is printed instead of its result', value);
    } else if (ts.isArrowFunction(node) || ts.isFunctionExpression(node)) {
      checkCallback(node);
    } else if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      for (const argument of node.arguments ?? []) {
        if (ts.isIdentifier(argument) || ts.isPropertyAccessExpression(argument)) checkCallback(argument);
      }
    }
  }

  /** `const x = task()` with no use of x; `const { a } = task()`. @param {ts.VariableDeclaration} node @param {Uses} uses */
  function checkVariable(node, uses) {
    if (!node.initializer) return;
    const made = bare(node.initializer);
    if (!ts.isIdentifier(node.name)) {
      if (some(made)) report(made, 'a task is taken apart instead of its result', value);
    } else if (inert(made) && !isExported(node) && !uses.isUsed(node.name)) {
      report(made, `the task in "${node.name.text}" is made here and never run`, run);
    }
  }

  /** A task is an object, hence always true. @param {ts.Expression} condition */
  function checkCondition(condition) {
    const asked = bare(condition);
    if (every(asked)) report(asked, 'a task is always true: its result is not looked at', value);
  }

  /** @param {ts.BinaryExpression} node */
  function checkBinary(node) {
    const kind = node.operatorToken.kind;
    if (kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken) {
      checkCondition(node.left);
    } else if (comparisons.has(kind)) {
      for (const side of [node.left, node.right]) {
        if (every(side)) report(side, 'a task is compared instead of its result', value);
      }
    }
  }

  /**
   * A function that makes a task, given where a callback without result is wanted: nobody will run what it makes.
   * @param {ts.Expression} given
   */
  function checkCallback(given) {
    const wanted = checker.getContextualType(given);
    if (!wanted) return;
    const expected = signatures(wanted);
    if (expected.length === 0 || !expected.every((one) => returnsVoid(one) || isVitest(one))) return;
    const type = checker.getTypeAtLocation(given);
    if (!type.getCallSignatures().some((signature) => task.inert(signature.getReturnType()))) return;
    report(
      given,
      'this callback makes a task, and its caller expects nothing back',
      'Spawn a thread in it: `() => { scope.spawn(name, ...); }`.',
    );
  }

  /** @param {ts.Type} wanted */
  function signatures(wanted) {
    const types = wanted.isUnion() ? wanted.types : [wanted];
    return types.flatMap((type) => [...type.getCallSignatures()]);
  }

  /** @param {ts.Signature} signature */
  function returnsVoid(signature) {
    return (signature.getReturnType().flags & ts.TypeFlags.Void) !== 0;
  }

  /** The body of a test: vitest takes any result, and runs no task. @param {ts.Signature} signature */
  function isVitest(signature) {
    return /\/node_modules\/@?vitest\//.test(signature.declaration?.getSourceFile().fileName ?? '');
  }

  /** @param {ts.Expression} expression */
  function inert(expression) {
    return task.inert(checker.getTypeAtLocation(expression));
  }

  /** @param {ts.Expression} expression */
  function some(expression) {
    return task.some(checker.getTypeAtLocation(expression));
  }

  /** @param {ts.Expression} expression */
  function every(expression) {
    return task.every(checker.getTypeAtLocation(expression));
  }

  /** @param {ts.Node} node @param {string} message @param {string} hint */
  function report(node, message, hint) {
    const source = node.getSourceFile();
    const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
    problems.push({ file: source.fileName, line: line + 1, column: character + 1, message, hint });
  }
}

const comparisons = new Set([
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ts.SyntaxKind.LessThanToken,
  ts.SyntaxKind.LessThanEqualsToken,
  ts.SyntaxKind.GreaterThanToken,
  ts.SyntaxKind.GreaterThanEqualsToken,
]);

/** Without parentheses, casts, `void` and the like. @param {ts.Expression} expression @returns {ts.Expression} */
function bare(expression) {
  if (
    ts.isParenthesizedExpression(expression) ||
    ts.isAsExpression(expression) ||
    ts.isSatisfiesExpression(expression) ||
    ts.isNonNullExpression(expression) ||
    ts.isTypeAssertionExpression(expression) ||
    ts.isVoidExpression(expression)
  ) {
    return bare(expression.expression);
  }
  return expression;
}

/**
 * The expressions whose values a statement throws away: both arms of a condition, the right side of `&&`, every part
 * of a comma. An assignment keeps its value.
 * @param {ts.Expression} expression @returns {ts.Expression[]}
 */
function results(expression) {
  const inner = bare(expression);
  if (ts.isConditionalExpression(inner)) return [...results(inner.whenTrue), ...results(inner.whenFalse)];
  if (ts.isBinaryExpression(inner)) {
    const kind = inner.operatorToken.kind;
    if (kind === ts.SyntaxKind.CommaToken) return [...results(inner.left), ...results(inner.right)];
    if (
      kind === ts.SyntaxKind.AmpersandAmpersandToken ||
      kind === ts.SyntaxKind.BarBarToken ||
      kind === ts.SyntaxKind.QuestionQuestionToken
    ) {
      return results(inner.right);
    }
    if (kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment) return [];
  }
  return [inner];
}

/** @param {ts.Node} node */
function inGenerator(node) {
  for (let at = node.parent; at; at = at.parent) {
    if (ts.isFunctionLike(at)) return 'asteriskToken' in at && at.asteriskToken !== undefined;
  }
  return false;
}

/** @param {ts.VariableDeclaration} node */
function isExported(node) {
  return (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Export) !== 0;
}

/** Who reads which variable in one file; looked up only when a task is kept in a variable. */
class Uses {
  /** @param {ts.SourceFile} source @param {ts.TypeChecker} checker */
  constructor(source, checker) {
    this.source = source;
    this.checker = checker;
    /** @type {Set<ts.Symbol> | undefined} */
    this.read = undefined;
  }

  /** Looking at it for nothing (`x;`, `void x`) is no use. @param {ts.Identifier} name */
  isUsed(name) {
    this.read ??= this.collect();
    const symbol = this.checker.getSymbolAtLocation(name);
    return symbol === undefined || this.read.has(symbol);
  }

  collect() {
    /** @type {Set<ts.Symbol>} */
    const read = new Set();
    /** @param {ts.Node} node */
    const visit = (node) => {
      if (ts.isIdentifier(node) && isRead(node)) {
        const symbol = ts.isShorthandPropertyAssignment(node.parent)
          ? this.checker.getShorthandAssignmentValueSymbol(node.parent)
          : ts.isExportSpecifier(node.parent)
            ? this.checker.getExportSpecifierLocalTargetSymbol(node.parent)
            : this.checker.getSymbolAtLocation(node);
        if (symbol) read.add(symbol);
      }
      ts.forEachChild(node, visit);
    };
    visit(this.source);
    return read;
  }
}

/** @param {ts.Identifier} node */
function isRead(node) {
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) && parent.name === node) return false;
  if (
    ts.isBinaryExpression(parent) &&
    parent.left === node &&
    parent.operatorToken.kind === ts.SyntaxKind.EqualsToken
  ) {
    return false;
  }
  /** @type {ts.Node} */
  let at = node;
  while (ts.isParenthesizedExpression(at.parent) || ts.isVoidExpression(at.parent)) at = at.parent;
  return !ts.isExpressionStatement(at.parent);
}
