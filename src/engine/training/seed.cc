// SPDX-License-Identifier: Apache-2.0
#include "engine/training/seed.h"

#include <algorithm>
#include <mutex>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/ops/empty.h>

namespace nexa::training {

void seed_everything(std::uint64_t seed) {
    at::manual_seed(derive_seed(seed, "generators"));
}

std::vector<std::uint8_t> generator_state() {
    at::Generator generator = at::detail::getDefaultCPUGenerator();
    const std::scoped_lock lock(generator.mutex());
    const at::Tensor state = generator.get_state();
    const auto* bytes = state.const_data_ptr<std::uint8_t>();
    return {bytes, bytes + state.numel()};
}

void restore_generator(const std::vector<std::uint8_t>& state) {
    const at::Tensor bytes = at::empty({static_cast<std::int64_t>(state.size())}, at::kByte);
    std::ranges::copy(state, bytes.mutable_data_ptr<std::uint8_t>());
    at::Generator generator = at::detail::getDefaultCPUGenerator();
    const std::scoped_lock lock(generator.mutex());
    generator.set_state(bytes);
}

}  // namespace nexa::training
