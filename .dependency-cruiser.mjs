/** Who may import whom. Imports of types count, as do those that are made later by `import()`. */

/** For each folder the others that it may import. CONTRIBUTING.md tells the same in words. */
const mayImport = {
  shared: [],
  contracts: ['shared'],
  prisma: ['shared'],
  producers: ['shared'],
  archive: ['shared'],
  'dead-letters': ['shared', 'producers'],
  names: ['shared'],
  erasure: ['shared', 'producers', 'archive', 'dead-letters', 'names'],
  queries: ['shared', 'archive', 'dead-letters'],
  doctor: ['shared', 'prisma', 'dead-letters', 'queries', 'gateway'],
  gateway: ['shared', 'producers'],
  workers: ['shared', 'archive', 'dead-letters'],
  console: ['shared', 'producers', 'dead-letters', 'names', 'erasure', 'queries', 'doctor'],
  dev: ['shared', 'prisma', 'workers', 'console'],
  demo: ['shared', 'producers', 'queries', 'dev'],
  cli: [
    'shared',
    'prisma',
    'producers',
    'archive',
    'dead-letters',
    'names',
    'erasure',
    'queries',
    'doctor',
    'gateway',
    'workers',
    'console',
    'dev',
    'demo',
  ],
};

/** The same within `workers`: a role imports no other role. */
const workersMayImport = {
  runtime: [],
  partitions: ['runtime'],
  ingest: ['runtime'],
  'execution-log': ['runtime', 'partitions', 'ingest'],
  'completed-requests': ['runtime', 'ingest'],
  'health-events': ['runtime'],
  maintenance: ['runtime', 'partitions'],
};

/** Within the SDK: both observers stand on `core`, and neither on the other. */
const producersMayImport = {
  core: ['spill'],
  spill: ['core'],
  executions: ['core'],
  requests: ['core', 'spill'],
};

const folders = (parent, allowed) =>
  Object.entries(allowed).map(([name, others]) => {
    const barred = Object.keys(allowed).filter((other) => other !== name && !others.includes(other));
    if (parent === '') barred.push('bench', 'test');
    return {
      name: `${parent}${name} imports ${others.length === 0 ? 'no other folder' : `${others.join(', ')} only`}`,
      from: { path: `^${parent}${name}/` },
      to: { path: `^${parent}(${barred.join('|')})/`, pathNot: '^prisma/client/' },
    };
  });

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no circles', from: {}, to: { circular: true } },
    { name: 'what is imported is there', from: {}, to: { couldNotResolve: true } },
    {
      name: 'nothing imports a main: it is where a process starts',
      from: {},
      to: { path: '(^|/)main\\.(ts|js)$', pathNot: 'node_modules/' },
    },
    ...folders('', mayImport),
    ...folders('workers/', workersMayImport),
    ...folders('producers/', producersMayImport),
    {
      name: 'contracts import contracts only, and no package but zod',
      from: { path: '^shared/contracts/' },
      to: { pathNot: ['^shared/contracts/', 'node_modules/zod/', '^(node:)?crypto$'] },
    },
    {
      name: 'the one door to Redis is shared/platform/redis',
      from: {
        pathNot: [
          '^shared/platform/redis/(redis|redis-guard|redis-cluster|cluster-nodes)\\.ts$',
          '^dev/servers/redis(-cluster)?\\.ts$',
          '^(bench|test)/',
        ],
      },
      to: { path: 'node_modules/ioredis/' },
    },
    {
      name: 'the door to PostgreSQL is shared/platform/postgres',
      from: {
        pathNot: [
          '^shared/platform/postgres/(copy-query|database|failover-pool|forgetful-adapter|self-contained-client)\\.ts$',
          '^prisma/',
          '^prisma\\.config\\.ts$',
          '^dev/servers/postgres\\.ts$',
          '^dev/migrations/schema-engine\\.ts$',
          '^(bench|test)/',
        ],
      },
      to: { path: ['node_modules/(@types/)?pg/', 'node_modules/@prisma/', '^prisma/client/'] },
    },
    {
      name: 'the demo does not check the reader of bodies by itself',
      from: { path: '^demo/' },
      to: { path: '^shared/facts/' },
    },
    {
      name: 'the page imports the page only',
      // Its types are those of the server's schemas; nothing of them reaches the browser.
      from: { path: '^console/page/', pathNot: '^console/page/types\\.d\\.ts$' },
      to: { pathNot: ['^console/(page|vendor)/'] },
    },
  ].map((rule) => ({ severity: 'error', ...rule })),
  options: {
    doNotFollow: { path: ['node_modules', '^prisma/client/'] },
    exclude: { path: ['^dist/', '^producers/dist/', '^\\.sluice/', '^test/package/services/'] },
    // By its own copy of TypeScript 6: version 7 has no parser that other programs can call, and swc's stops at `using`.
    parser: 'tsc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.d.ts'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
};
