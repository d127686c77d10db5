// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/result.h"
#include "engine/training/objective.h"
#include "engine/training/thread_team_internal.h"

namespace nexa::training {

/// How many threads should each take examples of their own, out of `threads` in all; the rest is
/// for inside a product. Sharing examples out costs two meetings a step where sharing each product
/// out costs hundreds, but every thread holds gradients of its own.
std::size_t team_size_for(const Objective& objective, int threads, std::int64_t batch_size);

/// Computes losses and gradients of an objective with all threads of a team, each with a fork of
/// the objective and a run of the examples of its own. The sums are made in the order of the
/// members, so equal teams give equal bits.
class LossTeam {
public:
    /// Both must outlive the object. A team of more than one needs an objective that can fork.
    LossTeam(Objective& objective, ThreadTeam& team);

    /// The loss of `examples` divided by `divisor`, with its gradients added to the objective's; no
    /// more than `at_a_time` examples are in memory (0: no limit). A loss that is not finite comes
    /// back as it is, and the gradients are worth nothing. Errors: guard()'s.
    Result<double> backward(
        std::span<const std::size_t> examples, double divisor, std::int64_t at_a_time
    );
    /// The loss without gradients.
    Result<double> loss_sum(std::span<const std::size_t> examples, std::int64_t at_a_time);

    void set_training(bool training);

private:
    struct Order;
    Result<double> sum(const Order& order);
    void gather_gradients();

    ThreadTeam& team_;
    std::vector<std::unique_ptr<Objective>> forks_;
    std::vector<Objective*> members_;
};

}  // namespace nexa::training
