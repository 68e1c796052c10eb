import type { GatewayConfig } from './gateway-groups.ts';

const kib = 1_024;
const mib = 1_024 * kib;

/** Bounds of what one process takes. */
export interface Limits {
  /** of a body, as it comes and decompressed */
  bodyBytes: number;
  /** of a body that is not NDJSON, which is parsed as a whole */
  jsonBytes: number;
  /** of a line of executions, and of requests */
  lineBytes: { executions: number; requests: number };
  recordsPerBody: number;
  /** of all bodies that are being read: unfinished lines, bodies that are parsed as a whole, and decompressors */
  unreadBytes: number;
}

/** What JSON that is parsed as a whole takes of the memory for bodies: the text, and several times as much for the values in it. */
export const jsonShare = 6;

/** The rows that a body stands for are cut to their own limits; a line may be larger than its row, and no more than four times. */
export function limitsOf({ producer, requests }: Pick<GatewayConfig, 'producer' | 'requests'>): Limits {
  const lineBytes = {
    executions: Math.max(mib, 4 * producer.recordMaxBytes),
    requests: 64 * kib + 4 * requests.maxBodyBytes,
  };
  const longestLine = Math.max(lineBytes.executions, lineBytes.requests);
  return {
    bodyBytes: Math.max(64 * mib, longestLine),
    jsonBytes: Math.max(16 * mib, longestLine),
    lineBytes,
    recordsPerBody: 100_000,
    unreadBytes: Math.max(128 * mib, 2 * jsonShare * longestLine),
  };
}
