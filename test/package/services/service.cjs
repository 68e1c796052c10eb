const {
  completedRequestSenderOptionsFrom,
  createCompletedRequestSender,
  createExecutionObserver,
  executionObserverOptionsFrom,
  withExecution,
} = require('sluice');

async function main() {
  const observer = createExecutionObserver(executionObserverOptionsFrom(process.env));
  const sender = createCompletedRequestSender(completedRequestSenderOptionsFrom(process.env));
  const subject = {
    strategyId: process.env.STRATEGY,
    strategyVersion: 1,
    strategyType: 'DSL_FULL',
    realmId: 'package',
  };
  withExecution(observer, subject, (run) => {
    run.points = 10;
  });
  await sender.send({ requestId: process.env.REQUEST, createdBy: 'package', statusCode: 200 });
  await sender.close({ timeoutMs: 30_000 });
  await observer.close({ timeoutMs: 30_000 });
}

void main();
