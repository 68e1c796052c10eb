import { defineConfig, type RolldownOptions } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';
import manifest from './producers/package.json' with { type: 'json' };

/** Builds the SDK, the package in producers/: what it needs of shared/ goes into it, its dependencies do not. */
const common: RolldownOptions = {
  input: './producers/index.ts',
  external: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
  platform: 'node',
  transform: { target: 'node20.19' },
  treeshake: { moduleSideEffects: false },
  logLevel: 'warn',
  checks: { bundlerTimings: false },
};

/** What needs the clients of Redis becomes files of its own, which are loaded when there is something to send. */
function code(format: 'esm' | 'cjs', extension: string): RolldownOptions {
  return {
    ...common,
    output: {
      dir: 'producers/dist',
      format,
      entryFileNames: `index.${extension}`,
      chunkFileNames: `[name].${extension}`,
      // Jest has no import() in CommonJS.
      dynamicImportInCjs: false,
    },
  };
}

/** The types in one file, from what tsc has written. */
const types: RolldownOptions = {
  ...common,
  input: './producers/dist/types/producers/index.d.ts',
  // All but our own files: what a declaration does not use is left out.
  external: /^[^./]/,
  plugins: [dts({ dtsInput: true })],
  output: { dir: 'producers/dist', format: 'esm', entryFileNames: 'index.d.ts' },
};

export default defineConfig([code('esm', 'js'), code('cjs', 'cjs'), types]);
