import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { uuidV7 } from '../../producers/core/uuid-v7.ts';
import { completedRequestSenderOptionsFrom, createCompletedRequestSender } from '../../producers/index.ts';
import { createRequestRows, toRequest } from './request-rows.ts';

// The process behind `surge.ts`: a gateway that offers requests at a steady rate, and turns away those that find no room.

/** Its task. */
export interface SurgeOrder {
  perSecond: number;
  forMs: number;
}

/** Its result, once Redis has everything that was accepted. */
export interface SurgeAnswer {
  accepted: number;
  turnedAway: number;
}

const bodyBytes = 2_048;
const distinctRequests = 1_000;
const turnMs = 5;
/** At this rate the offers alone would fill the process: it does not catch up on late ones in one turn. */
const maxOffersPerTurn = 500;

const rows = createRequestRows(distinctRequests, bodyBytes);
const sender = createCompletedRequestSender({
  ...completedRequestSenderOptionsFrom(process.env),
  registry: new Registry(),
});

async function offer({ perSecond, forMs }: SurgeOrder): Promise<SurgeAnswer> {
  const startedAt = performance.now();
  const answer: SurgeAnswer = { accepted: 0, turnedAway: 0 };
  let offered = 0;
  for (let elapsedMs = 0; elapsedMs < forMs; elapsedMs = performance.now() - startedAt) {
    const due = Math.floor((elapsedMs / 1_000) * perSecond);
    for (let turn = 0; offered < due && turn < maxOffersPerTurn; turn += 1) {
      const request = { ...toRequest(rows.record(offered % distinctRequests)), requestId: uuidV7(Date.now()) };
      if (sender.trySend(request)) answer.accepted += 1;
      else answer.turnedAway += 1;
      offered += 1;
    }
    await sleep(turnMs);
  }
  await sender.flush();
  return answer;
}

process.on('message', (order: SurgeOrder) => {
  void offer(order).then((answer) => process.send?.(answer));
});
process.once('disconnect', () => process.exit());
process.send?.('ready');
