// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "core/check.h"
#include "core/guard.h"
#include "engine/training/loss_team_internal.h"

namespace nexa::training {

namespace {

using Examples = std::span<const std::size_t>;

constexpr std::int64_t kForkBytesMax = std::int64_t{1} << 30;

/// The `index`th of `count` runs of examples that differ by one in length at most.
Examples run_of(Examples examples, std::size_t index, std::size_t count) {
    const std::size_t least = examples.size() / count;
    const std::size_t longer = examples.size() % count;
    const std::size_t begin = index * least + std::min(index, longer);
    return examples.subspan(begin, least + (index < longer ? 1 : 0));
}

}  // namespace

struct LossTeam::Order {
    Examples examples;
    double divisor = 1.0;
    std::size_t at_a_time = 0;
    bool with_gradients = false;

    /// One member's share, up to the first part that is not finite.
    double work(Objective& objective, Examples share) const {
        at::init_num_threads();  // a new thread would take as many as there are processors
        const at::AutoGradMode mode(with_gradients);
        double loss = 0.0;
        for (std::size_t begin = 0; begin < share.size() && std::isfinite(loss);
             begin += at_a_time) {
            const Examples part = share.subspan(begin, std::min(at_a_time, share.size() - begin));
            const at::Tensor mean = objective.loss_sum(part) / divisor;
            loss += mean.item<double>();
            if (with_gradients && std::isfinite(loss)) {
                mean.backward();
            }
        }
        return loss;
    }
};

std::size_t team_size_for(const Objective& objective, int threads, std::int64_t batch_size) {
    std::int64_t bytes = 1;
    for (const nets::Parameter& parameter : objective.parameters()) {
        bytes += static_cast<std::int64_t>(parameter.value.nbytes());
    }
    const std::int64_t size =
        std::min({std::int64_t{threads}, batch_size, 1 + kForkBytesMax / bytes});
    return size > 1 && objective.fork() != nullptr ? static_cast<std::size_t>(size) : 1;
}

LossTeam::LossTeam(Objective& objective, ThreadTeam& team) : team_(team), members_{&objective} {
    while (members_.size() < team_.size()) {
        forks_.push_back(objective.fork());
        NEXA_CHECK(forks_.back() != nullptr);
        members_.push_back(forks_.back().get());
    }
}

Result<double> LossTeam::sum(const Order& order) {
    std::vector<Result<double>> sums(members_.size(), 0.0);
    team_.run([&](std::size_t i) {
        sums[i] = guard([&] {
            return order.work(*members_[i], run_of(order.examples, i, members_.size()));
        });
    });
    double total = 0.0;
    for (Result<double>& part : sums) {
        TRY(const double loss, std::move(part));
        total += loss;
    }
    return total;
}

Result<double> LossTeam::backward(Examples examples, double divisor, std::int64_t at_a_time) {
    const std::size_t each = static_cast<std::size_t>(at_a_time) / members_.size();
    Result<double> loss = sum({
        .examples = examples,
        .divisor = divisor,
        .at_a_time = at_a_time > 0 ? std::max<std::size_t>(each, 1) : examples.size(),
        .with_gradients = true,
    });
    gather_gradients();
    return loss;
}

Result<double> LossTeam::loss_sum(Examples examples, std::int64_t at_a_time) {
    const std::size_t each = static_cast<std::size_t>(at_a_time) / members_.size();
    return sum({
        .examples = examples,
        .at_a_time = at_a_time > 0 ? std::max<std::size_t>(each, 1) : examples.size(),
    });
}

void LossTeam::gather_gradients() {
    const at::NoGradGuard no_grad;
    const nets::Parameters& sums = members_.front()->parameters();
    for (const auto& fork : forks_) {
        for (std::size_t i = 0; i < sums.size(); ++i) {
            at::Tensor& part = fork->parameters()[i].value.mutable_grad();
            at::Tensor& total = sums[i].value.mutable_grad();
            if (part.defined() && total.defined()) {
                total.add_(part);
            } else if (part.defined()) {
                total = part;
            }
            part.reset();
        }
    }
}

void LossTeam::set_training(bool training) {
    for (Objective* member : members_) {
        member->set_training(training);
    }
}

}  // namespace nexa::training
