// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace nexa::nets {

/// In [0, 1), from a counter: the same for a sequence whatever else runs beside it.
double sampling_uniform(std::uint64_t seed, std::uint64_t sequence, std::uint64_t step);

/// The token that `uniform` (in [0, 1)) points at among the likeliest ones that together hold
/// `top_p` (in (0, 1]) of the probability. `probabilities` are one a token, at least one, summing
/// to about 1.
std::int64_t draw_token(std::span<const float> probabilities, double top_p, double uniform);

}  // namespace nexa::nets
