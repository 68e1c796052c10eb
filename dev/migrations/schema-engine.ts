import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type SqlDriverAdapter,
} from '@prisma/driver-adapter-utils';
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

const schemaFile = fileURLToPath(new URL('../../prisma/schema.prisma', import.meta.url));

/** The data model in the form that the engine expects. */
export async function readSchema() {
  return { files: [{ path: schemaFile, content: await readFile(schemaFile, 'utf8') }] };
}

/**
 * Prisma's own schema engine, compiled to WebAssembly, so that it need not be downloaded. It only compares; prisma/migrate.ts
 * applies migrations. `close` ends its connections.
 */
export async function createSchemaEngine(pool: pg.PoolConfig) {
  await loadGlue();
  const { files } = await readSchema();
  const adapters = new CatalogueAdapter({ ...pool, Client: CatalogueClient });
  const engine = await glue.SchemaEngine.new(
    { datamodels: files.map(({ path, content }) => [path, content]) },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(adapters),
  );
  return {
    engine,
    async close(): Promise<void> {
      engine.free();
      await adapters.close();
    },
  };
}

/**
 * The catalogue describes how a table is partitioned in columns of the internal type "char", for which the adapter has no name:
 * it knows only arrays of the type. So the driver's answer declares such a column as an array, which no query of the engine
 * returns, and the adapter's answer declares it as a character again.
 */
const charOid = 18;
const charArrayOid = 1002;

class CatalogueClient extends pg.Client {
  // The driver's overloads cannot be redeclared one by one. A pool passes a callback, all others get a promise.
  override query(...args: unknown[]): never {
    const callback = args.at(-1);
    const query = super.query as (...args: unknown[]) => unknown;
    if (typeof callback === 'function') {
      const renamed = (error: unknown, result?: pg.QueryArrayResult) =>
        callback(error, result && renameCharColumns(result));
      return query.call(this, ...args.slice(0, -1), renamed) as never;
    }
    const result = query.call(this, ...args);
    return (result instanceof Promise ? result.then(renameCharColumns) : result) as never;
  }
}

function renameCharColumns(result: pg.QueryArrayResult | pg.QueryArrayResult[]): unknown {
  for (const { fields = [] } of Array.isArray(result) ? result : [result]) {
    for (const field of fields) if (field.dataTypeID === charOid) field.dataTypeID = charArrayOid;
  }
  return result;
}

class CatalogueAdapter extends PrismaPg {
  readonly #open: SqlDriverAdapter[] = [];

  override async connect() {
    const adapter = withCharacterColumns(await super.connect());
    this.#open.push(adapter);
    return adapter;
  }

  /** The engine keeps its connections until the process ends. */
  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((adapter) => adapter.dispose()));
  }
}

function withCharacterColumns<A extends SqlDriverAdapter>(adapter: A): A {
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    const { Character, CharacterArray } = ColumnTypeEnum;
    return { ...result, columnTypes: result.columnTypes.map((type) => (type === CharacterArray ? Character : type)) };
  };
  return adapter;
}

/** The part of the global that is used here; TypeScript declares it only together with the DOM. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: Record<string, object>): Promise<{ exports: Record<string, unknown> }>;
};

let loading: Promise<void> | null = null;

/** The package's own entry needs a bundler to load its WebAssembly; this does once what a bundler would do. */
function loadGlue(): Promise<void> {
  loading ??= (async () => {
    const require = createRequire(import.meta.url);
    const file = join(dirname(require.resolve('@prisma/schema-engine-wasm/schema_engine_bg')), 'schema_engine_bg.wasm');
    const module = await WebAssembly.compile(await readFile(file));
    const { exports } = await WebAssembly.instantiate(module, {
      './schema_engine_bg.js': { ...glue, ...idleTimers() },
    });
    glue.__wbg_set_wasm(exports);
    (exports['__wbindgen_start'] as () => void)();
  })();
  return loading;
}

/** The engine never clears the timer that limits its wait for the lock: it would keep a process alive for ten seconds. */
function idleTimers(): Record<string, unknown> {
  const names = Object.keys(glue).filter((name) => name.startsWith('__wbg_setTimeout_'));
  return Object.fromEntries(
    names.map((name) => [name, (callback: () => void, ms: number) => setTimeout(callback, ms >>> 0).unref()]),
  );
}
