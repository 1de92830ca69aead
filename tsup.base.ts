import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Options } from 'tsup';

const compiler = fileURLToPath(new URL('node_modules/typescript7/bin/tsc', import.meta.url));

/**
 * Declarations come from the native compiler, a file for each source: bundling them takes tsup ten seconds a package,
 * this a third of one. Types of other packages are read from their sources, so builds wait for nothing.
 */
const emitDeclarations = async (): Promise<void> => {
  await promisify(execFile)(process.execPath, [
    compiler,
    ...['--project', 'tsconfig.build.json', '--emitDeclarationOnly'],
  ]);
};

/** Build options every publishable package shares; a package's own config may override any of them. */
export const base: Options = {
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  dts: false,
  onSuccess: emitDeclarations,
  sourcemap: true,
  clean: true,
  splitting: false,
  treeshake: false,
  minify: false,
  // Node's modules (roof only) stay as they are written.
  removeNodeProtocol: false,
  external: [/^node:/],
};
