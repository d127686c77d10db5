// SPDX-License-Identifier: Apache-2.0
#include "engine/nets/loss.h"

#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/dot.h>

namespace nexa::nets {

at::Tensor token_losses(const Decoder& decoder, const TokenBatch& batch, const Targets& targets) {
    const at::Tensor hidden = decoder.hidden_states(batch);
    const at::Tensor learned =
        hidden.view({-1, decoder.config().hidden}).index_select(0, targets.positions);
    return at::cross_entropy_loss(
        decoder.logits(learned), targets.ids, std::nullopt, at::Reduction::None
    );
}

at::Tensor summed_loss(const Decoder& decoder, const TokenBatch& batch, const Targets& targets) {
    return at::dot(token_losses(decoder, batch, targets), targets.weights);
}

}  // namespace nexa::nets
