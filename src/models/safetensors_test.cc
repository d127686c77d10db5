// SPDX-License-Identifier: Apache-2.0
#include "models/safetensors.h"

#include <cstring>
#include <fstream>

#include <gmock/gmock.h>

namespace nexa::models {
namespace {

std::string bytes_of_file(std::string_view header, std::size_t data_bytes) {
    const std::uint64_t length = header.size();
    std::string file(8, '\0');
    std::memcpy(file.data(), &length, 8);
    return file + std::string(header) + std::string(data_bytes, '\x01');
}

std::span<const std::byte> as_bytes(const std::string& text) {
    return std::as_bytes(std::span(text));
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

class SafetensorsFile : public testing::Test {
protected:
    std::filesystem::path path_ =
        std::filesystem::path(testing::TempDir()) /
        (std::string("nexa_") + testing::UnitTest::GetInstance()->current_test_info()->name());

    void TearDown() override { std::filesystem::remove(path_); }
};

const std::vector<float> kFloats{1.0F, -2.5F, 3.0F, 4.0F, 5.0F, 6.0F};
const std::vector<std::uint8_t> kOctets{7, 8, 9};
const std::vector<std::int64_t> kMatrix{2, 3};
const std::vector<std::int64_t> kRow{3};
const std::vector<std::int64_t> kNothing{0, 5};
const std::vector<std::int64_t> kScalar{};

TensorView floats(std::string_view name) {
    return {name, Dtype::kF32, kMatrix, std::as_bytes(std::span(kFloats))};
}

TensorView octets(std::string_view name) {
    return {name, Dtype::kU8, kRow, std::as_bytes(std::span(kOctets))};
}

TEST_F(SafetensorsFile, WhatIsWrittenReadsBack) {
    const std::vector<TensorView> tensors{
        octets("b"),
        floats("model.a"),
        {"none", Dtype::kBf16, kNothing, {}},
        {"one", Dtype::kF32, kScalar, std::as_bytes(std::span(kFloats)).first(4)},
    };
    ASSERT_TRUE(write_safetensors(path_, tensors, {{"format", "pt"}}));
    const auto file = Safetensors::open(path_);
    ASSERT_TRUE(file) << file.error().to_string();
    EXPECT_EQ(file->tensors().size(), 4U);
    EXPECT_EQ(file->metadata().at("format"), "pt");
    const TensorView* read = file->find("model.a");
    ASSERT_NE(read, nullptr);
    EXPECT_EQ(read->dtype, Dtype::kF32);
    EXPECT_THAT(read->shape, testing::ElementsAre(2, 3));
    EXPECT_EQ(std::memcmp(read->bytes.data(), kFloats.data(), 24), 0);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read->bytes.data()) % 8, 0U);
    EXPECT_TRUE(file->find("none")->bytes.empty());
    EXPECT_TRUE(file->find("one")->shape.empty());
    EXPECT_EQ(file->find("missing"), nullptr);
}

TEST_F(SafetensorsFile, ViewsOutliveACopyOfTheObject) {
    ASSERT_TRUE(write_safetensors(path_, std::vector{floats("a")}));
    std::optional<Safetensors> first = *Safetensors::open(path_);
    const Safetensors second = *first;
    first.reset();
    EXPECT_EQ(std::memcmp(second.find("a")->bytes.data(), kFloats.data(), 24), 0);
}

TEST_F(SafetensorsFile, TheOrderOfTheTensorsDoesNotChangeTheBytes) {
    ASSERT_TRUE(write_safetensors(path_, std::vector{floats("b"), octets("c"), floats("a")}));
    const std::string first = read_file(path_);
    ASSERT_TRUE(write_safetensors(path_, std::vector{floats("a"), floats("b"), octets("c")}));
    EXPECT_EQ(read_file(path_), first);
    EXPECT_LT(first.find("\"b\""), first.find("\"c\""));
}

TEST_F(SafetensorsFile, TheWriterRefusesTensorsThatNoReaderWouldTake) {
    const std::vector<std::int64_t> wrong{7};
    const std::vector<std::int64_t> negative{-2, -3};
    const std::vector<std::vector<TensorView>> refused{
        {floats("a"), floats("a")},
        {{"a", Dtype::kF32, wrong, std::as_bytes(std::span(kFloats))}},
        {{"a", Dtype::kF32, negative, std::as_bytes(std::span(kFloats))}},
        {floats("__metadata__")},
        {floats("")},
        {floats("\xff")},
    };
    for (const auto& tensors : refused) {
        const Status written = write_safetensors(path_, tensors);
        ASSERT_FALSE(written);
        EXPECT_EQ(written.error().code, ErrorCode::kInvalidArgument);
        EXPECT_FALSE(std::filesystem::exists(path_));
    }
}

TEST_F(SafetensorsFile, OpenSaysWhatIsNotThere) {
    EXPECT_EQ(Safetensors::open(path_).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(Safetensors::open(testing::TempDir()).error().code, ErrorCode::kUnavailable);
    std::ofstream(path_).close();
    EXPECT_EQ(Safetensors::open(path_).error().code, ErrorCode::kMalformed);
}

TEST(SafetensorsWriter, AFullDiskIsAnErrorNotACrash) {
    const Status written = write_safetensors("/dev/full", std::vector{floats("a")});
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(written.error().message, testing::HasSubstr("/dev/full"));
}

TEST(SafetensorsReader, AcceptsAFileWithoutTensors) {
    const auto file = Safetensors::parse(as_bytes(bytes_of_file("{}", 0)));
    ASSERT_TRUE(file);
    EXPECT_TRUE(file->tensors().empty());
}

TEST(SafetensorsReader, NamesEveryTypeBothWays) {
    for (int i = 0; i <= static_cast<int>(Dtype::kBool); ++i) {
        const auto dtype = static_cast<Dtype>(i);
        EXPECT_EQ(dtype_from(to_string(dtype)), dtype);
    }
    EXPECT_EQ(dtype_from("F8_E4M3"), std::nullopt);
}

struct Hostile {
    const char* what;
    std::string header;
    std::size_t data_bytes;
};

class SafetensorsRefuses : public testing::TestWithParam<Hostile> {};

TEST_P(SafetensorsRefuses, AHeaderThatLies) {
    const std::string file = bytes_of_file(GetParam().header, GetParam().data_bytes);
    const auto parsed = Safetensors::parse(as_bytes(file));
    ASSERT_FALSE(parsed) << GetParam().what;
    EXPECT_EQ(parsed.error().code, ErrorCode::kMalformed);
}

INSTANTIATE_TEST_SUITE_P(
    Headers,
    SafetensorsRefuses,
    testing::Values(
        Hostile{"no object", "[]", 0},
        Hostile{"empty header", "", 0},
        Hostile{"not JSON", "{\"a\":", 0},
        Hostile{"leading space", " {}", 0},
        Hostile{"data nobody names", "{}", 1},
        Hostile{"past the end", R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 1},
        Hostile{"hole", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2},
        Hostile{
            "overlap",
            R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
            3
        },
        Hostile{
            "repeated name",
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
            1
        },
        Hostile{"backwards", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", 1},
        Hostile{"negative", R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1},
        Hostile{"fraction", R"({"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}})", 1},
        Hostile{"wrong size", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,1]}})", 1},
        Hostile{
            "overflowing shape",
            R"({"a":{"dtype":"F64","shape":[281474976710656,65536,1],"data_offsets":[0,0]}})",
            0
        },
        Hostile{"unknown type", R"({"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,1]}})", 1},
        Hostile{"no type", R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1},
        Hostile{"three offsets", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}})", 1},
        Hostile{"entry is no object", R"({"a":3})", 0},
        Hostile{"metadata no strings", R"({"__metadata__":{"a":1}})", 0},
        Hostile{"metadata no object", R"({"__metadata__":"a"})", 0},
        Hostile{"deep nesting", "{\"a\":" + std::string(100'000, '['), 0},
        Hostile{
            "too many dimensions",
            R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})",
            1
        }
    ),
    [](const testing::TestParamInfo<Hostile>& info) {
        std::string name = info.param.what;
        std::ranges::replace(name, ' ', '_');
        return name;
    }
);

TEST(SafetensorsReader, RefusesALengthThatDoesNotFit) {
    for (const std::uint64_t length : {UINT64_MAX, std::uint64_t{100'000'001}, std::uint64_t{3}}) {
        std::string file(10, '{');
        std::memcpy(file.data(), &length, 8);
        const auto parsed = Safetensors::parse(as_bytes(file));
        ASSERT_FALSE(parsed);
        EXPECT_EQ(parsed.error().code, ErrorCode::kMalformed);
    }
    EXPECT_FALSE(Safetensors::parse(as_bytes(std::string(7, '\0'))));
    EXPECT_FALSE(Safetensors::parse({}));
}

}  // namespace
}  // namespace nexa::models
