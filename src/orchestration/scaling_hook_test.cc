// SPDX-License-Identifier: Apache-2.0
#include "orchestration/scaling_hook.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/file.h"
#include "fakes/temp_folder.h"

namespace nexa::orchestration {
namespace {

using namespace std::chrono_literals;

class ScalingHookTest : public ::testing::Test {
protected:
    Result<std::string> run(const std::string& script, std::chrono::milliseconds time_max = 60s) {
        const HookCommand command{
            .argv = {"sh", "-c", script},
            .environment = {{"PATH", "/usr/bin:/bin"}, {"REGION", "here"}},
            .folder = folder.path(),
            .time_max = time_max,
        };
        return blocking::run_hook(command, R"({"start":2})", stopped);
    }

    fakes::TempFolder folder;
    std::atomic<bool> stopped = false;
};

TEST_F(ScalingHookTest, ACommandReadsTheRequestAndWhatItSaysIsKept) {
    EXPECT_EQ(
        run("cat; echo; echo $REGION; echo aside >&2").value(), "{\"start\":2}\nhere\naside\n"
    );
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(ScalingHookTest, ACommandThatFailsIsQuotedWithItsLastLine) {
    const auto failed = run("echo first; echo no quota >&2; exit 3");
    EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(failed.error().message, "it ended with exit code 3: no quota");
}

TEST_F(ScalingHookTest, ACommandThatHangsIsEndedAtItsTimeOrWithTheServer) {
    EXPECT_EQ(run("sleep 600", 100ms).error().code, ErrorCode::kDeadlineExceeded);
    std::thread stopping([this] { stopped = true; });
    EXPECT_EQ(run("sleep 600").error().code, ErrorCode::kCancelled);
    stopping.join();
}

TEST_F(ScalingHookTest, WhatHasASessionOfItsOwnOutlivesTheCommand) {
    // The command ends when the other has its session, not before.
    const std::string start = R"(mkfifo up alive
setsid sh -c 'echo > up; echo yes > alive' > /dev/null 2>&1 &
read _ < up)";
    const std::string there = "cd " + folder.path().native() + "; ";
    ASSERT_TRUE(run(there + start));
    EXPECT_EQ(run(there + "cat alive").value(), "yes\n");
}

TEST(WebhookSignature, IsThatOfTheSpecificationsExample) {
    EXPECT_EQ(
        webhook_signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            R"({"test": 2432232314})"
        ),
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    );
}

}  // namespace
}  // namespace nexa::orchestration
