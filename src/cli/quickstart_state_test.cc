// SPDX-License-Identifier: Apache-2.0
#include "cli/quickstart_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"

namespace nexa::cli {
namespace {

TEST(QuickstartState, ComesBackAndABrokenFileIsNamed) {
    const auto folder = TemporaryDirectory::create(std::filesystem::temp_directory_path());
    EXPECT_EQ(read_state(folder->path())->has_value(), false);
    ASSERT_TRUE(write_state(
        folder->path(),
        {.run_id = "a1", .data = "/x", .dataset_id = "ds_1", .failures = {{"distill", 2}}}
    ));
    const auto state = read_state(folder->path());
    ASSERT_TRUE(state && *state);
    EXPECT_EQ((*state)->run_id, "a1");
    EXPECT_EQ((*state)->failures.at("distill"), 2);
    EXPECT_FALSE((*state)->finished);
    ASSERT_TRUE(write_file_atomically(folder->path() / "quickstart.json", "{"));
    EXPECT_THAT(
        read_state(folder->path()).error().to_string(), testing::HasSubstr("quickstart.json")
    );
}

}  // namespace
}  // namespace nexa::cli
