// SPDX-License-Identifier: Apache-2.0
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "engine/training/adamw.h"
#include "engine/training/checkpoint.h"
#include "engine/training/testing_internal.h"
#include "fakes/proves.h"

namespace nexa::training {
namespace {

namespace fs = std::filesystem;

void fill(const nets::Parameters& parameters, double value) {
    const at::NoGradGuard no_grad;
    for (const nets::Parameter& parameter : parameters) {
        at::Tensor tensor = parameter.value;
        tensor.fill_(value);
    }
}

/// In a process of its own: overwrites `folder` for ever, all tensors and the state holding the
/// same number, and writes a byte to `progress` after each.
[[noreturn]] void overwrite_for_ever(const fs::path& folder, int progress, std::int64_t first) {
    const nets::Decoder decoder = tiny_decoder(1);
    const AdamW optimizer(decoder.parameters(), {});
    for (std::int64_t number = first;; ++number) {
        fill(decoder.parameters(), static_cast<double>(number));
        fill(optimizer.moments(), static_cast<double>(number));
        TrainState state;
        state.step = number;
        const bool saved =
            save_checkpoint(folder, decoder.parameters(), optimizer, state).has_value();
        if (!saved || ::write(progress, "x", 1) != 1) {
            ::_exit(1);
        }
    }
}

/// Kills the writer `delay` after it has finished one save, and returns how many it had finished.
std::int64_t overwrite_and_kill(
    const fs::path& folder, std::int64_t first, std::chrono::microseconds delay
) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        overwrite_for_ever(folder, ends[1], first);
    }
    ::close(ends[1]);
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
    const auto until = std::chrono::steady_clock::now() + delay;
    while (std::chrono::steady_clock::now() < until) {
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    std::int64_t finished = 1;
    while (::read(ends[0], &byte, 1) == 1) {
        ++finished;
    }
    ::close(ends[0]);
    return finished;
}

void kill_during_overwrites(int rounds) {
    const TemporaryFolder temporary;
    const fs::path folder = temporary.path() / "checkpoint";
    const nets::Decoder decoder = tiny_decoder(1);
    AdamW optimizer(decoder.parameters(), {});
    std::int64_t first = 1;
    int partial = 0;
    for (int round = 0; round < rounds; ++round) {
        const auto delay = std::chrono::microseconds(round * 6007 % 20'000);
        const std::int64_t finished = overwrite_and_kill(folder, first, delay);
        partial += fs::exists(temporary.path() / ".checkpoint.new") ? 1 : 0;
        const auto state = load_checkpoint(folder, decoder.parameters(), optimizer);
        ASSERT_TRUE(state) << "round " << round << ": " << state.error().to_string();
        // What was acknowledged is there, or what was being written next; and all of one kind.
        EXPECT_GE(state->step, first + finished - 1);
        EXPECT_LE(state->step, first + finished);
        for (const nets::Parameters& all : {decoder.parameters(), optimizer.moments()}) {
            for (const nets::Parameter& parameter : all) {
                EXPECT_TRUE(parameter.value.eq(static_cast<double>(state->step)).all().item<bool>()
                );
            }
        }
        first = state->step + 1;
    }
    EXPECT_GT(partial, 0) << "no kill fell into a save";
}

TEST(CheckpointKill, LeavesTheOldOrTheNewCheckpoint) {
    kill_during_overwrites(10);
}

TEST(CheckpointKillSlow, AHundredTimesLeavesTheOldOrTheNewCheckpoint) {
    NEXA_PROVES("A-85");
    kill_during_overwrites(100);
}

}  // namespace
}  // namespace nexa::training
