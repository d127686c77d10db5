// SPDX-License-Identifier: Apache-2.0
#include "gateway/line_file.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "fakes/temp_folder.h"

namespace nexa::gateway {
namespace {

class Lines : public testing::Test {
protected:
    void write(std::string_view text) const { std::ofstream(path) << text; }
    std::string text() const { return read_file(path, 1 << 20).value(); }

    fakes::TempFolder folder;
    const std::filesystem::path path = folder.path() / "lines.jsonl";
};

TEST_F(Lines, IsMadeForItsOwnerAlone) {
    const LineFile file = LineFile::open(path, TornEnd::kCutAway).value();
    EXPECT_EQ(file.size(), 0U);
    const auto mode = std::filesystem::status(path).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(Lines, GoesOnBehindWhatIsThere) {
    write("a\n");
    LineFile file = LineFile::open(path, TornEnd::kCutAway).value();
    ASSERT_TRUE(file.append("b\nc\n"));
    EXPECT_EQ(file.size(), 6U);
    EXPECT_EQ(text(), "a\nb\nc\n");
}

TEST_F(Lines, ATornEndIsCutAwayOrEnded) {
    const std::string torn = "a\n" + std::string(10'000, 'x');
    write(torn);
    LineFile ended = LineFile::open(path, TornEnd::kEnded).value();
    ASSERT_TRUE(ended.append("b\n"));
    EXPECT_EQ(text(), torn + "\nb\n");

    write(torn);
    LineFile cut = LineFile::open(path, TornEnd::kCutAway).value();
    EXPECT_EQ(text(), "a\n");
    ASSERT_TRUE(cut.append("b\n"));
    EXPECT_EQ(text(), "a\nb\n");
}

TEST_F(Lines, ErrorsNameTheFile) {
    const auto missing = LineFile::open(folder.path() / "none" / "lines", TornEnd::kEnded);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
    EXPECT_NE(missing.error().message.find("/none"), std::string::npos) << missing.error().message;
}

}  // namespace
}  // namespace nexa::gateway
