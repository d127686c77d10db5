// SPDX-License-Identifier: Apache-2.0
// graphile-worker: runs no-op jobs until none is left. node graphile.mjs URL JOBS CONCURRENCY prints jobs a second.
import { Logger, makeWorkerUtils, runOnce } from "graphile-worker";

const [connectionString, jobs, concurrency] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const logger = new Logger(() => () => {});
const utils = await makeWorkerUtils({ connectionString, logger });
await utils.migrate();
await utils.withPgClient((client) =>
  client.query("SELECT graphile_worker.add_job('noop', json_build_object('number', i)) FROM generate_series(1, $1::int) AS i", [jobs]),
);

let done = 0;
const began = performance.now();
await runOnce({ connectionString, logger, concurrency, maxPoolSize: concurrency, noHandleSignals: true, taskList: { noop: async () => { done += 1; } } });
const seconds = (performance.now() - began) / 1000;
await utils.release();
if (done !== jobs) throw new Error(`${done} of ${jobs} jobs were done`);
console.log(JSON.stringify({ per_second: done / seconds }));
process.exit(0);
