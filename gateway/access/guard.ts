import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isAddressedToLoopback, signOfProxy } from '../../shared/platform/request-origin.ts';
import { Refusal } from '../http/refusal.ts';
import { hashToken } from './create-token.ts';
import type { Scope, Sender } from './sender.ts';
import type { Senders } from './senders.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** what a route takes, or that it shows the metrics; reports: any sender may ask. @default anybody may ask */
    scope?: Scope | 'reports' | 'metrics';
  }
}

/** Who may send, and who may look. */
export interface Access {
  /** null: there are no tokens */
  senders: Senders | null;
  /** null: the metrics have none */
  metricsToken: string | null;
  isClosing: () => boolean;
}

/** Decides who may send, before anything of a body is read. */
export function guardRoutes(app: FastifyInstance, { senders, metricsToken, isClosing }: Access): void {
  app.decorateRequest('sender', null);
  app.addHook('onRequest', async (request) => {
    if (senders === null) refuseOthersThanThisMachine(request);
    const { scope } = request.routeOptions.config;
    if (scope === undefined) return;
    if (scope === 'metrics') {
      refuseMetrics(tokenOf(request), metricsToken, senders !== null);
      return;
    }
    if (senders !== null) request.setDecorator('sender', admit(senders, tokenOf(request), scope));
    if (isClosing()) throw new Refusal('shutting-down', 'The gateway shuts down; send the same body again');
  });
}

/** Who sends; null where there are no tokens. */
export function senderOf(request: FastifyRequest): Sender | null {
  return request.getDecorator<Sender | null>('sender');
}

function tokenOf({ headers }: FastifyRequest): string | null {
  return /^Bearer +([\x21-\x7e]{1,500})$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}

function admit(senders: Senders, token: string | null, scope: Scope | 'reports'): Sender {
  const sender = token === null ? null : senders.find(token);
  if (sender === null)
    throw new Refusal('unauthenticated', 'This needs the token of a sender in the header Authorization: Bearer …');
  if (scope !== 'reports' && !sender.scopes.includes(scope))
    throw new Refusal('forbidden', `The token may not send ${scope}, only ${sender.scopes.join(', ')}`);
  const retryAfterSeconds = senders.quotaOf(sender).waitSeconds(sender);
  if (retryAfterSeconds > 0)
    throw new Refusal('quota-exceeded', 'The token has sent more than its quota; send the same body again later', {
      retryAfterSeconds,
    });
  return sender;
}

function refuseMetrics(token: string | null, metricsToken: string | null, hasSenders: boolean): void {
  if (metricsToken === null && !hasSenders) return;
  if (metricsToken === null)
    throw new Refusal('forbidden', 'The metrics name senders; set SLUICE_METRICS_TOKEN to show them to its bearer');
  if (token === null || !timingSafeEqual(hashToken(token), hashToken(metricsToken)))
    throw new Refusal('unauthenticated', 'This needs SLUICE_METRICS_TOKEN in the header Authorization: Bearer …');
}

function refuseOthersThanThisMachine({ headers, raw }: FastifyRequest): void {
  if (!isAddressedToLoopback(headers))
    throw new Refusal(
      'forbidden',
      'Without tokens, the gateway answers only requests to a loopback name of its machine, such as localhost',
    );
  const sign = signOfProxy(raw);
  if (sign !== null)
    throw new Refusal(
      'forbidden',
      `Without tokens, the gateway answers only its own machine, and this request came through a proxy (${sign}). Set SLUICE_GATEWAY_TOKENS_FILE`,
    );
}
