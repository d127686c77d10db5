// SPDX-License-Identifier: Apache-2.0
#include "orchestration/fleet_scaler.h"

#include <fstream>
#include <thread>

#include "fakes/temp_folder.h"
#include "orchestration/database_test_internal.h"
#include "orchestration/leases.h"
#include "orchestration/worker_store.h"

namespace nexa::orchestration {
namespace {

using namespace std::chrono_literals;

/// Two coordinators' scalers of one pool, with real commands; time is the test's.
class FleetScalerTest : public DatabaseTest {
protected:
    void SetUp() override {
        DatabaseTest::SetUp();
        if (IsSkipped()) {
            return;
        }
        writer->start();
        backend.emplace(Backend{*database, *writer, pools.db});
    }
    void TearDown() override {
        stop(first);
        stop(second);
        http.stop();
        if (writer) {
            writer->stop();
        }
        pools.db.stop();
        pools.cpu.stop();
        pools.io.stop();
    }

    struct Coordinator {
        std::unique_ptr<FleetScaler> scaler;
        std::unique_ptr<net::TaskGroup> tasks;
    };
    void start(Coordinator& coordinator) {
        const ScalingPoolSettings pool{
            .max_workers = 3,
            .idle_seconds = 5,
            .start_seconds = 1'000'000,
            .pause_seconds = 0.1,
            .command = {"sh", "-c", "echo called >> " + calls_file.native()},
        };
        coordinator.scaler = std::make_unique<FleetScaler>(
            FleetScaler::Collaborators{*backend, ids, clock, http, signal},
            FleetScalerOptions{
                .pools = {pool},
                .environment = {{"PATH", "/usr/bin:/bin"}},
                .folder = folder.path(),
            }
        );
        coordinator.tasks = std::make_unique<net::TaskGroup>(pools.io, nullptr);
        ASSERT_TRUE(coordinator.scaler->start(*coordinator.tasks));
    }
    void stop(Coordinator& coordinator) {
        if (coordinator.tasks) {
            coordinator.scaler->stop();
            net::blocking::stop(pools.io, *coordinator.tasks);
            coordinator = {};
        }
    }

    template <class T>
    Result<T> wait(net::Task<T> task) {
        return net::blocking::wait(pools.io.executor(), std::move(task));
    }
    /// What is seen of the pool, once `holds` says yes to it.
    template <class Condition>
    protocol::ScalingPoolView view_once(FleetScaler& scaler, Condition holds) {
        for (int looks = 0; looks < 1'200; ++looks) {
            const auto views = wait(scaler.list());
            if (views && !views->empty() && holds(views->front())) {
                return views->front();
            }
            std::this_thread::sleep_for(50ms);
        }
        ADD_FAILURE() << "it never came so far";
        return {};
    }
    int calls() const {
        std::ifstream file(calls_file);
        int lines = 0;
        for (std::string line; std::getline(file, line); ++lines) {
        }
        return lines;
    }
    void submit(int gpus = 0) {
        NewJob job{
            .job_id = ids.make<JobId>(),
            .tenant_id = "prj_a",
            .user_id = "usr_1",
            .key_id = "key_1",
            .job_type = "echo",
            .payload = {R"({"message":"x"})"},
            .gpus = gpus,
        };
        ASSERT_TRUE(wait(backend->write([job](db::Tx& tx) { return job_store::submit(tx, job); })));
    }
    void add_worker(const std::string& worker_id) {
        const NewWorker worker{
            .worker_id = worker_id,
            .public_key = worker_id,
            .tenant_id = "prj_a",
            .name = "name of " + worker_id,
            .profile = {"{}"},
            .pool = "default",
        };
        ASSERT_TRUE(wait(backend->write([worker](db::Tx& tx) {
            return worker_store::add(tx, worker);
        })));
    }
    bool is_draining(const std::string& worker_id) {
        return wait(backend->read([worker_id](db::Tx& tx) {
                   return worker_store::get(tx, worker_id);
               })
        )->draining;
    }

    fakes::TempFolder folder;
    fakes::TempFolder elsewhere;
    const std::filesystem::path calls_file = elsewhere.path() / "calls";
    net::Pools pools;
    net::Signal signal;
    net::HttpClient http{{}, clock, random};
    std::optional<Backend> backend;
    Coordinator first;
    Coordinator second;
};

TEST_P(FleetScalerTest, OneOfTwoCoordinatorsScalesAPoolAndTheOtherTakesOverWhenItIsGone) {
    submit();
    submit();
    submit(2);  // no such worker could take it
    start(first);
    view_once(*first.scaler, [](const auto& view) { return view.starting == 2; });
    start(second);
    const auto seen = view_once(*second.scaler, [](const auto&) { return true; });
    EXPECT_EQ(seen.waiting_jobs, 2);
    EXPECT_EQ(seen.wanted, 2);
    EXPECT_EQ(seen.last_call->start, 2);
    EXPECT_EQ(calls(), 1);

    stop(first);
    EXPECT_EQ(calls(), 1);
    clock.advance(200s);  // nobody says any more that the pool is held
    view_once(*second.scaler, [&](const auto& view) { return view.updated_at != seen.updated_at; });
    EXPECT_EQ(calls(), 2) << "what the other one had asked for is not known here";
}

TEST_P(FleetScalerTest, AnIdleWorkerIsDrainedAndABusyOneIsNot) {
    add_worker("busy");
    add_worker("idle");
    submit();
    const Leases leases(LeaseOptions{.lease = 600s});
    ASSERT_EQ(
        wait(backend->write([leases](db::Tx& tx) {
            return leases.claim(tx, {.worker_id = "busy"});
        }))->size(),
        1U
    );
    start(first);
    view_once(*first.scaler, [](const auto& view) {
        return view.workers == 2 && view.idle == 1 && view.running_jobs == 1;
    });
    clock.advance(5s);
    const auto seen = view_once(*first.scaler, [](const auto& view) { return view.workers == 1; });
    EXPECT_EQ(seen.last_call->drained, 1);
    EXPECT_EQ(seen.wanted, 1);
    EXPECT_TRUE(is_draining("idle"));
    EXPECT_FALSE(is_draining("busy"));
}

NEXA_ON_BOTH_DATABASES(FleetScalerTest);

}  // namespace
}  // namespace nexa::orchestration
