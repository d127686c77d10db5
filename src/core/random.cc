// SPDX-License-Identifier: Apache-2.0
#include "core/random.h"

#include <cerrno>
#include <cstring>

#include <sys/random.h>

#include "core/check.h"

namespace nexa {

std::uint64_t Random::next() {
    std::uint64_t value = 0;
    fill(std::as_writable_bytes(std::span(&value, 1)));
    return value;
}

std::uint64_t Random::uniform(std::uint64_t bound) {
    NEXA_CHECK(bound > 0);
    // The lowest 2^64 mod bound values are thrown away, so that what is left is a whole multiple
    // of bound and the remainder has no bias.
    const std::uint64_t threshold = (0 - bound) % bound;
    std::uint64_t value = next();
    while (value < threshold) {
        value = next();
    }
    return value % bound;
}

double Random::unit() {
    return static_cast<double>(next() >> 11) * 0x1p-53;
}

void SystemRandom::fill(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
        if (got < 0) {
            // Without randomness no key or id may be made, and there is nothing else to do.
            NEXA_CHECK(errno == EINTR);
            continue;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
}

}  // namespace nexa
