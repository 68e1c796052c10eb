/** What ends the rows of a COPY, in PostgreSQL's protocol. */
const copyDone = Buffer.from([0x63, 0, 0, 0, 4]);

/** Whether these bytes of a client make PostgreSQL store executions: the end of a COPY, or an insert statement. */
export function isStoring(bytes: Buffer): boolean {
  return (
    bytes.subarray(-copyDone.length).equals(copyDone) ||
    /insert into \S*strategy_execution_log/.test(bytes.toString('latin1'))
  );
}

/** A row of one column, with a number in it. */
const numberRow = /D.{10}(\d+)C/s;

/** The rows that an answer of PostgreSQL tells of; it comes when they are committed. 0: it tells of none */
export function storedRowsOf(answer: Buffer): number {
  const text = answer.toString('latin1');
  return Number((/(?:COPY|INSERT 0) (\d+)/.exec(text) ?? numberRow.exec(text))?.[1] ?? 0);
}
