import ts from 'typescript';

/**
 * One program over all files: types of the workspace come from sources, by the condition in the base configuration.
 * @param {readonly string[]} files absolute paths
 * @param {string} configPath the base tsconfig
 */
export function createLintProgram(files, configPath) {
  const read = ts.readConfigFile(configPath, ts.sys.readFile);
  if (read.error) throw new Error(ts.flattenDiagnosticMessageText(read.error.messageText, '\n'));
  const { options } = ts.convertCompilerOptionsFromJson(
    read.config.compilerOptions,
    ts.sys.getCurrentDirectory(),
  );
  return ts.createProgram(files, { ...options, noEmit: true, types: ['node'] });
}
