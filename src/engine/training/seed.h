// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "engine/nets/seed.h"

namespace nexa::training {

using nets::derive_seed;

/// Seeds libtorch's own generators, which dropout and the like draw from, on every device. Weights
/// and data order do not draw from them: those derive their seeds.
void seed_everything(std::uint64_t seed);

/// The state of libtorch's CPU generator, to be put back after a resume.
std::vector<std::uint8_t> generator_state();
void restore_generator(const std::vector<std::uint8_t>& state);

}  // namespace nexa::training
