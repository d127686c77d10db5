// SPDX-License-Identifier: Apache-2.0
#include "engine/columnar/dataset_reader.h"

#include <gtest/gtest.h>

#include "core/file.h"

namespace nexa::columnar {
namespace {

TEST(DatasetReader, Smoke) {
    TemporaryDirectory dir =
        TemporaryDirectory::create(std::filesystem::temp_directory_path()).value();
    ASSERT_TRUE(
        write_file_atomically(dir.path() / "train.jsonl", "{\"prompt\":\"a\",\"answer\":\"b\"}\n")
    );
    auto reader = DatasetReader::open(dir.path(), {}).value();
    EXPECT_EQ(answer_of(reader.next().value()->row), "b");
    EXPECT_FALSE(reader.next().value());
}

}  // namespace
}  // namespace nexa::columnar
