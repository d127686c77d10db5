// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/result.h"

namespace nexa {

/// The 32 bytes that name content. All zero when default-constructed. Ordering is that of the
/// bytes, which is that of the hex text.
struct Sha256Digest {
    std::array<std::byte, 32> bytes{};

    /// Reads 64 lower-case hex digits, alone or behind "sha256:". Each digest has one spelling of
    /// each form, so upper case is refused. Errors: kInvalidArgument.
    static Result<Sha256Digest> parse(std::string_view text);

    /// 64 lower-case hex digits.
    std::string hex() const;
    /// "sha256:" and the hex digits.
    std::string prefixed() const;

    friend auto operator<=>(const Sha256Digest&, const Sha256Digest&) = default;
};

/// Which code computes: what this processor does fastest, or the portable one, for comparing.
enum class Sha256Code : std::uint8_t { kFastest, kPortable };

/// SHA-256 (FIPS 180-4) over bytes that come in pieces. The digest depends on the bytes alone, not
/// on the pieces. A value: a copy goes on from where the original was. Not thread-safe.
class Sha256 {
public:
    explicit Sha256(Sha256Code code = Sha256Code::kFastest);

    void update(std::span<const std::byte> bytes);
    void update(std::string_view text) { update(std::as_bytes(std::span(text))); }
    /// The digest of all bytes so far. Changes nothing: more updates may follow.
    Sha256Digest digest() const;

    /// How many bytes went in.
    std::uint64_t byte_count() const { return byte_count_; }

private:
    using Compress = void (*)(std::uint32_t* state, const std::byte* blocks, std::size_t count);

    Compress compress_;
    std::array<std::uint32_t, 8> state_;
    std::array<std::byte, 64> pending_{};  ///< the bytes behind the last whole block
    std::uint64_t byte_count_ = 0;
};

Sha256Digest sha256(std::span<const std::byte> bytes);
Sha256Digest sha256(std::string_view text);

}  // namespace nexa

template <>
struct std::hash<nexa::Sha256Digest> {
    std::size_t operator()(const nexa::Sha256Digest& digest) const noexcept {
        std::size_t start = 0;  // any eight bytes of a digest are as good as random
        std::memcpy(&start, digest.bytes.data(), sizeof(start));
        return start;
    }
};

/// Formats as "sha256:<hex>".
template <>
struct fmt::formatter<nexa::Sha256Digest> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(const nexa::Sha256Digest& digest, Context& context) const {
        return fmt::formatter<std::string_view>::format(digest.prefixed(), context);
    }
};
