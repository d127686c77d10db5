// SPDX-License-Identifier: Apache-2.0
#include "models/safetensors.h"

#include <cstdint>

#include "core/check.h"

/// Any bytes either parse, and then every view lies inside them, or are refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
    const auto file = nexa::models::Safetensors::parse(bytes);
    if (!file) {
        return 0;
    }
    std::size_t sum = 0;
    for (const nexa::models::TensorView& tensor : file->tensors()) {
        NEXA_CHECK(file->find(tensor.name) != nullptr);
        for (const std::byte byte : tensor.bytes) {
            sum += static_cast<std::size_t>(byte);
        }
    }
    return sum == 1 ? 0 : 0;
}
