/** Where the original keeps the id of the last entry that a consumer has processed: plain text, without expiry. */
export function offsetKey(service: string, label: string): string {
  return `${service}:stream_offsets:${Buffer.from(label).toString('base64url')}`;
}
