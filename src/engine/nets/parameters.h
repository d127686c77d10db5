// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace nexa::nets {

/// One trainable tensor under the name it has in a Hugging Face checkpoint. The tensor is a handle:
/// a copy of a Parameter is the same storage.
struct Parameter {
    std::string name;
    at::Tensor value;
    bool decays = true;  ///< weight decay applies; not to norms, biases and embeddings
};

using Parameters = std::vector<Parameter>;

}  // namespace nexa::nets
