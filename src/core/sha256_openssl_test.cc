// SPDX-License-Identifier: Apache-2.0
//
// Ours beside OpenSSL's. Not built where only the engine is, which has no OpenSSL.
#include <array>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "core/sha256.h"
#include "fakes/seeded_random.h"

namespace nexa {
namespace {

Sha256Digest openssl_digest(std::span<const std::byte> bytes) {
    Sha256Digest digest;
    unsigned size = 0;
    auto* const out = reinterpret_cast<unsigned char*>(digest.bytes.data());
    EXPECT_EQ(EVP_Digest(bytes.data(), bytes.size(), out, &size, EVP_sha256(), nullptr), 1);
    EXPECT_EQ(size, digest.bytes.size());
    return digest;
}

Sha256Digest our_digest(Sha256Code code, std::span<const std::byte> bytes) {
    Sha256 hash(code);
    hash.update(bytes);
    return hash.digest();
}

TEST(Sha256BesideOpenSsl, AgreesOnEveryLengthTo300) {
    fakes::SeededRandom random(11);
    for (std::size_t length = 0; length <= 300; ++length) {
        std::vector<std::byte> bytes(length);
        random.fill(bytes);
        const Sha256Digest expected = openssl_digest(bytes);
        EXPECT_EQ(our_digest(Sha256Code::kFastest, bytes), expected) << length;
        EXPECT_EQ(our_digest(Sha256Code::kPortable, bytes), expected) << length;
    }
}

TEST(Sha256BesideOpenSsl, AgreesOnMegabytesInOddPieces) {
    fakes::SeededRandom random(12);
    std::vector<std::byte> bytes((std::size_t{1} << 22) + 13);
    random.fill(bytes);
    Sha256 hash;
    for (std::span<const std::byte> rest = bytes; !rest.empty();) {
        const std::size_t taken = std::min<std::size_t>(random.uniform(70'000), rest.size());
        hash.update(rest.first(taken));
        rest = rest.subspan(taken);
    }
    EXPECT_EQ(hash.digest(), openssl_digest(bytes));
}

}  // namespace
}  // namespace nexa
