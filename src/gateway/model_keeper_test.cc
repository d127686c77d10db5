// SPDX-License-Identifier: Apache-2.0
#include "gateway/model_keeper.h"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "core/file.h"
#include "fakes/temp_folder.h"

namespace nexa::gateway {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// In place of nexa-engine: does what the file `behavior` of the model's folder says, and notes its
/// starts there.
constexpr std::string_view kEngine = R"(#!/usr/bin/python3
import os, socket, sys, time
folder, path = sys.argv[2], sys.argv[4]
with open(folder + "/starts", "a") as starts:
    starts.write(str(os.getpid()) + "\n")
behavior = open(folder + "/behavior").read()
if behavior.startswith("exit"):
    sys.stderr.write("cannot read the model\n")
    sys.exit(int(behavior.split()[1]))
if behavior == "never":
    time.sleep(1000)
listening = socket.socket(socket.AF_UNIX)
listening.bind(path)
listening.listen(1)
talking = listening.accept()[0]
lines = talking.makefile("rw")
lines.readline()
if behavior == "mute":
    time.sleep(1000)
if behavior == "other":
    lines.write("HTTP/1.1 400 Bad Request\n")
    lines.flush()
    time.sleep(1000)
lines.write('{"type":"ready","version":1,"max_positions":8,"vocab":3}\n')
lines.flush()
for line in lines:
    pass
)";

net::Task<void> answer(Status status) {
    co_return status;
}

class Keeper : public testing::Test {
protected:
    Keeper() {
        fs::create_directory(folder.path() / "run");
        fs::create_directory(model_folder);
        std::ofstream(engine) << kEngine;
        fs::permissions(engine, fs::perms::owner_all);
        options.engine = engine;
        options.run_folder = folder.path() / "run";
        options.end_grace = 10s;
        options.fetch_again = 1ms;
        options.plan = {.base = 1ms, .cap = 5ms, .failures_max = 3};
    }
    ~Keeper() override {
        if (model) {
            keeper->stop(*model);
        }
        net::blocking::stop(io, keepers, 20s);
        net::blocking::stop(io, links);
        children.stop();
    }

    void behave(std::string_view behavior) const {
        std::ofstream(model_folder / "behavior") << behavior;
    }
    void keep(bool is_fetched = false) {
        ModelSpec spec{
            .deployment_id = "dep_1",
            .name = "m",
            .project_id = "",
            .fingerprint = "",
            .folder = model_folder,
        };
        if (is_fetched) {
            spec.files.push_back({.path = "config.json", .digest = "", .size = 1});
        }
        model = std::make_shared<ServedModel>(std::move(spec));
        keeper.emplace(
            ModelKeeper::Collaborators{
                .clock = clock,
                .io = io,
                .links = links,
                .children = children,
                .fetch = [this](ModelSpec, CancelToken) { return answer(next_fetch()); },
                .discard =
                    [this](ModelSpec) {
                        ++discards;
                        return answer(ok());
                    },
                .on_change = [this] { note(); },
            },
            options
        );
        EXPECT_TRUE(keepers.spawn("keep", keeper->keep(model)));
    }
    Status next_fetch() {
        const Lock lock(mutex);
        ++fetches;
        if (fetch_errors.empty()) {
            return {};
        }
        Error error = fetch_errors.front();
        fetch_errors.erase(fetch_errors.begin());
        return error;
    }
    /// How the model stood at each change, with its message.
    void note() {
        const Lock lock(mutex);
        changes.push_back(fmt::format("{}: {}", to_string(model->state()), model->message()));
    }
    std::vector<std::string> seen() {
        const Lock lock(mutex);
        return changes;
    }
    std::vector<pid_t> starts() const {
        std::vector<pid_t> pids;
        std::ifstream file(model_folder / "starts");
        for (pid_t pid = 0; file >> pid;) {
            pids.push_back(pid);
        }
        return pids;
    }
    bool is(ServingState state) const {
        return eventually([&] { return model->state() == state; });
    }
    /// keep() has ended, and nothing of its runner is left.
    bool is_over() const {
        return eventually([&] { return keepers.running() == 0 && links.running() == 0; }) &&
               fs::is_empty(options.run_folder);
    }
    template <class Condition>
    static bool eventually(Condition condition) {
        for (int i = 0; i < 5'000; ++i) {
            if (condition()) {
                return true;
            }
            std::this_thread::sleep_for(4ms);
        }
        return false;
    }

    fakes::TempFolder folder;
    const fs::path engine = folder.path() / "engine";
    const fs::path model_folder = folder.path() / "model";
    KeeperOptions options;
    SystemClock clock;
    net::IoPool io{{.threads = 2, .on_error = nullptr}};
    net::WorkPool children{{.name = "children", .threads = 2}};
    net::TaskGroup links{io, [](std::string_view, const Error&) {}};
    net::TaskGroup keepers{io, [](std::string_view, const Error& error) {
                               ADD_FAILURE() << error.to_string();
                           }};
    std::shared_ptr<ServedModel> model;
    std::optional<ModelKeeper> keeper;
    std::atomic<int> discards = 0;
    Mutex mutex;
    int fetches NEXA_GUARDED_BY(mutex) = 0;
    std::vector<Error> fetch_errors NEXA_GUARDED_BY(mutex);
    std::vector<std::string> changes NEXA_GUARDED_BY(mutex);
};

TEST_F(Keeper, AModelServesUntilItIsStopped) {
    behave("serve");
    keep();
    ASSERT_TRUE(is(ServingState::kReady)) << model->message();
    EXPECT_FALSE((*model->runner())->has_ended());
    keeper->stop(*model);
    EXPECT_TRUE(is_over());
    EXPECT_EQ(starts().size(), 1U);
    EXPECT_EQ(discards, 0);
}

TEST_F(Keeper, ARunnerThatDiesIsStartedAgain) {
    behave("serve");
    keep();
    ASSERT_TRUE(is(ServingState::kReady));
    const auto before = *model->runner();
    ::kill(starts().at(0), SIGKILL);
    ASSERT_TRUE(eventually([&] {
        const auto runner = model->runner();
        return runner && *runner != before;
    }));
    EXPECT_TRUE(before->has_ended());
    EXPECT_EQ(starts().size(), 2U);
    const std::vector<std::string> all = seen();
    ASSERT_GE(all.size(), 4U);
    EXPECT_EQ(all[0], "ready: ");
    EXPECT_EQ(all[1], "loading: its runner has gone");
    EXPECT_EQ(all[2], "loading: SIGKILL");
    EXPECT_EQ(all[3], "ready: ");
}

TEST_F(Keeper, AModelThatIsToBlameFailsWithItsRunnersWordsAndIsNotTriedAgain) {
    behave("exit 2");
    keep();
    ASSERT_TRUE(is(ServingState::kFailed));
    EXPECT_EQ(model->message(), "exit code 2: cannot read the model");
    keeper->stop(*model);
    EXPECT_TRUE(is_over());
    EXPECT_EQ(starts().size(), 1U);
}

TEST_F(Keeper, WhatMayPassIsTriedAgainAlsoOnceItCountsAsFailed) {
    behave("exit 1");
    keep();
    ASSERT_TRUE(is(ServingState::kFailed));
    EXPECT_GE(starts().size(), 3U);
    behave("serve");
    EXPECT_TRUE(is(ServingState::kReady));
}

TEST_F(Keeper, AModelThatDoesNotLoadInTimeIsEndedAndSaysSo) {
    options.load_max = 100ms;
    options.plan.failures_max = 1;
    behave("never");
    keep();
    ASSERT_TRUE(is(ServingState::kFailed));
    EXPECT_THAT(model->message(), HasSubstr("not loaded after"));
}

TEST_F(Keeper, ARunnerThatAcceptsAndNeverGreetsIsEndedOnceItsTimeIsUp) {
    options.load_max = 300ms;
    options.plan.failures_max = 1;
    behave("mute");
    keep();
    ASSERT_TRUE(is(ServingState::kFailed));
    EXPECT_THAT(model->message(), HasSubstr("not loaded after"));
}

TEST_F(Keeper, AProgramThatSpeaksOtherwiseIsEndedAndSaysSo) {
    options.plan.failures_max = 1;
    behave("other");
    keep();
    ASSERT_TRUE(is(ServingState::kFailed));
    EXPECT_THAT(model->message(), HasSubstr("greet a runner"));
}

TEST_F(Keeper, AProgramThatIsNotThereIsTriedAgain) {
    fs::rename(engine, folder.path() / "away");
    behave("serve");
    keep();
    ASSERT_TRUE(is(ServingState::kFailed));
    EXPECT_THAT(model->message(), HasSubstr("engine"));
    fs::rename(folder.path() / "away", engine);
    EXPECT_TRUE(is(ServingState::kReady));
}

TEST_F(Keeper, AModelThatIsStoppedWhileItLoadsGoesAtOnce) {
    behave("never");
    keep();
    ASSERT_TRUE(eventually([&] { return !starts().empty(); }));
    keeper->stop(*model);
    EXPECT_TRUE(is_over());
}

// --- draining ---

TEST_F(Keeper, AModelThatGoesLetsItsRequestsEnd) {
    options.drain_max = 60s;
    behave("serve");
    keep();
    ASSERT_TRUE(is(ServingState::kReady));
    auto running = (*model->runner())->generate({.prompt = "x"});
    ASSERT_TRUE(running);
    keeper->stop(*model);
    EXPECT_EQ(keepers.running(), 1U);
    EXPECT_EQ(::kill(starts().at(0), 0), 0);
    running->reset();
    EXPECT_TRUE(is_over());
}

TEST_F(Keeper, ButNotForEver) {
    options.drain_max = 20ms;
    behave("serve");
    keep();
    ASSERT_TRUE(is(ServingState::kReady));
    const auto running = (*model->runner())->generate({.prompt = "x"});
    ASSERT_TRUE(running);
    keeper->stop(*model);
    EXPECT_TRUE(is_over());
    const auto step = net::blocking::wait(io.executor(), (*running)->next());
    EXPECT_EQ(step.error().code, ErrorCode::kUnavailable);
}

// --- files ---

TEST_F(Keeper, WhatIsThereAlreadyIsNotFetchedOrDiscarded) {
    behave("serve");
    keep();
    ASSERT_TRUE(is(ServingState::kReady));
    keeper->undeploy(*model);
    EXPECT_TRUE(is_over());
    const Lock lock(mutex);
    EXPECT_EQ(fetches, 0);
    EXPECT_EQ(discards, 0);
}

TEST_F(Keeper, AFetchThatFailsIsTriedAgainAndSaysHowItStands) {
    behave("serve");
    {
        const Lock lock(mutex);
        fetch_errors = {Error::unavailable("no network"), Error::data_loss("wrong bytes")};
    }
    keep(true);
    ASSERT_TRUE(is(ServingState::kReady));
    const std::vector<std::string> all = seen();
    ASSERT_GE(all.size(), 3U);
    EXPECT_EQ(all[0], "loading: no network");
    EXPECT_EQ(all[1], "failed: wrong bytes");
    EXPECT_EQ(all[2], "ready: ");
    const Lock lock(mutex);
    EXPECT_EQ(fetches, 3);
}

TEST_F(Keeper, FilesThatAreWrongAreFetchedLessAndLessOften) {
    behave("serve");
    options.fetch_again = 10ms;
    options.fetch_again_max = 80ms;
    {
        const Lock lock(mutex);
        fetch_errors.assign(6, Error::data_loss("wrong bytes"));
    }
    const auto begun = clock.steady_now();
    keep(true);
    ASSERT_TRUE(is(ServingState::kReady));
    EXPECT_GE(clock.steady_now() - begun, 10ms + 20ms + 40ms + 80ms * 3);
}

TEST_F(Keeper, OnlyAnUndeployedModelIsDiscarded) {
    behave("serve");
    keep(true);
    ASSERT_TRUE(is(ServingState::kReady));
    keeper->stop(*model);
    EXPECT_TRUE(is_over());
    EXPECT_EQ(discards, 0);
    keep(true);
    ASSERT_TRUE(is(ServingState::kReady));
    keeper->undeploy(*model);
    EXPECT_TRUE(is_over());
    EXPECT_EQ(discards, 1);
}

TEST_F(Keeper, AModelThatIsUndeployedWhileItIsFetchedIsDiscardedToo) {
    options.fetch_again = 1h;
    {
        const Lock lock(mutex);
        fetch_errors = {Error::unavailable("no network")};
    }
    keep(true);
    ASSERT_TRUE(eventually([&] { return !seen().empty(); }));
    keeper->undeploy(*model);
    EXPECT_TRUE(is_over());
    EXPECT_EQ(discards, 1);
    EXPECT_THAT(starts(), IsEmpty());
}

}  // namespace
}  // namespace nexa::gateway
