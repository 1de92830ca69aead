/**
 * The constants of the benchmark, each with why it is what it is. Programs compute so many instructions for a byte that they
 * read; what the compiler finds on the system has so many bytes.
 */
import { fitted, type NotedCost, prior } from '@backplane/slots';

const local = 'Andrew on a local disk, warm: 249 s, for the sum of the passes; their proportions are a guess';

type Name =
  | `${'preprocess' | 'compile' | 'optimise' | 'assemble' | 'link' | 'scan'}InstructionsPerByte`
  | 'headerBytes'
  | 'libraryBytes';

export const andrewConstants: { readonly [N in Name]: NotedCost } = {
  preprocessInstructionsPerByte: /* @__PURE__ */ fitted(12, local),
  compileInstructionsPerByte: /* @__PURE__ */ fitted(57, local),
  optimiseInstructionsPerByte: /* @__PURE__ */ fitted(36, local),
  assembleInstructionsPerByte: /* @__PURE__ */ fitted(31, local),
  linkInstructionsPerByte: /* @__PURE__ */ fitted(5, local),
  scanInstructionsPerByte: /* @__PURE__ */ prior(10, 'grep and wc look at each byte once'),
  headerBytes: /* @__PURE__ */ fitted(12_250, 'Andrew on a local disk, warm: writes 34.4 KB/s, 8.8 MB'),
  libraryBytes: /* @__PURE__ */ fitted(270_000, 'Andrew on a local disk, warm: reads 54.9 KB/s, 14.0 MB'),
};
