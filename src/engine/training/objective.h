// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include <ATen/core/Tensor.h>

#include "core/result.h"
#include "engine/nets/parameters.h"

namespace nexa::training {

/// What a Trainer minimizes: a model together with numbered examples and their loss. One for each
/// kind of training. Used by one thread. Libtorch's exceptions may pass through: the Trainer
/// guards.
class Objective {
public:
    virtual ~Objective() = default;
    Objective() = default;
    Objective(const Objective&) = delete;
    Objective& operator=(const Objective&) = delete;

    /// The same tensors for the object's whole life.
    virtual const nets::Parameters& parameters() const = 0;
    virtual std::size_t size() const = 0;
    /// Changes when the examples do: a checkpoint of other data is refused.
    virtual std::uint64_t fingerprint() const = 0;
    /// By how much the examples' summed loss is divided to become a mean. Above 0.
    virtual double weight(std::span<const std::size_t> examples) const = 0;
    /// What the rate counts: tokens read.
    virtual std::int64_t tokens(std::span<const std::size_t> examples) const = 0;
    /// The weighted sum of losses, a differentiable scalar in float32.
    virtual at::Tensor loss_sum(std::span<const std::size_t> examples) const = 0;
    /// The same over the same weights in the same memory, but with gradients of its own, so that
    /// another thread computes beside this one; nothing where that cannot be. May not outlive this.
    virtual std::unique_ptr<Objective> fork() const { return nullptr; }
    /// Before training steps (true) and before validation (false); for dropout and the like.
    virtual void set_training(bool /*training*/) {}
    /// Adds the files beside model.safetensors that make a folder loadable as a model.
    virtual Status write_model_files(const std::filesystem::path& /*folder*/) const { return ok(); }
};

}  // namespace nexa::training
