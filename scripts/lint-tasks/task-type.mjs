import ts from 'typescript';

/**
 * Whether a type is a routine that has been made and waits to be run: a generator object that yields nothing (which is
 * what `Task<...>` of the engine stands for), or `Op<...>` of the engine, or a class that implements it.
 * @param {ts.TypeChecker} checker
 */
export function taskTypes(checker) {
  /** @type {Map<ts.Type, boolean>} */
  const known = new Map();

  /** @param {ts.Type} type */
  function one(type) {
    const symbol = type.getSymbol();
    if (!symbol) return false;
    if (isGenerator(symbol)) {
      const [yielded] = argumentsOf(type);
      return yielded !== undefined && (yielded.flags & nothing) !== 0;
    }
    if (symbol.name === 'Op') return declaredInEngine(symbol);
    return (symbol.declarations ?? []).some(
      (declaration) => ts.isClassLike(declaration) && implementsOp(declaration),
    );
  }

  /** @param {ts.ClassLikeDeclaration} declaration @returns {boolean} */
  function implementsOp(declaration) {
    return (declaration.heritageClauses ?? []).some((clause) =>
      clause.types.some((heritage) => isTask(checker.getTypeAtLocation(heritage))),
    );
  }

  /** @param {ts.Type} type @returns {boolean} */
  function isTask(type) {
    const cached = known.get(type);
    if (cached !== undefined) return cached;
    known.set(type, false);
    const answer = one(type) || (type.isIntersection() && type.types.some(isTask));
    known.set(type, answer);
    return answer;
  }

  /** @param {ts.Type} type */
  function argumentsOf(type) {
    return checker.getTypeArguments(/** @type {ts.TypeReference} */ (type));
  }

  /** @param {ts.Type} type */
  function parts(type) {
    return type.isUnion() ? type.types : [type];
  }

  return {
    /**
     * Does nothing unless something is done with it: a task, any other generator object, a list of those.
     * @param {ts.Type} type
     * @returns {boolean}
     */
    inert: (type) =>
      parts(type).some((part) => {
        if (isTask(part)) return true;
        const symbol = part.getSymbol();
        if (symbol && isGenerator(symbol)) return true;
        return checker.isArrayType(part) && argumentsOf(part).some((item) => parts(item).some(isTask));
      }),
    /** May be a task: one member of a union is enough. @param {ts.Type} type */
    some: (type) => parts(type).some(isTask),
    /** Is a task whatever happens, never null, never false. @param {ts.Type} type */
    every: (type) => parts(type).every(isTask),
  };
}

const nothing = ts.TypeFlags.Void | ts.TypeFlags.Undefined | ts.TypeFlags.Never;

/** @param {ts.Symbol} symbol */
function isGenerator(symbol) {
  return symbol.name === 'Generator' && declaredIn(symbol, /\/typescript\/lib\/lib\.[^/]*\.d\.ts$/);
}

/** @param {ts.Symbol} symbol */
function declaredInEngine(symbol) {
  return declaredIn(symbol, /\/packages\/engine\/|\/@backplane\/engine\//);
}

/** @param {ts.Symbol} symbol @param {RegExp} where */
function declaredIn(symbol, where) {
  return (symbol.declarations ?? []).some((declaration) => where.test(declaration.getSourceFile().fileName));
}
