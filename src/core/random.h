// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nexa {

/// The source of randomness, handed to whatever needs it. Only apps/ makes a SystemRandom; tests
/// use fakes::SeededRandom. Implementations are thread-safe.
class Random {
public:
    virtual ~Random() = default;
    Random() = default;
    Random(const Random&) = delete;
    Random& operator=(const Random&) = delete;

    /// Fills all of `bytes`. Cannot fail; an empty span is fine.
    virtual void fill(std::span<std::byte> bytes) = 0;

    /// 64 random bits.
    std::uint64_t next();
    /// Every value of [0, bound) equally likely. `bound` is at least 1.
    std::uint64_t uniform(std::uint64_t bound);
    /// In [0, 1), a multiple of 2^-53.
    double unit();
};

/// The kernel's generator, getrandom(2): good for keys and tokens. Blocks only in early boot,
/// before the kernel has gathered entropy.
class SystemRandom final : public Random {
public:
    void fill(std::span<std::byte> bytes) override;
};

}  // namespace nexa
