// SPDX-License-Identifier: Apache-2.0
#include "core/sha256.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

#include "core/sha256_internal.h"
#include "fakes/seeded_random.h"

namespace nexa {
namespace {

using fakes::SeededRandom;

std::vector<std::byte> random_bytes(std::size_t count) {
    std::vector<std::byte> bytes(count);
    SeededRandom(count + 1).fill(bytes);
    return bytes;
}

Sha256Digest hash_with(Sha256Code code, std::span<const std::byte> bytes) {
    Sha256 hash(code);
    hash.update(bytes);
    return hash.digest();
}

class EachCode : public ::testing::TestWithParam<Sha256Code> {};
INSTANTIATE_TEST_SUITE_P(
    Sha256, EachCode, ::testing::Values(Sha256Code::kFastest, Sha256Code::kPortable)
);

TEST_P(EachCode, GivesTheDigestsThatNistPublished) {
    const std::string two_blocks =
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrl"
        "mnopqrsmnopqrstnopqrstu";
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {two_blocks, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
        {std::string(1'000'000, 'a'),
         "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
        {"\xbd", "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"},
        {std::string(55, '\0'), "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7"},
        {std::string(56, '\0'), "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb"},
        {std::string(64, '\0'), "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"},
    };
    for (const auto& [text, digest] : cases) {
        EXPECT_EQ(hash_with(GetParam(), std::as_bytes(std::span(text))).hex(), digest)
            << text.size() << " bytes";
    }
}

TEST_P(EachCode, DoesNotDependOnHowTheBytesAreCut) {
    const auto bytes = random_bytes(300);
    const Sha256Digest whole = hash_with(GetParam(), bytes);
    for (std::size_t first = 0; first <= bytes.size(); ++first) {
        Sha256 hash(GetParam());
        hash.update(std::span(bytes).first(first));
        hash.update(std::span(bytes).subspan(first));
        EXPECT_EQ(hash.digest(), whole) << "cut at " << first;
    }
    for (std::size_t piece = 1; piece <= 130; ++piece) {
        Sha256 hash(GetParam());
        for (std::span<const std::byte> rest = bytes; !rest.empty();) {
            const std::size_t taken = std::min(piece, rest.size());
            hash.update(rest.first(taken));
            rest = rest.subspan(taken);
        }
        EXPECT_EQ(hash.digest(), whole) << "pieces of " << piece;
    }
}

TEST_P(EachCode, ReadsBytesAtAnyAlignment) {
    const auto bytes = random_bytes(256);
    for (std::size_t offset = 0; offset < 64; ++offset) {
        std::vector<std::byte> shifted(offset);
        shifted.insert(shifted.end(), bytes.begin(), bytes.end());
        EXPECT_EQ(
            hash_with(GetParam(), std::span(shifted).subspan(offset)), hash_with(GetParam(), bytes)
        );
    }
}

TEST(Sha256, AllCodesAgreeOnEveryLength) {
    for (std::size_t length = 0; length <= 1'000; ++length) {
        const auto bytes = random_bytes(length);
        EXPECT_EQ(hash_with(Sha256Code::kFastest, bytes), hash_with(Sha256Code::kPortable, bytes))
            << length;
    }
}

TEST(Sha256, CompressionCodesLeaveTheSameState) {
    if (!internal::has_sha_ni()) {
        GTEST_SKIP() << "this processor has no SHA extensions";
    }
    for (std::size_t blocks = 0; blocks <= 5; ++blocks) {
        const auto bytes = random_bytes(64 * blocks);
        std::array<std::uint32_t, 8> portable{1, 2, 3, 4, 5, 6, 7, 0xffffffff};
        auto fast = portable;
        internal::compress_portable(portable.data(), bytes.data(), blocks);
        internal::compress_sha_ni(fast.data(), bytes.data(), blocks);
        EXPECT_EQ(portable, fast) << blocks;
    }
}

TEST(Sha256, DigestMayBeAskedInBetweenAndCopiesGoOnApart) {
    Sha256 hash;
    hash.update("ab");
    EXPECT_EQ(hash.digest(), sha256("ab"));
    Sha256 copy = hash;
    hash.update("c");
    copy.update("d");
    EXPECT_EQ(hash.digest(), sha256("abc"));
    EXPECT_EQ(copy.digest(), sha256("abd"));
    EXPECT_EQ(hash.byte_count(), 3U);
}

TEST(Sha256Digest, ReadsBothFormsThatItWrites) {
    const Sha256Digest digest = sha256("abc");
    EXPECT_EQ(digest.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(digest.prefixed(), "sha256:" + digest.hex());
    EXPECT_EQ(fmt::format("{}", digest), digest.prefixed());
    EXPECT_EQ(Sha256Digest::parse(digest.hex()).value(), digest);
    EXPECT_EQ(Sha256Digest::parse(digest.prefixed()).value(), digest);
}

TEST(Sha256Digest, RefusesEverythingElse) {
    const std::string hex = sha256("abc").hex();
    std::string upper = hex;
    std::ranges::transform(upper, upper.begin(), [](char c) {
        return static_cast<char>(std::toupper(c));
    });
    std::string with_nul = hex;
    with_nul[63] = '\0';
    for (const std::string& text : std::vector<std::string>{
             "",
             "sha256:",
             hex.substr(1),
             hex + "0",
             "sha256:" + hex.substr(1),
             "sha256:" + hex + "0",
             "SHA256:" + hex,
             "sha512:" + hex,
             "sha256:sha256:" + hex,
             upper,
             with_nul,
             "g" + hex.substr(1),
             hex.substr(1) + " "
         }) {
        const auto digest = Sha256Digest::parse(text);
        ASSERT_FALSE(digest) << text;
        EXPECT_EQ(digest.error().code, ErrorCode::kInvalidArgument);
    }
}

TEST(Sha256Digest, OrdersLikeItsHexAndHashes) {
    std::vector<Sha256Digest> digests;
    for (int i = 0; i < 100; ++i) {
        digests.push_back(sha256(std::to_string(i)));
    }
    std::ranges::sort(digests);
    EXPECT_TRUE(std::ranges::is_sorted(digests, {}, &Sha256Digest::hex));
    const std::unordered_set<Sha256Digest> set(digests.begin(), digests.end());
    EXPECT_EQ(set.size(), 100U);
    EXPECT_EQ(Sha256Digest().hex(), std::string(64, '0'));
}

}  // namespace
}  // namespace nexa
