// SPDX-License-Identifier: Apache-2.0
#include "crypto/password.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

#include <openssl/evp.h>

#include "crypto/base64.h"
#include "crypto/hmac.h"

namespace nexa::crypto {

namespace {

constexpr std::string_view kHead = "$scrypt$";
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
/// What a stored text may ask for: a damaged row must not take all memory.
constexpr PasswordCost kCostMax{.cost_log2 = 20, .block_size = 16, .passes = 16};

struct Encoded {
    PasswordCost cost;
    std::string salt;
    std::string hash;
};

Result<std::string> derive(
    std::string_view password, std::string_view salt, const PasswordCost& cost
) {
    std::array<unsigned char, kHashBytes> hash{};
    const std::uint64_t n = std::uint64_t{1} << static_cast<unsigned>(cost.cost_log2);
    const std::uint64_t memory = 128 * static_cast<std::uint64_t>(cost.block_size) *
                                 (n + static_cast<std::uint64_t>(cost.passes) + 2);
    const int made = EVP_PBE_scrypt(
        password.data(),
        password.size(),
        reinterpret_cast<const unsigned char*>(salt.data()),
        salt.size(),
        n,
        static_cast<std::uint64_t>(cost.block_size),
        static_cast<std::uint64_t>(cost.passes),
        memory,
        hash.data(),
        hash.size()
    );
    if (made != 1) {
        return Error::unavailable("there is no memory to check a password");
    }
    return std::string(reinterpret_cast<const char*>(hash.data()), hash.size());
}

/// Takes "name=number" and what ends it off the front of `text`.
std::optional<int> take_number(std::string_view& text, std::string_view name, char end) {
    if (!text.starts_with(name)) {
        return std::nullopt;
    }
    text.remove_prefix(name.size());
    int value = 0;
    const auto [behind, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto length = static_cast<std::size_t>(behind - text.data());
    if (failed != std::errc{} || length == text.size() || text[length] != end) {
        return std::nullopt;
    }
    text.remove_prefix(length + 1);
    return value;
}

bool is_within(const PasswordCost& cost) {
    return cost.cost_log2 >= 1 && cost.cost_log2 <= kCostMax.cost_log2 && cost.block_size >= 1 &&
           cost.block_size <= kCostMax.block_size && cost.passes >= 1 &&
           cost.passes <= kCostMax.passes;
}

Result<Encoded> parse(std::string_view text) {
    const Error damaged = Error::data_loss("a stored password cannot be read");
    if (!text.starts_with(kHead)) {
        return damaged;
    }
    text.remove_prefix(kHead.size());
    const auto cost_log2 = take_number(text, "ln=", ',');
    const auto block_size = take_number(text, "r=", ',');
    const auto passes = take_number(text, "p=", '$');
    const std::size_t end_of_salt = text.find('$');
    if (!cost_log2 || !block_size || !passes || end_of_salt == std::string_view::npos) {
        return damaged;
    }
    const auto salt = from_base64(text.substr(0, end_of_salt), Base64Form::kUrl);
    const auto hash = from_base64(text.substr(end_of_salt + 1), Base64Form::kUrl);
    const PasswordCost cost{.cost_log2 = *cost_log2, .block_size = *block_size, .passes = *passes};
    if (!salt || !hash || hash->size() != kHashBytes || !is_within(cost)) {
        return damaged;
    }
    return Encoded{.cost = cost, .salt = *salt, .hash = *hash};
}

std::string text_of(const Encoded& encoded) {
    return fmt::format(
        "{}ln={},r={},p={}${}${}",
        kHead,
        encoded.cost.cost_log2,
        encoded.cost.block_size,
        encoded.cost.passes,
        to_base64(encoded.salt, Base64Form::kUrl),
        to_base64(encoded.hash, Base64Form::kUrl)
    );
}

std::string random_bytes(std::size_t count, Random& random) {
    std::string bytes(count, '\0');
    random.fill(std::as_writable_bytes(std::span(bytes)));
    return bytes;
}

}  // namespace

namespace blocking {

Result<std::string> hash_password(
    std::string_view password, const PasswordCost& cost, Random& random
) {
    const std::string salt = random_bytes(kSaltBytes, random);
    TRY(const std::string hash, derive(password, salt, cost));
    return text_of({.cost = cost, .salt = salt, .hash = hash});
}

Result<PasswordVerdict> check_password(
    std::string_view password, std::string_view encoded, const PasswordCost& wanted
) {
    TRY(const Encoded known, parse(encoded));
    TRY(const std::string hash, derive(password, known.salt, known.cost));
    return PasswordVerdict{
        .matches = constant_time_equal(hash, known.hash),
        .outdated = known.cost != wanted,
    };
}

}  // namespace blocking

std::string unmatched_password(const PasswordCost& cost, Random& random) {
    return text_of(
        {.cost = cost,
         .salt = random_bytes(kSaltBytes, random),
         .hash = random_bytes(kHashBytes, random)}
    );
}

}  // namespace nexa::crypto
