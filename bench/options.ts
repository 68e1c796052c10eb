import { parseArgs } from 'node:util';
import { UsageError } from '../shared/platform/errors.ts';

const commands = ['faults', 'reads', 'scale', 'peers', 'growth', 'gateway'];
const parts = ['end-to-end', 'record', 'requests', 'health'] as const;
export type Part = (typeof parts)[number];

/** The parsed command line. */
export interface BenchOptions {
  /** that a fast contender stores in one run */
  rows: number;
  only: Part | null;
  /** one JSON object instead of the tables */
  json: boolean;
  /** null: measure the speed; otherwise what faults do to the records, and how long PostgreSQL is away */
  faults: { outageSeconds: number } | null;
  /** null: nothing is read; otherwise the number of rows in the table that the console reads */
  reads: { rows: number } | null;
  /** whether fleets of several sizes are measured */
  scale: boolean;
  /** whether the queues of others are measured beside Sluice */
  peers: boolean;
  /** null: nothing grows; otherwise the rows that today's partition has, ascending, and how long a steady load lasts */
  growth: { rows: number[]; minutes: number } | null;
  /** null: the gateway is not measured; otherwise for how long its memory is watched */
  gateway: { minutes: number } | null;
}

/** With this many, all parts together take about seven minutes on two cores. */
const defaultRows = 30_000;

/** For the console to read; creating them takes about three minutes. */
const defaultReadRows = 1_000_000;

/** Rows in today's partition: making them takes about ten minutes. */
const defaultSizes = '0,1000000,5000000,10000000';

/** Of steady load. */
const defaultMinutes = 30;
/** Heap and pools fill in the first minutes. */
const defaultGatewayMinutes = 10;

/** With this duration, all faults together take about four minutes. */
const defaultOutageSeconds = 60;

export const usage = `npm run bench -- [--rows N] [--only ${parts.join('|')}] [--json]
npm run bench -- faults [--outage-seconds N] [--json]
npm run bench -- reads [--rows N] [--json]
npm run bench -- scale [--rows N] [--json]
npm run bench -- peers [--rows N] [--json]
npm run bench -- growth [--rows N,N,…] [--minutes M] [--json]
npm run bench -- gateway [--rows N] [--minutes M] [--json]

  faults      how a fleet comes through kills and outages; exit code 1 if a record is lost or stored twice
  reads       the console's questions about a strategy with ${defaultReadRows.toLocaleString('en')} rows (or --rows), against the original's
              queries, and about as many requests; exit code 1 if a plan reads more than it needs
  scale       1, 2 and 4 workers on 1 and 4 shards, on one Redis and on a cluster of three: rows per second, and what a row
              costs in CPU, by process; the queue without PostgreSQL; records of two sizes
  peers       graphile-worker, pg-boss and the shape of Langfuse beside Sluice, COPY and the insert statement: rows per
              second, and what a row costs in CPU, by process; npm installs the first two into a folder of their own
  growth      rows per second, CPU of a row and reads with more and more rows in today's partition (${defaultSizes},
              or --rows), and the memory of the workers under a steady load of half the rate
  gateway     the same rows by the SDK and through the gateway: rows per second, CPU of a row, and the memory of the gateway
              beside idle, slow and hostile connections
  --outage-seconds N  how long PostgreSQL is away (${defaultOutageSeconds})
  --minutes M how long the steady load lasts (${defaultMinutes}, of the gateway ${defaultGatewayMinutes}); 0: none
  --rows N    rows, or events, in one run of a fast contender; the slow ones store a share of them (${defaultRows})
  --only      end-to-end: rows per second and latency; record: what record() costs its caller; requests: completed
              requests against the original's design, and memory in a surge; health: health events against the
              loop of the original
  --json      print one JSON object with the figures, as the last line of standard output
  --help      print this`;

/**
 * Parses the arguments; null if help is requested.
 *
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): BenchOptions | null {
  const { values, positionals } = parse(args);
  if (values.help) return null;
  const [command, ...more] = positionals;
  if (more.length > 0 || (command !== undefined && !commands.includes(command)))
    throw new UsageError(`unknown argument ${JSON.stringify(positionals.join(' '))}`);
  const growth = command === 'growth' ? readGrowth(values) : null;
  const rows = Number(
    (growth === null ? values.rows : undefined) ?? (command === 'reads' ? defaultReadRows : defaultRows),
  );
  if (!(Number.isSafeInteger(rows) && rows >= 100))
    throw new UsageError('--rows must be a whole number of at least 100');
  const only = parts.find((part) => part === values.only) ?? null;
  if (values.only !== undefined && only === null) throw new UsageError(`--only must be one of ${parts.join(', ')}`);
  const outageSeconds = Number(values['outage-seconds'] ?? defaultOutageSeconds);
  if (!(outageSeconds >= 1 && outageSeconds <= 3_600)) throw new UsageError('--outage-seconds must be 1 to 3600');
  return {
    rows,
    only,
    json: values.json ?? false,
    faults: command === 'faults' ? { outageSeconds } : null,
    reads: command === 'reads' ? { rows } : null,
    scale: command === 'scale',
    peers: command === 'peers',
    growth,
    gateway: command === 'gateway' ? { minutes: readMinutes(values.minutes, defaultGatewayMinutes) } : null,
  };
}

function readGrowth({ rows: list = defaultSizes, minutes: text }: { rows?: string; minutes?: string }) {
  const rows = list.split(',').map(Number);
  const isAscending = rows.every((size, index) => index === 0 || size > (rows[index - 1] as number));
  if (!(isAscending && rows.every((size) => Number.isSafeInteger(size) && size >= 0)))
    throw new UsageError('--rows must be whole numbers in ascending order, separated by commas');
  return { rows, minutes: readMinutes(text, defaultMinutes) };
}

function readMinutes(text: string | undefined, unlessGiven: number): number {
  const minutes = Number(text ?? unlessGiven);
  if (!(minutes >= 0 && minutes <= 1_440)) throw new UsageError('--minutes must be 0 to 1440');
  return minutes;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rows: { type: 'string' },
        only: { type: 'string' },
        'outage-seconds': { type: 'string' },
        minutes: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
