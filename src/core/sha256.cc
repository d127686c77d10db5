// SPDX-License-Identifier: Apache-2.0
#include "core/sha256.h"

#include <algorithm>
#include <bit>

#include "core/sha256_internal.h"

namespace nexa {

namespace {

constexpr std::size_t kBlockBytes = 64;
constexpr std::string_view kTextPrefix = "sha256:";

/// The fraction bits of the square roots of the first eight primes.
constexpr std::array<std::uint32_t, 8> kStart{
    0x6a09e667,
    0xbb67ae85,
    0x3c6ef372,
    0xa54ff53a,
    0x510e527f,
    0x9b05688c,
    0x1f83d9ab,
    0x5be0cd19,
};

std::uint32_t load_big_endian(const std::byte* bytes) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes, sizeof(word));
    return std::endian::native == std::endian::little ? __builtin_bswap32(word) : word;
}

template <class Word>
void store_big_endian(Word word, std::byte* bytes) {
    for (std::size_t i = 0; i < sizeof(Word); ++i) {
        bytes[i] = static_cast<std::byte>(word >> (8 * (sizeof(Word) - 1 - i)));
    }
}

/// The value of a lower-case hex digit, or -1.
int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void compress_block(std::uint32_t* state, const std::byte* block) {
    std::array<std::uint32_t, 16> w;  // the latest 16 words of the message schedule
    for (std::size_t i = 0; i < w.size(); ++i) {
        w[i] = load_big_endian(block + 4 * i);
    }
    std::array<std::uint32_t, 8> before;
    std::copy_n(state, before.size(), before.begin());
    auto [a, b, c, d, e, f, g, h] = before;
    for (std::size_t first = 0; first < internal::kSha256Rounds.size(); first += w.size()) {
// Unrolled, the words stay in registers: about 1.4 times as fast.
#pragma GCC unroll 16
        for (std::size_t i = 0; i < w.size(); ++i) {
            if (first > 0) {
                const std::uint32_t x = w[(i + 1) % 16];
                const std::uint32_t y = w[(i + 14) % 16];
                w[i] += w[(i + 9) % 16] + (std::rotr(x, 7) ^ std::rotr(x, 18) ^ (x >> 3)) +
                        (std::rotr(y, 17) ^ std::rotr(y, 19) ^ (y >> 10));
            }
            const std::uint32_t one = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                                      (g ^ (e & (f ^ g))) + internal::kSha256Rounds[first + i] +
                                      w[i];
            const std::uint32_t two =
                (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) | (c & (a | b)));
            h = g;
            g = f;
            f = e;
            e = d + one;
            d = c;
            c = b;
            b = a;
            a = one + two;
        }
    }
    const std::array<std::uint32_t, 8> after{a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < after.size(); ++i) {
        state[i] = before[i] + after[i];
    }
}

}  // namespace

void internal::compress_portable(std::uint32_t* state, const std::byte* blocks, std::size_t count) {
    for (; count > 0; --count, blocks += kBlockBytes) {
        compress_block(state, blocks);
    }
}

Sha256::Sha256(Sha256Code code) : state_(kStart) {
    static const bool fast = internal::has_sha_ni();
    compress_ = code == Sha256Code::kFastest && fast ? internal::compress_sha_ni
                                                     : internal::compress_portable;
}

void Sha256::update(std::span<const std::byte> bytes) {
    const std::size_t held = byte_count_ % kBlockBytes;
    byte_count_ += bytes.size();
    if (held > 0) {
        const std::size_t taken = std::min(kBlockBytes - held, bytes.size());
        std::copy_n(bytes.begin(), taken, pending_.begin() + static_cast<std::ptrdiff_t>(held));
        bytes = bytes.subspan(taken);
        if (held + taken < kBlockBytes) {
            return;
        }
        compress_(state_.data(), pending_.data(), 1);
    }
    compress_(state_.data(), bytes.data(), bytes.size() / kBlockBytes);
    const auto rest = bytes.last(bytes.size() % kBlockBytes);
    std::ranges::copy(rest, pending_.begin());
}

Sha256Digest Sha256::digest() const {
    // One bit, zeros, and the length in bits end the last block, or fill one more.
    const std::size_t held = byte_count_ % kBlockBytes;
    std::array<std::byte, 2 * kBlockBytes> tail{};
    std::copy_n(pending_.begin(), held, tail.begin());
    tail[held] = std::byte{0x80};
    const std::size_t blocks = held + 1 + sizeof(std::uint64_t) <= kBlockBytes ? 1 : 2;
    store_big_endian(byte_count_ * 8, &tail[blocks * kBlockBytes - sizeof(std::uint64_t)]);

    auto state = state_;
    compress_(state.data(), tail.data(), blocks);
    Sha256Digest result;
    for (std::size_t i = 0; i < state.size(); ++i) {
        store_big_endian(state[i], &result.bytes[4 * i]);
    }
    return result;
}

Sha256Digest sha256(std::span<const std::byte> bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.digest();
}

Sha256Digest sha256(std::string_view text) {
    return sha256(std::as_bytes(std::span(text)));
}

Result<Sha256Digest> Sha256Digest::parse(std::string_view text) {
    std::string_view digits = text;
    if (digits.starts_with(kTextPrefix)) {
        digits.remove_prefix(kTextPrefix.size());
    }
    Sha256Digest digest;
    if (digits.size() != 2 * digest.bytes.size()) {
        return Error::invalid_argument(
            "a SHA-256 digest has {} hex digits, this has {} characters",
            2 * digest.bytes.size(),
            digits.size()
        );
    }
    for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
        const int high = hex_value(digits[2 * i]);
        const int low = hex_value(digits[2 * i + 1]);
        if (high < 0 || low < 0) {
            return Error::invalid_argument(
                "a SHA-256 digest is lower-case hex, this has another character at {} or {}",
                2 * i,
                2 * i + 1
            );
        }
        digest.bytes[i] = static_cast<std::byte>(high * 16 + low);
    }
    return digest;
}

std::string Sha256Digest::hex() const {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::byte byte : bytes) {
        text += kDigits[std::to_integer<std::size_t>(byte >> 4)];
        text += kDigits[std::to_integer<std::size_t>(byte & std::byte{15})];
    }
    return text;
}

std::string Sha256Digest::prefixed() const {
    return std::string(kTextPrefix) + hex();
}

}  // namespace nexa
