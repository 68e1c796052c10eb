import {
  type CompletedRequestSender,
  completedRequestSenderOptionsFrom,
  createCompletedRequestSender,
  createExecutionObserver,
  type ExecutionObserver,
  executionObserverOptionsFrom,
  withExecution,
} from 'sluice';

/** What a service does with the SDK: one run and one request, then its end. */
export async function run(strategyId: string, requestId: string): Promise<void> {
  const observer: ExecutionObserver = createExecutionObserver(executionObserverOptionsFrom(process.env));
  const sender: CompletedRequestSender = createCompletedRequestSender(completedRequestSenderOptionsFrom(process.env));
  const subject = { strategyId, strategyVersion: 1, strategyType: 'DSL_FULL', realmId: 'package' };
  const points: number = withExecution(observer, subject, (execution) => {
    execution.trace.push({ nodeId: 'n1', type: 'literal', value: 10 });
    execution.points = 10;
    return execution.points;
  });
  if (points !== 10) throw new Error('the work was not handed on');
  await sender.send({ requestId, createdBy: 'package', statusCode: 200, requestBody: '{}', responseBody: '{}' });
  await sender.close({ timeoutMs: 30_000 });
  const { unflushed } = await observer.close({ timeoutMs: 30_000 });
  if (unflushed > 0) throw new Error('the record was not sent');
}
