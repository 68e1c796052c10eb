#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fitHeapToContainer } from '../shared/platform/container-heap.ts';
import { endOnSignal } from '../shared/platform/early-signals.ts';
import { lastingCommands } from './lasting-commands.ts';

const argv = process.argv.slice(2);
const isLasting = lastingCommands.includes(argv[0] ?? '');
// A signal ends the other commands, as it ends any program, except process 1.
if (isLasting || process.pid === 1) endOnSignal(isLasting ? 0 : null);
try {
  if (existsSync('.env')) process.loadEnvFile('.env');
} catch (error) {
  process.stderr.write(`sluice: .env cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(2);
}
fitHeapToContainer(process);
// Only now the rest, which takes time to load.
const { runProgram } = await import('./program.ts');
await runProgram(argv, process.env);
