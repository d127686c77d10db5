// SPDX-License-Identifier: Apache-2.0
// pg-boss: takes and completes no-op jobs in batches. node pg_boss.mjs URL JOBS BATCH prints jobs a second.
import { PgBoss } from "pg-boss";

const [connectionString, jobs, batchSize] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const boss = new PgBoss({ connectionString, supervise: false, schedule: false });
boss.on("error", (error) => { throw error; });
await boss.start();
await boss.createQueue("noop");
for (let at = 0; at < jobs; at += 1000) {
  await boss.insert("noop", Array.from({ length: Math.min(1000, jobs - at) }, (_, i) => ({ data: { number: at + i } })));
}

let done = 0;
async function work() {
  for (;;) {
    const taken = await boss.fetch("noop", { batchSize });
    if (taken.length === 0) return;
    await boss.complete("noop", taken.map((job) => job.id));
    done += taken.length;
  }
}
const began = performance.now();
await Promise.all([work(), work()]);
const seconds = (performance.now() - began) / 1000;
await boss.stop({ graceful: false });
if (done !== jobs) throw new Error(`${done} of ${jobs} jobs were done`);
console.log(JSON.stringify({ per_second: done / seconds }));
process.exit(0);
