// SPDX-License-Identifier: Apache-2.0
#include "core/file_lock.h"

#include <gtest/gtest.h>

#include "fakes/temp_folder.h"

namespace nexa {
namespace {

TEST(FileLock, OnlyOneHoldsItAndTheNextAfterThat) {
    const fakes::TempFolder folder;
    const auto path = folder.path() / "lock";
    {
        const auto held = lock_file(path);
        ASSERT_TRUE(held);
        const auto refused = lock_file(path);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
        EXPECT_NE(refused.error().message.find(path.native()), std::string::npos);
    }
    EXPECT_TRUE(lock_file(path));
}

TEST(FileLock, AFolderThatIsNotThereIsNoConflict) {
    const fakes::TempFolder folder;
    EXPECT_EQ(lock_file(folder.path() / "no/lock").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace nexa
