import type { Options } from 'tsup';

/** Build options every publishable package shares; a package's own config may override any of them. */
export const base: Options = {
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  sourcemap: true,
  clean: true,
  splitting: false,
  treeshake: false,
  minify: false,
  // Node's modules (roof only) stay as they are written.
  removeNodeProtocol: false,
  external: [/^node:/],
};
