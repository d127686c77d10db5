// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace nexa::nets {

/// In [0, 1), from a counter: number `step` of the stream.
double uniform_at(std::uint64_t stream, std::uint64_t step);
/// A stream that depends on the seed alone, whatever runs beside it.
std::uint64_t sampling_stream(std::uint64_t seed);

/// The token that `uniform` (in [0, 1)) points at among the likeliest ones that together hold
/// `top_p` (in (0, 1]) of the probability. `probabilities` are one a token, at least one, summing
/// to about 1.
std::int64_t draw_token(std::span<const float> probabilities, double top_p, double uniform);

}  // namespace nexa::nets
