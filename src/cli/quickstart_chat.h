// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/quickstart_plan.h"
#include "cli/session.h"

namespace nexa::cli {

struct ChatWish {
    std::string gateway_url;
    std::string model;
    Lesson lesson = Lesson::kAddition;
    std::string eval_id;  ///< whose held-out items are asked again
};

struct ChatTurn {
    std::string prompt;
    std::string answer;
};

/// Asks the deployed model three things over the gateway: held-out questions, or for text the
/// beginnings of three held-out pieces to go on from. What the gateway finds too long stands as its
/// answer. Blocks. Errors: the gateway's, kUnavailable if its answer cannot be read.
Result<std::vector<ChatTurn>> chat_three_times(Session& session, const ChatWish& wish);

}  // namespace nexa::cli
