// SPDX-License-Identifier: Apache-2.0
#include "worker/hardware.h"

#include <gtest/gtest.h>

#include "fakes/temp_folder.h"

namespace nexa::worker {
namespace {

protocol::HardwareProfile with_gpus(std::string_view csv) {
    protocol::HardwareProfile profile;
    parse_gpus(csv, profile);
    return profile;
}

TEST(Hardware, GpusAreCountedAndTheSmallestMemoryCounts) {
    const auto profile = with_gpus("NVIDIA H100 80GB HBM3, 81559\nNVIDIA H100 80GB HBM3, 40000\n");
    EXPECT_EQ(profile.gpus, 2);
    EXPECT_EQ(profile.gpu_model, "NVIDIA H100 80GB HBM3");
    EXPECT_EQ(profile.gpu_memory_bytes, std::int64_t{40000} << 20);
}

TEST(Hardware, GpuWithoutMemoryOfItsOwnHasNone) {
    const auto profile = with_gpus("Orin (nvgpu), [N/A]");
    EXPECT_EQ(profile.gpus, 1);
    EXPECT_EQ(profile.gpu_model, "Orin (nvgpu)");
    EXPECT_EQ(profile.gpu_memory_bytes, 0);
}

TEST(Hardware, TextThatIsNoListOfGpusNamesNone) {
    for (const char* text : {"", "\n\n", "No devices were found", " , 5", "error: driver"}) {
        EXPECT_EQ(with_gpus(text).gpus, 0) << text;
        EXPECT_EQ(with_gpus(text).gpu_memory_bytes, 0) << text;
    }
}

TEST(Hardware, ThisMachineHasProcessorsAndMemory) {
    const fakes::TempFolder folder;
    const auto profile = read_hardware(folder.path(), ask_gpus(""));
    EXPECT_GE(profile.cpus, 1);
    EXPECT_GT(profile.memory_bytes, 0);
    EXPECT_GT(profile.disk_bytes, 0);
    EXPECT_EQ(profile.gpus == 0, profile.gpu_model.empty());
}

TEST(Hardware, MemoryOfTheKernelIsReadInBytes) {
    EXPECT_EQ(parse_memory_total("MemFree: 1 kB\nMemTotal:  16384 kB\n"), 16384 * 1024);
    EXPECT_EQ(parse_memory_total("MemTotal: x kB"), 0);
    EXPECT_EQ(parse_cpu_model("processor: 0\nmodel name\t: A B\n"), "A B");
}

}  // namespace
}  // namespace nexa::worker
