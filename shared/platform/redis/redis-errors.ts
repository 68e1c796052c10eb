/** Why a command failed, grouped by how the caller should react. */
export type RedisErrorClass =
  /** there is no connection, or the client gave up waiting: the same will work later */
  | 'unreachable'
  /** it was sent, and no reply came: an outage, or the server or a proxy would not read it */
  | 'unanswered'
  /** the server says that it cannot now: it loads, is a replica, fails over, runs a long script, or cannot write to its disk */
  | 'unavailable'
  /** out of memory: what adds is refused until something is taken away */
  | 'full'
  /** everything of this kind is refused until a person mends something: rights, password, cluster, a command that is not there */
  | 'setup'
  /** what was sent is refused for what it is, and always will be */
  | 'payload'
  /** BullMQ's own answer about a job: its lock was lost, it is gone, it is in another state */
  | 'job'
  /** an answer that is none of these: a key of another type, a script that fails */
  | 'unknown'
  /** no error of Redis, nor of the way to it */
  | 'foreign';

export interface ClassifiedRedisError {
  class: RedisErrorClass;
  /** the word in capitals that the answer begins with, or a name where there is none, such as `ECONNREFUSED` */
  code: string;
}

/**
 * Classes by the first word of an answer.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
const byCode: Record<string, RedisErrorClass> = {
  OOM: 'full',
  LOADING: 'unavailable',
  READONLY: 'unavailable',
  MASTERDOWN: 'unavailable',
  NOREPLICAS: 'unavailable',
  NOGOODSLAVE: 'unavailable',
  CLUSTERDOWN: 'unavailable',
  TRYAGAIN: 'unavailable',
  BUSY: 'unavailable',
  MISCONF: 'unavailable',
  NOAUTH: 'setup',
  WRONGPASS: 'setup',
  NOPERM: 'setup',
  DENIED: 'setup',
  MOVED: 'setup',
  ASK: 'setup',
  CROSSSLOT: 'setup',
  NOPROTO: 'setup',
};

/** Answers that begin with no word of their own, or whose word says too little. */
const byMessage: [pattern: RegExp, class_: RedisErrorClass, code: string][] = [
  [/^ERR Protocol error\b/, 'payload', 'PROTOCOL'],
  [/\bstring exceeds maximum allowed size\b/, 'payload', 'TOOLARGE'],
  [/^ERR unknown (sub)?command\b/i, 'setup', 'UNKNOWNCOMMAND'],
  [/^ERR max number of clients reached\b/, 'unavailable', 'MAXCLIENTS'],
  [/^ERR (DB index is out of range|invalid DB index)/, 'setup', 'NODATABASE'],
  // Inside a script, older servers say these in words.
  [/\buser executing the script\b|\bcan't run this command or subcommand\b/, 'setup', 'NOPERM'],
  [/\bcluster is down\b/, 'unavailable', 'CLUSTERDOWN'],
  // A script met a key whose slot is being moved: all keys of ours that are in one script are in one slot.
  [/\bnon local key in a cluster node\b/, 'unavailable', 'TRYAGAIN'],
  [/^-?MISCONF\b/, 'unavailable', 'MISCONF'],
];

/** Messages of the client library, which have no code. */
const clientMessages: [pattern: RegExp, class_: RedisErrorClass][] = [
  [/^Command aborted due to connection close$/, 'unanswered'],
  [/^Connection is closed\.?$/, 'unreachable'],
  [/^Stream isn't writeable/, 'unreachable'],
  [/^redis is not connected\b/, 'unreachable'],
  [/^redis did not answer in time$/, 'unanswered'],
  [/^Reached the max retries per request limit/, 'unanswered'],
  [/^(None of startup nodes is available|Cluster is ended|Cluster isn't ready)\b/, 'unreachable'],
  [/^All sentinels are unreachable\b/, 'unreachable'],
  [/^(Socket|Command|Connect)\b.*\btimed?\s?out\b/i, 'unreachable'],
];

/** What a JavaScript engine says of a text longer than it can hold. */
const isTooLongText = (error: Error & { code?: unknown }): boolean =>
  error.code === 'ERR_STRING_TOO_LONG' || (error instanceof RangeError && /string length/i.test(error.message));

/** What Node.js says of a certificate that it, or the server, does not accept: the same will not work until a person mends it. */
const isCertificateError = ({ code }: { code?: unknown }): boolean =>
  typeof code === 'string' &&
  /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_(GET|VERIFY)_|(DEPTH_ZERO_)?SELF_SIGNED_CERT)/.test(code);

/** Sorts whatever a command was rejected with. Never throws. */
export function classifyRedisError(thrown: unknown): ClassifiedRedisError {
  if (!(thrown instanceof Error)) return { class: 'foreign', code: 'unknown' };
  const error: Error & { code?: unknown; syscall?: unknown; previousErrors?: unknown } = thrown;
  if (typeof error.code === 'number' && error.code < 0) return { class: 'job', code: String(error.code) };
  if (error.name === 'ReplyError') return classifyReply(error.message);
  // A transaction that was given up says less than the command in it that was refused.
  if (Array.isArray(error.previousErrors)) {
    const [cause] = error.previousErrors.filter((one) => one instanceof Error && one.name === 'ReplyError');
    if (cause !== undefined) return classifyRedisError(cause);
  }
  if (isCertificateError(error)) return { class: 'setup', code: String(error.code) };
  if (isTooLongText(error)) return { class: 'payload', code: 'TOOLARGE' };
  if (typeof error.code === 'string' && typeof error.syscall === 'string')
    return { class: 'unreachable', code: error.code };
  // A command that was sent from node to node in vain: what the last one said.
  const [, last] = /^Too many Cluster redirections\. Last error: (?:\w*Error: )?(.*)$/s.exec(error.message) ?? [];
  if (last !== undefined) return classifyRedirected(last);
  for (const [pattern, class_] of clientMessages)
    if (pattern.test(error.message)) return { class: class_, code: 'CONNECTION' };
  if (error.name === 'RedisNearlyFullError') return { class: 'full', code: 'NEARLYFULL' };
  return { class: 'foreign', code: typeof error.code === 'string' ? error.code : error.name };
}

/** A node that is asked in vain again and again is one of a cluster that changes: the same will work later. */
function classifyRedirected(message: string): ClassifiedRedisError {
  const last = classifyReply(message);
  if (last.code === 'MOVED' || last.code === 'ASK') return { class: 'unavailable', code: 'TRYAGAIN' };
  return last.class === 'unknown' ? { class: 'unreachable', code: 'CONNECTION' } : last;
}

function classifyReply(message: string): ClassifiedRedisError {
  for (const [pattern, class_, code] of byMessage) if (pattern.test(message)) return { class: class_, code };
  const word = /^[A-Z][A-Z0-9_]+\b/.exec(message)?.[0] ?? 'ERR';
  // A script hands an error on with its own word in front or, before Redis 7, somewhere behind.
  const inner = /(?:^|[\s-])(OOM|MISCONF|READONLY|NOREPLICAS|NOPERM|WRONGTYPE|CROSSSLOT|CLUSTERDOWN|BUSY)\b/.exec(
    message,
  )?.[1];
  const code = word === 'ERR' && inner !== undefined ? inner : word;
  return { class: byCode[code] ?? 'unknown', code };
}

/** Whether an error comes from Redis, from the connection to it, or from a BullMQ script: a lock that was lost, a job that is gone. */
export function isRedisError(thrown: unknown): boolean {
  return classifyRedisError(thrown).class !== 'foreign';
}

/** Whether Redis answered with a refusal of its own, and not with one that a BullMQ script made of the job's state. */
export function isRefusal(thrown: unknown): boolean {
  return ['unavailable', 'full', 'setup', 'payload', 'unknown'].includes(classifyRedisError(thrown).class);
}

const remedies: Record<string, string> = {
  OOM: 'Redis is full: raise maxmemory, or delete data that is not needed',
  LOADING: 'the server is still loading its data from disk: wait',
  READONLY: 'the server is a replica: point REDIS_URL at the primary, or set REDIS_SENTINEL_NODES',
  MASTERDOWN: 'the server is a replica that has lost its primary: point REDIS_URL at the primary',
  NOREPLICAS: 'the server has too few replicas (min-replicas-to-write): bring them back',
  CLUSTERDOWN: 'the cluster is down: check its nodes',
  TRYAGAIN: 'the cluster is moving slots: wait',
  BUSY: 'another client runs a script that takes too long: check the server, and end the script with SCRIPT KILL',
  MISCONF: 'Redis cannot write to its disk: check disk space, file permissions and the server log',
  NOAUTH: 'the server requires a password: set it in REDIS_URL or REDIS_PASSWORD',
  WRONGPASS: 'correct the user and password (REDIS_URL, or REDIS_USERNAME and REDIS_PASSWORD)',
  NOPERM: 'the user lacks a permission: `sluice grants redis` prints the lines that give it, see docs/operations.md',
  DENIED: 'the server is in protected mode: set a password on the server and in REDIS_URL',
  MOVED:
    'REDIS_URL points at one node of a Redis Cluster, but the queue is on another node: set REDIS_CLUSTER_NODES instead',
  ASK: 'REDIS_URL points at one node of a Redis Cluster, but the queue is on another node: set REDIS_CLUSTER_NODES instead',
  CROSSSLOT:
    'the keys of one command are on several nodes of the Redis Cluster: see "Names on a cluster" in docs/redis.md',
  UNKNOWNCOMMAND:
    'the server lacks a required command: use Redis 6.2 or later, or Valkey; if it is a Sentinel, set REDIS_SENTINEL_NODES',
  MAXCLIENTS: 'the server has reached maxclients: find out who holds the connections, or raise maxclients',
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another name: set REDIS_TLS_SERVERNAME to it",
  CERT_HAS_EXPIRED: "the server's certificate has expired: renew it on the server",
  NODATABASE: 'the server has no database with this number: correct REDIS_URL',
  WRONGTYPE: 'a key of the queue has the wrong type: find out who else writes to this namespace (SLUICE_NAMESPACE)',
  PROTOCOL: 'the value is too large for the server: raise proto-max-bulk-len, or make records smaller',
  TOOLARGE: 'the value is too large for the server: raise proto-max-bulk-len, or make records smaller',
};

/**
 * One line for a person: the code, and what to do about it. Holds nothing of what was sent: answers may quote it.
 *
 * @param own remedies by code, which go before those that are known here
 */
export function explainRedisError(thrown: unknown, own: Readonly<Record<string, string>> = {}): string {
  const { code } = classifyRedisError(thrown);
  const ofKind = isCertificateError({ code })
    ? 'set REDIS_TLS_CA_FILE to the authority of the server; `sluice doctor` says more'
    : null;
  const remedy = own[code] ?? remedies[code] ?? ofKind ?? 'check the server and its log';
  const command = code === 'NOPERM' && thrown instanceof Error ? /run the '([\w|-]+)'/.exec(thrown.message)?.[1] : null;
  return `${code}${command ? ` (${command})` : ''}: ${remedy}`;
}
