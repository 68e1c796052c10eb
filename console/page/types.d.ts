/** The API's answers, as JSON: read from its own schemas, so that page and server cannot disagree. */
import type { z } from 'zod';
import type { deadLetterStates } from '../../dead-letters/read.ts';
import type { inFlightNames, pieceNames } from '../../queries/ledger/place-names.ts';
import type { requestDimensions, requestOrders } from '../../queries/requests/dimensions.ts';
import type { requestStates, statusClasses } from '../../queries/requests/list-requests.ts';
import type { serviceTiers } from '../../shared/contracts/completed-request.ts';
import type { executionStatuses } from '../../shared/contracts/execution.ts';
import type * as deadLetters from '../server/schemas/dead-letters.ts';
import type * as executions from '../server/schemas/executions.ts';
import type * as ledger from '../server/schemas/ledger.ts';
import type * as queues from '../server/schemas/queues.ts';
import type * as requestFigures from '../server/schemas/request-figures.ts';
import type * as requests from '../server/schemas/requests.ts';
import type * as runtime from '../server/schemas/runtime-records.ts';
import type * as sessions from '../server/schemas/session.ts';
import type * as strategies from '../server/schemas/strategies.ts';

import type { Child } from './lib/dom.js';

type Json<T> = T extends Date
  ? string
  : T extends readonly (infer U)[]
    ? Json<U>[]
    : T extends object
      ? { [K in keyof T]: Json<T[K]> }
      : T;
type Answer<T extends z.ZodType> = Json<z.output<T>>;

export type Session = Answer<typeof sessions.session>;
export type StrategyList = Answer<typeof strategies.strategyList>;
export type Strategy = Answer<typeof strategies.strategyAnswer>;
export type Comparison = Answer<typeof strategies.comparison>;
export type ExecutionPage = Answer<typeof executions.executionPage>;
export type Execution = Answer<typeof executions.execution>;
export type ExecutionSummary = ExecutionPage['executions'][number];
export type DeadLetterCauses = Answer<typeof deadLetters.deadLetterCauses>;
export type DeadLetterPage = Answer<typeof deadLetters.deadLetterPage>;
export type DeadLetter = Answer<typeof deadLetters.deadLetter>;
export type QueueList = Answer<typeof queues.queueList>;
export type QueueHistory = Answer<typeof queues.queueHistory>;
export type Accounts = Answer<typeof ledger.accounts>;
export type RuntimeRecordPage = Answer<typeof runtime.runtimeRecordPage>;
export type HealthEvents = Answer<typeof runtime.healthEvents>;
export type RequestPage = Answer<typeof requests.requestPage>;
export type Request = Answer<typeof requests.request>;
export type RequestStats = Answer<typeof requestFigures.requestStats>;
export type RequestComparison = Answer<typeof requestFigures.requestComparison>;

/** The literal types of lists and names that the page repeats. */
export interface ContractLists {
  executionStatuses: typeof executionStatuses;
  requestStates: typeof requestStates;
  statusClasses: typeof statusClasses;
  deadLetterStates: typeof deadLetterStates;
  serviceTiers: typeof serviceTiers;
  requestDimensions: typeof requestDimensions;
  requestOrders: typeof requestOrders;
  pieceNames: typeof pieceNames;
  inFlightNames: typeof inFlightNames;
}
export type Status = keyof Strategy['summary']['statuses'];
export type Tally = { rows: number; runs: number };
export type Estimate = { value: number | null; margin: number | null; rows: number; tooFew: boolean };

/** What a view gets for drawing. */
export interface ViewContext {
  route: import('./lib/route.js').Route;
  /** when the answer arrived, in ms */
  nowMs: number;
  /** false: the reader may not replay, discard and so on */
  mayChange: boolean;
  /** goes to an address of the page */
  go(href: string, options?: { replace?: boolean }): void;
  /** refreshes the view now */
  refresh(): void;
  /** announces a success or an error */
  announce(text: string, kind?: 'info' | 'error'): void;
  /** asks for confirmation */
  confirm(question: ConfirmQuestion): Promise<boolean>;
}

export interface ConfirmQuestion {
  title: string;
  text: string;
  /** the label of the button */
  action: string;
  isDangerous?: boolean;
}

/** A view: asks the API and draws its answer. */
export interface View<T> {
  title(route: import('./lib/route.js').Route): string;
  /** whether the window of time applies to it */
  hasWindow: boolean;
  load(route: import('./lib/route.js').Route, signal: AbortSignal): Promise<T>;
  render(answer: T, context: ViewContext): Child;
}
