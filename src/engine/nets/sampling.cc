// SPDX-License-Identifier: Apache-2.0
#include "engine/nets/sampling.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/mix_bits.h"
#include "engine/nets/seed.h"

namespace nexa::nets {

namespace {

/// The token at whose probability the running sum passes the draw.
std::int64_t draw_any(std::span<const float> probabilities, double uniform) {
    double left = uniform;
    std::int64_t last = 0;
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
        if (probabilities[i] > 0) {
            last = static_cast<std::int64_t>(i);
            left -= static_cast<double>(probabilities[i]);
            if (left < 0.0) {
                break;
            }
        }
    }
    return last;
}

}  // namespace

double uniform_at(std::uint64_t stream, std::uint64_t step) {
    return static_cast<double>(mix_bits(stream + step) >> 11) * 0x1.0p-53;
}

std::uint64_t sampling_stream(std::uint64_t seed) {
    return mix_bits(derive_seed(seed, "sampling"));
}

std::int64_t draw_token(std::span<const float> probabilities, double top_p, double uniform) {
    if (top_p >= 1.0) {
        return draw_any(probabilities, uniform);
    }
    std::vector<std::int64_t> order(probabilities.size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    const auto likelier = [&](std::int64_t a, std::int64_t b) {
        const float left = probabilities[static_cast<std::size_t>(a)];
        const float right = probabilities[static_cast<std::size_t>(b)];
        return left != right ? left > right : a < b;
    };
    std::ranges::sort(order, likelier);
    double kept = 0.0;
    std::size_t count = 0;
    while (count < order.size() && (count == 0 || kept < top_p)) {
        kept += static_cast<double>(probabilities[static_cast<std::size_t>(order[count])]);
        ++count;
    }
    double left = uniform * kept;
    for (std::size_t i = 0; i + 1 < count; ++i) {
        left -= static_cast<double>(probabilities[static_cast<std::size_t>(order[i])]);
        if (left < 0.0) {
            return order[i];
        }
    }
    return order[count - 1];
}

}  // namespace nexa::nets
