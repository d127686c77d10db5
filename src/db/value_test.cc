// SPDX-License-Identifier: Apache-2.0
#include "db/value.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "core/ids.h"
#include "core/sha256.h"
#include "db/row.h"

namespace nexa::db {
namespace {

struct Key {
    std::array<std::uint8_t, 2> held{0xAB, 0x01};
    const std::array<std::uint8_t, 2>& bytes() const { return held; }
};
enum class Color : std::uint8_t { kRed };

TEST(Value, TakesWhatTheCodeHas) {
    EXPECT_TRUE(Value().is_null());
    EXPECT_TRUE(Value(nullptr).is_null());
    EXPECT_TRUE(Value(std::nullopt).is_null());
    EXPECT_EQ(Value(true), Value(1));
    EXPECT_EQ(Value(false), Value(0));
    EXPECT_EQ(Value(std::uint8_t{7}), Value(std::int64_t{7}));
    EXPECT_EQ(Value(1.5F), Value(1.5));
    EXPECT_EQ(Value("text"), Value(std::string("text")));
    EXPECT_EQ(Value("text"), Value(std::string_view("text")));
    EXPECT_EQ(Value(Timestamp(std::chrono::seconds(2))), Value(2'000'000));
    EXPECT_EQ(Value(std::chrono::seconds(60)), Value(60'000'000));
    EXPECT_EQ(Value(Bytes(12)), Value(12));
    EXPECT_EQ(Value(*JobId::parse("job_1")), Value("job_1"));
    EXPECT_EQ(Value(Key()), Value(Blob{std::byte{0xAB}, std::byte{0x01}}));
    EXPECT_EQ(Value(std::optional<int>(3)), Value(3));
    const Sha256Digest digest = sha256("x");
    EXPECT_EQ(Value(digest), Value(Blob(digest.bytes.begin(), digest.bytes.end())));
    EXPECT_TRUE(Value(std::optional<JobId>()).is_null());
    static_assert(!std::is_constructible_v<Value, Color>);
    static_assert(!std::is_constructible_v<Value, char>);
}

TEST(Value, NamesItsKind) {
    EXPECT_EQ(Value().kind(), "null");
    EXPECT_EQ(Value(1).kind(), "integer");
    EXPECT_EQ(Value(1.0).kind(), "real");
    EXPECT_EQ(Value("").kind(), "text");
    EXPECT_EQ(Value(Blob()).kind(), "blob");
}

TEST(Value, NanIsNullAndInfinityIsNot) {
    EXPECT_TRUE(Value(std::numeric_limits<double>::quiet_NaN()).is_null());
    EXPECT_EQ(Value(std::numeric_limits<double>::infinity()).kind(), "real");
}

TEST(ValueDeathTest, AnIntegerBeyond63BitsIsOurBug) {
    const auto highest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(Value(highest), Value(std::numeric_limits<std::int64_t>::max()));
    EXPECT_DEATH(Value(highest + 1), "in_range");
}

TEST(Params, AreFoundByName) {
    const auto first_of = [](const Params& params, std::string_view name) {
        const Value* value = params.find(name);
        return value == nullptr ? Value() : *value;
    };
    EXPECT_EQ(first_of({{"a", "b"}, {"c", "d"}}, "c"), Value("d"));
    EXPECT_EQ(first_of({{"a", "b"}}, "b"), Value());
    EXPECT_EQ(Params({}).size(), 0U);
    const std::vector<Param> many{{"a", 1}, {"b", 2}};
    EXPECT_EQ(first_of(many, "b"), Value(2));
}

Row make_row() {
    return Row(
        std::make_shared<const Columns>(
            Columns{.statement = "test/row", .names = {"i", "r", "t", "b", "n", "i"}}
        ),
        {Value(1), Value(2.5), Value("x"), Value(Blob{std::byte{9}}), Value(), Value(7)}
    );
}

TEST(Row, GivesItsColumnsByNameAndByPlace) {
    const Row row = make_row();
    EXPECT_EQ(row.size(), 6U);
    EXPECT_EQ(row.int64("i"), 1);  // the first of that name
    EXPECT_EQ(row.int64(5), 7);
    EXPECT_TRUE(row.boolean("i"));
    EXPECT_EQ(row.real("r"), 2.5);
    EXPECT_EQ(row.real("i"), 1.0);
    EXPECT_EQ(row.text("t"), "x");
    EXPECT_EQ(row.blob("b"), Blob{std::byte{9}});
    EXPECT_EQ(row.timestamp(0), Timestamp(std::chrono::microseconds(1)));
    EXPECT_TRUE(row.is_null("n"));
}

TEST(Row, OptionalGettersTurnNullIntoNothing) {
    const Row row = make_row();
    EXPECT_EQ(row.optional_int64("n"), std::nullopt);
    EXPECT_EQ(row.optional_boolean("n"), std::nullopt);
    EXPECT_EQ(row.optional_real("n"), std::nullopt);
    EXPECT_EQ(row.optional_text("n"), std::nullopt);
    EXPECT_EQ(row.optional_blob("n"), std::nullopt);
    EXPECT_EQ(row.optional_timestamp("n"), std::nullopt);
    EXPECT_EQ(row.optional_int64("i"), 1);
    EXPECT_EQ(row.optional_text("t"), "x");
    EXPECT_EQ(row.optional_real("r"), 2.5);
}

TEST(RowDeathTest, AWrongColumnOrTypeIsOurBugAndNamesBoth) {
    const Row row = make_row();
    EXPECT_DEATH(row.int64("t"), "column t of test/row is an integer, is text");
    EXPECT_DEATH(row.text("n"), "column n of test/row is text, is null");
    EXPECT_DEATH(row.real("t"), "is a number, is text");
    EXPECT_DEATH(row.boolean(5), "column 5 of test/row is an integer, 0 or 1");
    EXPECT_DEATH(static_cast<void>(row.is_null("absent")), "column absent of test/row");
    EXPECT_DEATH(static_cast<void>(row.is_null(6)), "column 6 of test/row");
    EXPECT_DEATH(row.optional_int64("t"), "is an integer, is text");
}

}  // namespace
}  // namespace nexa::db
