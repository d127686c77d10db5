// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/nets/parameters.h"
#include "models/config.h"

namespace nexa::nets {

/// The parameters of a decoder in their order, with initial weights, requiring gradients.
Parameters make_parameters(const models::ModelConfig& config, std::uint64_t seed);

}  // namespace nexa::nets
