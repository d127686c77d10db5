// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "engine/nets/parameters.h"

namespace nexa::training {

struct AdamWOptions {
    double beta1 = 0.9;
    double beta2 = 0.95;
    double epsilon = 1e-8;
    double weight_decay = 0.1;  ///< decoupled, times the learning rate; matrices only
};

/// AdamW over named parameters. Decay applies where Parameter::decays says so. Used by one thread.
class AdamW {
public:
    AdamW(nets::Parameters parameters, const AdamWOptions& options);

    void clear_gradients();
    /// The Euclidean norm of all gradients together; scales them down to `clip` if it is above
    /// (0: never). A norm that is not finite is returned as it is and nothing is scaled.
    double clip_gradients(double clip);
    /// Applies the gradients.
    void step(double learning_rate);

    std::int64_t steps() const { return steps_; }
    void set_steps(std::int64_t steps) { steps_ = steps; }
    /// First and second moments under the parameters' names: "first.NAME", "second.NAME". Writing
    /// to the tensors changes the optimizer.
    nets::Parameters moments() const;

private:
    struct Group {
        double weight_decay = 0.0;
        std::vector<at::Tensor> values, first, second;
    };
    void step_group(Group& group, double learning_rate) const;

    nets::Parameters parameters_;
    AdamWOptions options_;
    nets::Parameters moments_;
    Group decayed_, plain_;
    std::int64_t steps_ = 0;
};

}  // namespace nexa::training
