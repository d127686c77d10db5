// SPDX-License-Identifier: Apache-2.0
#include "orchestration/dispatcher.h"

#include <future>
#include <thread>

#include "core/json.h"
#include "fakes/temp_folder.h"
#include "net/task.h"
#include "orchestration/database_test_internal.h"
#include "orchestration/worker_service.h"
#include "storage/blob_uploads.h"

namespace nexa::orchestration {
namespace {

using namespace std::chrono_literals;

/// Dispatcher and workers with threads of their own; nobody looks again unless told to, so that a
/// wake-up that goes astray shows.
class DispatcherTest : public DatabaseTest {
protected:
    void SetUp() override {
        DatabaseTest::SetUp();
        if (IsSkipped()) {
            return;
        }
        writer->start();
        backend.emplace(Backend{*database, *writer, pools.db});
        dispatcher.emplace(
            Dispatcher::Collaborators{
                *backend,
                pools.db,
                random,
                key,
                *vault,
                pools.db,
                logs,
                pool_signal,
                event_signal,
                billing::default_rate_card(),
                counters,
                workflows
            },
            DispatcherOptions{.poll = 1h}
        );
        service.emplace(WorkerService::Collaborators{
            *backend, ids, clock, pool_signal, event_signal, counters, workflows
        });
    }
    void TearDown() override {
        if (writer) {
            writer->stop();
        }
        pools.db.stop();
        pools.cpu.stop();
        pools.io.stop();
    }

    template <class T>
    Result<T> wait(net::Task<T> task) {
        return net::blocking::wait(pools.io.executor(), std::move(task));
    }
    void add_worker(const std::string& worker_id) {
        const NewWorker worker{
            .worker_id = worker_id,
            .public_key = worker_id,
            .tenant_id = "prj_a",
            .name = worker_id,
            .profile = {"{}"},
            .pool = "default",
        };
        ASSERT_TRUE(wait(backend->write([worker](db::Tx& tx) {
            return worker_store::add(tx, worker);
        })));
    }
    void change(const std::string& worker_id, WorkerChange order) {
        ASSERT_TRUE(wait(service->change(worker_id, order, operator_)));
    }
    void beat(const std::string& worker_id, std::vector<protocol::HealthProblem> problems) {
        const auto seen =
            wait(service->see({.worker_id = worker_id, .problems = std::move(problems)}, operator_)
            );
        ASSERT_TRUE(seen) << seen.error().to_string();
    }
    /// Asks for a job and waits as long as it takes.
    std::future<std::size_t> poll(const std::string& worker_id, double wait_seconds = 3600) {
        return std::async(std::launch::async, [this, worker_id, wait_seconds] {
            const auto reply = wait(dispatcher->next_jobs(
                {.worker_id = worker_id, .wait_seconds = wait_seconds}, operator_
            ));
            EXPECT_TRUE(reply) << reply.error().to_string();
            return reply ? reply->jobs.size() : 0;
        });
    }
    /// Long enough for a poll to stand where it waits; the tests hold also if it does not.
    static void settle() { std::this_thread::sleep_for(50ms); }
    JobId submit() {
        NewJob job{
            .job_id = ids.make<JobId>(),
            .tenant_id = "prj_a",
            .user_id = "usr_1",
            .key_id = "key_1",
            .job_type = "echo",
            .payload = {R"({"message":"x"})"},
        };
        EXPECT_TRUE(wait(backend->write([job](db::Tx& tx) { return job_store::submit(tx, job); })));
        pool_signal.notify("default", 1);
        return job.job_id;
    }
    static std::size_t soon(std::future<std::size_t>& jobs) {
        if (jobs.wait_for(30s) != std::future_status::ready) {
            ADD_FAILURE() << "the wake-up went astray";
            std::abort();  // the poll would be waited for
        }
        return jobs.get();
    }

    net::Pools pools;
    net::Signal pool_signal;
    net::Signal event_signal;
    MetricRegistry registry;
    const JobCounters counters{registry};
    const WorkflowDriver workflows{{ids, pool_signal, event_signal, counters}};
    crypto::Ed25519PrivateKey key = crypto::Ed25519PrivateKey::generate(random);
    fakes::TempFolder folder;
    std::unique_ptr<storage::BlobStore> blobs = *storage::BlobStore::open(folder.path());
    storage::BlobUploads uploads{*blobs, random};
    std::unique_ptr<storage::BlobVault> vault = storage::make_disk_vault(*blobs, uploads);
    const StoragePaths paths{folder.path()};
    JobLogs logs{paths};
    std::optional<Backend> backend;
    std::optional<Dispatcher> dispatcher;
    std::optional<WorkerService> service;
    const accounts::Principal operator_{.project_id = "prj_a", .scopes = {"fleet:write"}};
};

TEST_P(DispatcherTest, AWakeUpPassesByAWorkerThatWasCordonedWhileItWaited) {
    add_worker("first");
    add_worker("second");
    auto held_up = poll("first");
    settle();
    ASSERT_TRUE(wait(backend->write([](db::Tx& tx) {  // as another coordinator would
        return worker_store::change(tx, "first", "prj_a", {.membership = "cordoned"});
    })));
    auto idle = poll("second");
    settle();
    submit();
    EXPECT_EQ(soon(idle), 1U);
    submit();
    change("first", WorkerChange::kUncordon);
    EXPECT_EQ(soon(held_up), 1U);
}

TEST_P(DispatcherTest, AWorkerThatIsNotWellGetsNoJobUntilItIs) {
    add_worker("sick");
    add_worker("well");
    beat("sick", {{.kind = "disk", .detail = "full"}});
    EXPECT_EQ(wait(service->get("sick", operator_))->liveness, "unhealthy");
    auto waiting = poll("sick");
    settle();
    auto idle = poll("well");
    settle();
    submit();
    EXPECT_EQ(soon(idle), 1U);
    submit();
    EXPECT_EQ(poll("sick", 0).get(), 0U);
    beat("sick", {});
    EXPECT_EQ(soon(waiting), 1U);
    EXPECT_EQ(wait(service->get("sick", operator_))->liveness, "connected");
}

TEST_P(DispatcherTest, ABeatThatSaysNothingOfHealthChangesNone) {
    add_worker("sick");
    beat("sick", {{.kind = "gpu", .detail = "gone"}});
    ASSERT_TRUE(wait(service->see({.worker_id = "sick"}, operator_)));
    const auto view = wait(service->get("sick", operator_)).value();
    ASSERT_EQ(view.problems.size(), 1U);
    EXPECT_EQ(view.problems.front().detail, "gone");
    add_worker("sick");
    EXPECT_TRUE(wait(service->get("sick", operator_))->problems.empty()) << "registered anew";
}

TEST_P(DispatcherTest, OnlyWhoOrdersWorkersSeesWhatTheyDoForOtherProjects) {
    add_worker("w");
    submit();
    ASSERT_EQ(poll("w", 0).get(), 1U);
    ASSERT_TRUE(wait(backend->write([](db::Tx& tx) -> Status {
        const auto changed = tx.execute(statement("UPDATE worker SET tenant_id = 'prj_b'"));
        return changed ? Status() : Status(changed.error());
    })));
    accounts::Principal reader{.project_id = "prj_b", .scopes = {"workers:read"}};
    EXPECT_TRUE(wait(service->get("w", reader))->jobs.empty());
    EXPECT_TRUE(wait(service->list(reader))->front().jobs.empty());
    reader.scopes = {"fleet:write"};
    EXPECT_EQ(wait(service->list(reader))->front().jobs.size(), 1U);
}

NEXA_ON_BOTH_DATABASES(DispatcherTest);

}  // namespace
}  // namespace nexa::orchestration
