// SPDX-License-Identifier: Apache-2.0
#include "monitoring/process_metrics.h"

#include <fcntl.h>
#include <unistd.h>

#include <thread>

#include <gtest/gtest.h>

namespace nexa::monitoring {
namespace {

double value_of(const MetricRegistry& registry, std::string_view name) {
    for (const FamilySnapshot& family : registry.snapshot()) {
        if (family.name == name) {
            return std::get<double>(family.series.at(0).value);
        }
    }
    ADD_FAILURE() << "no metric " << name;
    return -1;
}

TEST(ProcessMetrics, AFileThatIsOpenedIsSeen) {
    MetricRegistry registry;
    ProcessMetrics metrics(registry);
    ASSERT_TRUE(metrics.refresh());
    const double before = value_of(registry, "process_open_fds");
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ASSERT_TRUE(metrics.refresh());
    EXPECT_EQ(value_of(registry, "process_open_fds"), before + 1);
    close(fd);
}

TEST(ProcessMetrics, MemoryAndThreadsArePlausible) {
    MetricRegistry registry;
    ProcessMetrics metrics(registry);
    ASSERT_TRUE(metrics.refresh());
    EXPECT_GT(value_of(registry, "process_resident_memory_bytes"), 1e6);
    const double threads = value_of(registry, "process_threads");
    EXPECT_GE(threads, 1);
    std::jthread one_more([&] {
        ASSERT_TRUE(metrics.refresh());
        EXPECT_EQ(value_of(registry, "process_threads"), threads + 1);
    });
}

TEST(ProcessMetrics, WorkCostsCpuTime) {
    MetricRegistry registry;
    ProcessMetrics metrics(registry);
    ASSERT_TRUE(metrics.refresh());
    const double before = value_of(registry, "process_cpu_seconds_total");
    double after = before;
    // The kernel counts in ticks of 10 ms; the bound only keeps a broken counter from hanging.
    for (std::uint64_t i = 0; after == before && i < 100'000; ++i) {
        ASSERT_TRUE(metrics.refresh());
        after = value_of(registry, "process_cpu_seconds_total");
    }
    EXPECT_GT(after, before);
}

}  // namespace
}  // namespace nexa::monitoring
