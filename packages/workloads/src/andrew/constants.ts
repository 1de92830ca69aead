/**
 * The constants of the benchmark, each with why it is what it is. Programs compute so many instructions for a byte that they
 * read; what the compiler finds on the system has so many bytes.
 */
import { fitted, type NotedCost, prior } from '@backplane/slots';

const proportion = 'how much beside the compiler proper; that pass alone is fitted';

type Name =
  | `${'preprocess' | 'compile' | 'optimise' | 'assemble' | 'link' | 'scan'}InstructionsPerByte`
  | 'headerBytes'
  | 'libraryBytes';

export const andrewConstants: { readonly [N in Name]: NotedCost } = {
  preprocessInstructionsPerByte: /* @__PURE__ */ prior(12, proportion),
  compileInstructionsPerByte: /* @__PURE__ */ fitted(57, 'Andrew on a local disk, warm: 249 s'),
  optimiseInstructionsPerByte: /* @__PURE__ */ prior(36, proportion),
  assembleInstructionsPerByte: /* @__PURE__ */ prior(31, proportion),
  linkInstructionsPerByte: /* @__PURE__ */ prior(5, proportion),
  scanInstructionsPerByte: /* @__PURE__ */ prior(10, 'grep and wc look at each byte once'),
  headerBytes: /* @__PURE__ */ fitted(12_250, 'Andrew on a local disk, warm: writes 34.4 KB/s, 8.8 MB'),
  libraryBytes: /* @__PURE__ */ fitted(270_000, 'Andrew on a local disk, warm: reads 54.9 KB/s, 14.0 MB'),
};
