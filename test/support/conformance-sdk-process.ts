import { text } from 'node:stream/consumers';
import { completedRequestSenderOptionsFrom } from '../../producers/index.ts';
import { openSdk } from './conformance-sdk.ts';

/** The SDK as a program that gets the conformance kit on stdin, see contracts/README.md. */
const sdk = openSdk(completedRequestSenderOptionsFrom(process.env));
// Not by readline, which also parts a line at U+2028.
for (const line of (await text(process.stdin)).split('\n').filter((each) => each !== '')) {
  const { case: name, to, input } = JSON.parse(line);
  const refusal = await sdk.send(name, to, input as never);
  if (refusal !== null) console.log(JSON.stringify(refusal));
}
await sdk.close();
