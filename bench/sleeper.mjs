// The other thread of delay.ts: sleeps until what it was armed for is due, and says so. JavaScript, because the loader
// of TypeScript does not reach into threads.
import { parentPort, workerData } from 'node:worker_threads';

const armed = new Int32Array(workerData, 0, 1);
const due = new Float64Array(workerData, 8, 1);
const never = new Int32Array(new SharedArrayBuffer(4));

for (;;) {
  Atomics.wait(armed, 0, 0);
  Atomics.store(armed, 0, 0);
  const left = due[0] - Number(process.hrtime.bigint()) / 1e6;
  if (left > 0) Atomics.wait(never, 0, 0, left);
  parentPort.postMessage(null);
}
