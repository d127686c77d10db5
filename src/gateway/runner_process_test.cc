// SPDX-License-Identifier: Apache-2.0
#include "gateway/runner_process.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>

#include "fakes/temp_folder.h"

namespace nexa::gateway {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class Runners : public testing::Test {
protected:
    Runners() { fs::create_directory(run_folder); }

    /// A program in place of nexa-engine, as a script of sh.
    std::unique_ptr<RunnerProcess> start(std::string_view script) {
        const fs::path engine = folder.path() / "engine";
        std::ofstream(engine) << "#!/bin/sh\n" << script;
        fs::permissions(engine, fs::perms::owner_all);
        auto process = RunnerProcess::start(command(engine));
        EXPECT_TRUE(process) << process.error().to_string();
        return process ? std::move(*process) : nullptr;
    }
    RunnerCommand command(const fs::path& engine) const {
        return {
            .engine = engine,
            .model_folder = "/models/a b",
            .run_folder = run_folder,
            .name = "r7",
        };
    }
    /// Until the script has made `name` in the run folder.
    bool has_made(const std::string& name) const {
        return eventually([&] { return fs::exists(run_folder / name); });
    }
    template <class Condition>
    static bool eventually(Condition condition) {
        for (int i = 0; i < 2'000; ++i) {
            if (condition()) {
                return true;
            }
            ::usleep(5'000);
        }
        return false;
    }
    std::vector<std::string> left() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(run_folder)) {
            names.push_back(entry.path().filename());
        }
        return names;
    }

    fakes::TempFolder folder;
    const fs::path run_folder = folder.path() / "run";
};

TEST_F(Runners, ItIsToldItsModelAndItsSocketAndNothingOfOurEnvironment) {
    ::setenv("NEXA_SECRET", "x", 1);
    const auto process =
        start("printf '%s|' \"$@\" \"$(pwd)\" \"${NEXA_SECRET-none}\"\necho\nexit 5\n");
    EXPECT_TRUE(eventually([&] { return process->has_ended(); }));
    const RunnerProcess::End end = process->end(0ms);
    EXPECT_EQ(end.status, (ExitStatus{.exit_code = 5}));
    EXPECT_EQ(
        end.last_words,
        fmt::format("serve|/models/a b|--socket|r7.sock|{}|none|", run_folder.native())
    );
    EXPECT_THAT(left(), IsEmpty());
}

TEST_F(Runners, ItsLastWordsAreTheEndOfBothItsStreams) {
    const auto process =
        start("echo out\necho error >&2\nprintf '%01991d' 0\necho end >&2\nexit 1\n");
    EXPECT_TRUE(eventually([&] { return process->has_ended(); }));
    const RunnerProcess::End end = process->end(0ms);
    EXPECT_THAT(end.last_words, SizeIs(2'000));
    EXPECT_THAT(end.last_words, StartsWith("error\n000"));
    EXPECT_THAT(end.last_words, EndsWith("000end"));
}

TEST_F(Runners, ItsSocketIsWhereItMadeItAndGoesWithIt) {
    const auto process = start("touch \"$4\"\nread line\n");
    ASSERT_TRUE(has_made("r7.sock"));
    EXPECT_TRUE(fs::exists(process->socket()));
    EXPECT_LT(process->socket().native().size(), 60U);
    EXPECT_FALSE(process->has_ended());
    const RunnerProcess::End end = process->end(10s);
    EXPECT_EQ(end.status, (ExitStatus{.signal = SIGTERM}));
    EXPECT_EQ(end.last_words, "");
    EXPECT_THAT(left(), IsEmpty());
}

TEST_F(Runners, OneThatEndsItselfInTimeIsNotKilled) {
    const auto process =
        start("trap 'echo bye; exit 0' TERM\ntouch there\nwhile :; do sleep 0.01; done\n");
    ASSERT_TRUE(has_made("there"));
    const RunnerProcess::End end = process->end(10s);
    EXPECT_EQ(end.status, (ExitStatus{.exit_code = 0}));
    EXPECT_THAT(end.last_words, EndsWith("bye"));
    EXPECT_THAT(left(), ElementsAre("there"));
}

TEST_F(Runners, OneThatWillNotEndIsKilled) {
    const auto process = start("trap '' TERM\ntouch there\nwhile :; do sleep 0.01; done\n");
    ASSERT_TRUE(has_made("there"));
    EXPECT_EQ(process->end(20ms).status, (ExitStatus{.signal = SIGKILL}));
    EXPECT_TRUE(process->has_ended());
}

TEST_F(Runners, WithoutAProgramOrAFolderNothingStarts) {
    EXPECT_EQ(
        RunnerProcess::start(command(folder.path() / "nothing")).error().code, ErrorCode::kNotFound
    );
    EXPECT_THAT(left(), IsEmpty());
    fs::remove(run_folder);
    EXPECT_EQ(RunnerProcess::start(command("/bin/sh")).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace nexa::gateway
