/** The way through the gateway, and who takes it. */
export interface GatewayRoute {
  /** of `sluice gateway`, such as http://127.0.0.1:9466 */
  url: string;
  /** null: it needs none */
  token: string | null;
  /** the interpreter that runs Sluice's client for Python; null: records are posted by this process */
  python: string | null;
  /** of the processes that send */
  environment: NodeJS.ProcessEnv;
}

/** The name of the sender in the accounts. */
export function senderName({ python }: GatewayRoute): string {
  return python === null ? 'fetch, through the gateway' : 'Python client, through the gateway';
}

/** What a sender says became of records, as far as it knows. */
export interface SenderCounts {
  /** no room, or unsent at the end */
  dropped: number;
  /** for their content, by Redis or by the gateway */
  refused: number;
  /** given up at the end after they were sent and not answered: perhaps stored */
  inDoubt: number;
}
