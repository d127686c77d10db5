// SPDX-License-Identifier: Apache-2.0
//
// Entries committed a second, each batch synced to the disk. TMPDIR says which disk.
#include "db/writer.h"

#include <benchmark/benchmark.h>

#include "db/scratch_internal.h"
#include "fakes/manual_clock.h"

namespace nexa::db {
namespace {

constexpr Sql kCreate = statement(
    "CREATE TABLE job (id INTEGER PRIMARY KEY, state TEXT NOT NULL, lease_until INTEGER, "
    "payload TEXT NOT NULL) STRICT"
);
constexpr Sql kInsert =
    statement("INSERT INTO job (state, lease_until, payload) VALUES (:state, nexa_now(), :payload)"
    );

void commit_batches(benchmark::State& state) {
    const auto batch = static_cast<std::size_t>(state.range(0));
    const ScratchFolder folder;
    const fakes::ManualClock clock;
    const auto database = open_or_die({.path = folder.path() / "bench.db"}, clock);
    Writer writer(*database, {.batch_max = batch});
    NEXA_CHECK(change(writer, kCreate).has_value());
    const std::string payload(200, 'x');
    std::size_t answered = 0;
    for ([[maybe_unused]] auto _ : state) {
        for (std::size_t i = 0; i < batch; ++i) {
            const Status queued = writer.submit(
                [&](Tx& tx) -> Status {
                    auto changed = tx.execute(kInsert, {{"state", "ready"}, {"payload", payload}});
                    return changed ? Status() : Status(changed.error());
                },
                [&](Status status) { answered += status ? 1 : 0; }
            );
            NEXA_CHECK(queued.has_value());
        }
        writer.step();
    }
    NEXA_CHECK(answered == static_cast<std::size_t>(state.iterations()) * batch);
    state.SetItemsProcessed(static_cast<std::int64_t>(answered));
}
BENCHMARK(commit_batches)->Arg(1)->Arg(64)->Arg(256)->UseRealTime();

void read_one_row(benchmark::State& state) {
    const ScratchFolder folder;
    const fakes::ManualClock clock;
    const auto database = open_or_die({.path = folder.path() / "bench.db"}, clock);
    Writer writer(*database);
    NEXA_CHECK(change(writer, kCreate).has_value());
    NEXA_CHECK(change(writer, kInsert, {{"state", "ready"}, {"payload", "x"}}).has_value());
    const Sql find = statement("SELECT id, state, payload FROM job WHERE id = :id");
    for ([[maybe_unused]] auto _ : state) {
        auto row = database->read([&](Tx& tx) { return tx.query_one(find, {{"id", 1}}); });
        benchmark::DoNotOptimize(row);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(read_one_row)->UseRealTime();

}  // namespace
}  // namespace nexa::db
