// SPDX-License-Identifier: Apache-2.0
#include "worker/health.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "fakes/proves.h"
#include "fakes/temp_folder.h"

namespace nexa::worker {
namespace {

using namespace std::chrono_literals;
using protocol::HealthProblem;

constexpr std::string_view kTwoGpus = "NVIDIA A, 40000\nNVIDIA A, 40000\n";

HealthReading good() {
    return {
        .folder = "/data",
        .disk_bytes_free = std::uint64_t{2} << 30U,
        .gpus = {.is_installed = true, .csv = std::string(kTwoGpus), .failure = {}},
        .sandbox =
            {.kind = sandbox::Kind::kProcess, .available = true, .reason = {}, .features = {}},
        .clock_offset = 30s,
    };
}

std::string said(const HealthReading& reading, const HealthLimits& limits = {}, int gpus = 2) {
    std::string text;
    for (const HealthProblem& problem : find_problems(reading, limits, gpus)) {
        text += problem.kind + ": " + problem.detail + "\n";
    }
    return text;
}

TEST(Health, AMachineAtItsLimitsIsWell) {
    HealthReading reading = good();
    reading.disk_bytes_free = std::uint64_t{1} << 30U;
    EXPECT_EQ(said(reading), "");
    reading.clock_offset = -30s;
    EXPECT_EQ(said(reading), "");
    reading.clock_offset.reset();
    EXPECT_EQ(said(reading), "");
}

TEST(Health, ADiskBelowItsFloorIsNamedWithWhatIsFree) {
    HealthReading reading = good();
    reading.disk_bytes_free = (std::uint64_t{1} << 30U) - 1;
    EXPECT_EQ(said(reading), "disk: /data has 1023 MiB free, and jobs need 1024 MiB\n");
    EXPECT_EQ(said(reading, {.disk_bytes_min = 0}), "");
    reading.disk_bytes_free = Error::unavailable("input/output error");
    EXPECT_EQ(said(reading), "disk: the disk of /data cannot be read: input/output error\n");
}

TEST(Health, AGpuThatIsGoneOrSilentIsNamed) {
    HealthReading reading = good();
    EXPECT_EQ(said(reading, {}, 3), "gpu: nvidia-smi shows 2 of 3 GPUs\n");
    EXPECT_EQ(said(reading, {.gpus = 4}, 2), "gpu: nvidia-smi shows 2 of 4 GPUs\n");
    EXPECT_EQ(said(reading, {}, 1), "") << "more than registered is no fault";
    reading.gpus = {.is_installed = true, .csv = {}, .failure = "nvidia-smi did not answer"};
    EXPECT_EQ(said(reading), "gpu: nvidia-smi did not answer\n");
    EXPECT_EQ(said(reading, {.gpus = 0}), "") << "the operator wants none";
    reading.gpus = {};
    EXPECT_EQ(said(reading), "gpu: 2 GPUs are expected, and there is no nvidia-smi\n");
    EXPECT_EQ(said(reading, {}, 0), "") << "a machine without any";
}

TEST(Health, AllThatIsWrongIsSaid) {
    HealthReading reading = good();
    reading.clock_offset = 31s;
    reading.sandbox.available = false;
    reading.sandbox.reason = "no user namespaces";
    EXPECT_EQ(
        said(reading),
        "clock: the clock is 31 s ahead of the server's\n"
        "sandbox: jobs cannot be enclosed: process: no user namespaces\n"
    );
}

TEST(Health, WhatTheTimeOnTheWayExplainsIsNoOffset) {
    const Timestamp t{1h};
    EXPECT_EQ(clock_offset(t, t + 1s, t + 2s), 0s);
    EXPECT_EQ(clock_offset(t, t, t + 2s), 0s);
    EXPECT_EQ(clock_offset(t, t - 3s, t + 2s), 3s);
    EXPECT_EQ(clock_offset(t, t + 7s, t + 2s), -5s);
}

class FakeSmi {
public:
    explicit FakeSmi(std::string_view script) {
        const Status written = write_file_atomically(
            folder_.path() / "nvidia-smi", fmt::format("#!/bin/sh\n{}\n", script), 0755
        );
        EXPECT_TRUE(written);
    }
    GpuAnswer ask() const { return ask_gpus(folder_.path().native() + ":/usr/bin:/bin"); }

private:
    fakes::TempFolder folder_;
};

TEST(Health, NvidiaSmiIsLookedUpInTheSearchPathAndAskedForNameAndMemory) {
    NEXA_PROVES("F-13");
    const GpuAnswer answer = FakeSmi(R"(
case "$1" in --query-gpu=name,memory.total) echo "NVIDIA H100 80GB HBM3, 81559";; *) exit 2;; esac
)")
                                 .ask();
    EXPECT_TRUE(answer.is_installed);
    EXPECT_EQ(answer.failure, "");
    protocol::HardwareProfile profile;
    parse_gpus(answer.csv, profile);
    EXPECT_EQ(profile.gpus, 1);
    EXPECT_EQ(profile.gpu_model, "NVIDIA H100 80GB HBM3");
    EXPECT_EQ(profile.gpu_memory_bytes, std::int64_t{81559} << 20U);
}

TEST(Health, ANvidiaSmiThatFailsIsQuoted) {
    EXPECT_EQ(
        FakeSmi("echo 'Unable to determine the device handle: GPU is lost'; echo more; exit 15")
            .ask()
            .failure,
        "nvidia-smi ended with exit code 15: Unable to determine the device handle: GPU is lost"
    );
    EXPECT_EQ(FakeSmi("kill -9 $$").ask().failure, "nvidia-smi ended with SIGKILL");
    const fakes::TempFolder empty;
    EXPECT_FALSE(ask_gpus(empty.path().native()).is_installed);
}

}  // namespace
}  // namespace nexa::worker
