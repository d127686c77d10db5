// SPDX-License-Identifier: Apache-2.0
#include "sandbox/cgroup_internal.h"

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace nexa::sandbox {
namespace {

namespace fs = std::filesystem;

TEST(CgroupFolders, AreFoundOnAVersionTwoMachine) {
    const auto folders = find_cgroup_folders(
        "0::/system.slice/nexa.service\n",
        "24 1 0:22 / /proc rw - proc proc rw\n"
        "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
    );
    EXPECT_EQ(folders.unified, "/sys/fs/cgroup/system.slice/nexa.service");
    EXPECT_TRUE(folders.legacy.empty());
}

TEST(CgroupFolders, AreFoundOnAHybridMachine) {
    const auto folders = find_cgroup_folders(
        "9:name=systemd:/\n4:memory:/a/b\n2:cpu,cpuacct:/c\n0::/\n",
        "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "36 31 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
        "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
    );
    EXPECT_EQ(folders.unified, "/sys/fs/cgroup/unified");
    EXPECT_EQ(folders.legacy.at("memory"), "/sys/fs/cgroup/memory/a/b");
    EXPECT_EQ(folders.legacy.at("cpuacct"), "/sys/fs/cgroup/cpu/c");
}

TEST(CgroupFolders, AreSeenFromInsideAContainer) {
    const std::string mount =
        "35 31 0:32 /docker/12 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
    EXPECT_EQ(
        find_cgroup_folders("4:memory:/docker/12\n", mount).legacy.at("memory"),
        "/sys/fs/cgroup/memory"
    );
    EXPECT_EQ(
        find_cgroup_folders("4:memory:/docker/12/x\n", mount).legacy.at("memory"),
        "/sys/fs/cgroup/memory/x"
    );
    EXPECT_EQ(
        find_cgroup_folders("4:memory:/\n", mount).legacy.at("memory"), "/sys/fs/cgroup/memory"
    );
    EXPECT_EQ(
        find_cgroup_folders(
            "0::/../other\n", "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
        )
            .unified,
        "/sys/fs/cgroup"
    );
}

TEST(CgroupFolders, SurviveGarbage) {
    for (const char* text : {"", "\n\n", "::", "a:b", " - ", "1 2 3 - cgroup2", "x - y z w"}) {
        const auto folders = find_cgroup_folders(text, text);
        EXPECT_FALSE(folders.unified);
        EXPECT_TRUE(folders.legacy.empty());
    }
}

/// Real groups, where this machine lets us make them.
class JobCgroupTest : public testing::Test {
protected:
    void SetUp() override {
        abilities = probe_cgroups(folders);
        if (!abilities.memory && !abilities.processes && !abilities.kill) {
            GTEST_SKIP() << "no writable control groups: " << abilities.detail;
        }
    }

    std::size_t groups_of_ours() const {
        std::size_t count = 0;
        std::vector<fs::path> parents;
        if (folders.unified) {
            parents.push_back(*folders.unified);
        }
        for (const auto& [controller, parent] : folders.legacy) {
            parents.push_back(parent);
        }
        for (const fs::path& parent : parents) {
            for (const auto& entry : fs::directory_iterator(parent)) {
                const std::string name = entry.path().filename().string();
                count += name.starts_with(fmt::format("nexa-{}-", getpid())) ? 1U : 0U;
            }
        }
        return count;
    }

    CgroupFolders folders = find_own_cgroup_folders();
    CgroupAbilities abilities;
};

TEST_F(JobCgroupTest, IsRemovedWithItsOwnerAndItsNameIsTakenUntilThen) {
    {
        const auto group = JobCgroup::create(folders, cgroup_name(1), {}).value();
        EXPECT_GT(groups_of_ours(), 0U);
        EXPECT_EQ(
            JobCgroup::create(folders, cgroup_name(1), {}).error().code, ErrorCode::kConflict
        );
    }
    EXPECT_EQ(groups_of_ours(), 0U);
}

TEST_F(JobCgroupTest, StaleGroupsOfDeadProcessesGoAndOthersStay) {
    const fs::path parent = folders.unified ? *folders.unified : folders.legacy.begin()->second;
    // Above pid_max: nobody can have it.
    const fs::path stale = parent / "nexa-4194999-3";
    ASSERT_TRUE(mkdir(stale.c_str(), 0755) == 0 || errno == EEXIST);
    const auto mine = JobCgroup::create(folders, cgroup_name(2), {}).value();
    remove_stale_cgroups(folders);
    EXPECT_FALSE(fs::exists(stale));
    EXPECT_GT(groups_of_ours(), 0U);
}

TEST_F(JobCgroupTest, KillsItsMembersAtOnce) {
    if (!abilities.kill) {
        GTEST_SKIP() << "no cgroup.kill";
    }
    const auto group = JobCgroup::create(folders, cgroup_name(3), {}).value();
    ChildSpec spec;
    spec.argv = {"sleep", "100"};
    spec.before_exec = {group.join_step()};
    auto child = ChildProcess::start(spec).value();
    EXPECT_TRUE(group.kill());
    EXPECT_EQ(child.wait(std::chrono::steady_clock::time_point::max()).value().signal, SIGKILL);
    child.end_tree();
}

TEST(Cgroups, SayWhyTheyCannotBeUsed) {
    CgroupFolders folders;
    EXPECT_EQ(probe_cgroups(folders).detail, "none is mounted");
    folders.unified = "/proc/no-groups-here";
    const auto abilities = probe_cgroups(folders);
    EXPECT_FALSE(abilities.memory || abilities.processes || abilities.kill);
    EXPECT_NE(abilities.detail.find("/proc/no-groups-here"), std::string::npos);
    EXPECT_FALSE(JobCgroup::create(folders, "x", {}));
}

}  // namespace
}  // namespace nexa::sandbox
