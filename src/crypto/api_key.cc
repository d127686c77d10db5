// SPDX-License-Identifier: Apache-2.0
#include "crypto/api_key.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/check.h"
#include "crypto/wiped_bytes_internal.h"

namespace nexa::crypto {
namespace {

constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kRandomLength = 43;   // 62^43 > 2^256
constexpr std::size_t kChecksumLength = 6;  // 62^6 > 2^32
constexpr std::size_t kBodyLength = kRandomLength + kChecksumLength;

struct KindRow {
    ApiKeyKind kind;
    std::string_view prefix;
};
constexpr std::array<KindRow, 3> kKinds{{
    {ApiKeyKind::kUser, "nexa_"},
    {ApiKeyKind::kRestricted, "nexa_rk_"},
    {ApiKeyKind::kWorker, "nexa_wk_"},
}};

std::string_view prefix_of(ApiKeyKind kind) {
    return kKinds[static_cast<std::size_t>(kind)].prefix;
}

/// CRC-32 of zip and PNG (reflected polynomial 0xedb88320).
std::uint32_t crc32(std::string_view bytes) {
    std::uint32_t crc = 0xffffffff;
    for (const char c : bytes) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
        }
    }
    return ~crc;
}

std::array<char, kChecksumLength> checksum_of(std::string_view bytes) {
    std::array<char, kChecksumLength> digits{};
    std::uint32_t rest = crc32(bytes);
    for (char& digit : digits) {
        digit = kBase62[rest % 62];
        rest /= 62;
    }
    std::ranges::reverse(digits);
    return digits;
}

/// Writes the 256 random bits as one number of 43 base62 digits, the highest first.
void write_random_digits(Random& random, std::span<char> digits) {
    std::array<std::uint32_t, 8> number{};  // big-endian limbs
    random.fill(std::as_writable_bytes(std::span(number)));
    for (std::size_t i = digits.size(); i > 0; --i) {
        std::uint64_t remainder = 0;
        for (std::uint32_t& limb : number) {
            const std::uint64_t dividend = remainder << 32U | limb;
            limb = static_cast<std::uint32_t>(dividend / 62);
            remainder = dividend % 62;
        }
        digits[i - 1] = kBase62[remainder];
    }
    NEXA_CHECK(std::ranges::all_of(number, [](std::uint32_t limb) { return limb == 0; }));
}

std::optional<ApiKeyKind> kind_of(std::string_view text) {
    for (const KindRow& row : kKinds) {
        if (text.size() == row.prefix.size() + kBodyLength && text.starts_with(row.prefix)) {
            return row.kind;
        }
    }
    return std::nullopt;
}

}  // namespace

Sha256Digest ApiKey::sha256() const {
    return nexa::sha256(text_.reveal());
}

std::string ApiKey::masked() const {
    const std::size_t shown = prefix_of(kind_).size() + 4;
    const std::string_view text = text_.reveal();
    return std::string(text.substr(0, shown)) + "…" + std::string(text.substr(text.size() - 4));
}

ApiKey make_api_key(ApiKeyKind kind, Random& random) {
    const std::string_view prefix = prefix_of(kind);
    WipedBytes text(prefix.size() + kBodyLength);
    const std::span<char> all(text.data(), text.size());
    std::ranges::copy(prefix, all.begin());
    write_random_digits(random, all.subspan(prefix.size(), kRandomLength));
    const std::size_t covered = prefix.size() + kRandomLength;
    std::ranges::copy(
        checksum_of(text.view().substr(0, covered)),
        all.begin() + static_cast<std::ptrdiff_t>(covered)
    );
    return {kind, text.view()};
}

Result<ApiKey> parse_api_key(std::string_view text) {
    const std::optional<ApiKeyKind> kind = kind_of(text);
    if (!kind) {
        return Error::unauthenticated("API key has an unknown prefix or a wrong length")
            .hint("a key starts with nexa_, nexa_rk_ or nexa_wk_");
    }
    const std::string_view body = text.substr(prefix_of(*kind).size());
    if (body.find_first_not_of(kBase62) != std::string_view::npos) {
        return Error::unauthenticated("API key holds a character that no key has");
    }
    const std::size_t covered = text.size() - kChecksumLength;
    const auto checksum = checksum_of(text.substr(0, covered));
    if (text.substr(covered) != std::string_view(checksum.data(), checksum.size())) {
        return Error::unauthenticated("API key has a wrong checksum")
            .hint("a character is missing or mistyped: copy the key again");
    }
    return ApiKey(*kind, text);
}

}  // namespace nexa::crypto
