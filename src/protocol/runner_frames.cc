// SPDX-License-Identifier: Apache-2.0
#include "protocol/runner_frames.h"

#include <utility>

#include "core/json.h"
#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(RunnerMessage);
NEXA_JSON_CODEC(RunnerHello);
NEXA_JSON_CODEC(GenerateRequest);
NEXA_JSON_CODEC(CancelRequest);
NEXA_JSON_CODEC(RunnerAsk);
NEXA_JSON_CODEC(RunnerReady);
NEXA_JSON_CODEC(RunnerDelta);
NEXA_JSON_CODEC(RunnerDone);
NEXA_JSON_CODEC(RunnerFailed);
NEXA_JSON_CODEC(RunnerSays);

namespace {

template <class Frame>
Result<Frame> read(std::string_view line) {
    return from_json<Frame>(
        line, {.limits = {.bytes_max = kRunnerFrameBytesMax}, .unknown_keys = UnknownKeys::kIgnore}
    );
}

}  // namespace

Status GenerateRequest::validate() const {
    if (prompt.has_value() == !messages.empty()) {
        return Error::invalid_argument("give messages or a prompt, and not both").at("messages");
    }
    for (std::size_t i = 0; i < stop.size(); ++i) {
        if (stop[i].empty()) {
            return Error::invalid_argument("is empty").at(fmt::format("stop[{}]", i));
        }
    }
    return {};
}

std::string to_frame(const RunnerAsk& ask) {
    return to_json(ask) + "\n";
}

std::string to_frame(const RunnerSays& says) {
    return to_json(says) + "\n";
}

Result<RunnerAsk> read_ask(std::string_view line) {
    return read<RunnerAsk>(line);
}

Result<RunnerSays> read_says(std::string_view line) {
    return read<RunnerSays>(line);
}

Result<std::vector<std::string>> FrameSplitter::feed(std::string_view bytes) {
    std::vector<std::string> lines;
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view piece = bytes.substr(0, end);
        if (begun_.size() + piece.size() > frame_bytes_max_) {
            return Error::resource_exhausted("a frame has more than {} bytes", frame_bytes_max_);
        }
        begun_ += piece;
        if (end == std::string_view::npos) {
            break;
        }
        bytes.remove_prefix(end + 1);
        if (!begun_.empty()) {
            lines.push_back(std::exchange(begun_, {}));
        }
    }
    return lines;
}

}  // namespace nexa::protocol
