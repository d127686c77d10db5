// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "cli/table.h"
#include "core/json.h"
#include "core/utf8.h"
#include "core/value_node.h"

namespace nexa::cli {

namespace {

constexpr std::size_t kBarMin = 10;
constexpr std::size_t kBarMax = 40;

double fraction(const protocol::EngineEvent& event) {
    return std::clamp(static_cast<double>(event.done) / static_cast<double>(event.total), 0.0, 1.0);
}

/// "120/230 steps  4.1/s  0:27 left".
std::string amounts(const protocol::EngineEvent& event, std::string_view gap) {
    std::string text = std::to_string(event.done);
    if (event.total > 0) {
        text += fmt::format("/{}", event.total);
    }
    if (!event.unit.empty()) {
        text += fmt::format(" {}", one_line(event.unit));
    }
    if (event.rate > 0 && std::isfinite(event.rate)) {
        text += fmt::format("{}{:.3g}/s", gap, event.rate);
    }
    if (event.eta_seconds) {
        text += fmt::format("{}{} left", gap, human_seconds(*event.eta_seconds));
    }
    return text;
}

std::string metrics_text(const protocol::EngineEvent& event) {
    std::string text;
    for (const auto& [name, value] : event.metrics) {
        text += fmt::format(" {}={:.6g}", one_line(name), value);
    }
    return text;
}

std::string status_text(const ValueNode& data) {
    const ValueNode* status = data.find("status");
    const ValueNode* reason = data.find("reason");
    std::string text = fmt::format("status {}", status == nullptr ? "?" : one_line(status->text));
    if (reason != nullptr && !reason->text.empty()) {
        text += fmt::format(" ({})", one_line(reason->text));
    }
    return text;
}

}  // namespace

std::string progress_bar(const protocol::EngineEvent& event, std::size_t columns) {
    const std::string phase = one_line(event.phase.empty() ? "working" : event.phase);
    if (event.total <= 0) {
        return quotable(fmt::format("{}  {}", phase, amounts(event, "  ")), columns - 1);
    }
    const double part = fraction(event);
    const std::string tail =
        fmt::format("{:3}%  {}", static_cast<int>(part * 100), amounts(event, "  "));
    const std::size_t taken = utf8_length(phase) + utf8_length(tail) + 6;
    if (taken + kBarMin > columns) {
        return quotable(fmt::format("{}  {}", phase, tail), columns - 1);
    }
    const std::size_t room = std::min(kBarMax, columns - taken);
    const auto full = static_cast<std::size_t>(part * static_cast<double>(room));
    std::string bar(full, '=');
    if (full < room) {
        bar += '>';
    }
    bar.resize(room, ' ');
    return fmt::format("{}  [{}]  {}", phase, bar, tail);
}

std::string progress_text(const protocol::EngineEvent& event) {
    const std::string phase = event.phase.empty() ? std::string() : " " + one_line(event.phase);
    return fmt::format("progress{} {}", phase, amounts(event, " "));
}

std::string EventPrinter::line(std::string_view text) {
    return finish() + std::string(text) + "\n";
}

std::string EventPrinter::finish() {
    if (!bar_stands_) {
        return {};
    }
    bar_stands_ = false;
    return "\r\x1b[K";
}

std::string EventPrinter::show(const protocol::JobEventView& event) {
    if (event.type == "status") {
        const auto data = parse_json(event.data.text);
        if (!data) {
            return {};
        }
        if (const ValueNode* status = data->find("status"); status != nullptr) {
            status_ = status->text;
        }
        return line(status_text(*data));
    }
    const auto data =
        from_json<protocol::EngineEvent>(event.data.text, {.unknown_keys = UnknownKeys::kIgnore});
    if (!data) {
        return {};  // of a newer server: the end of the job still shows
    }
    if (event.type == "progress" && style_.redraws) {
        bar_stands_ = true;
        return "\r" + progress_bar(*data, style_.columns) + "\x1b[K";
    }
    if (event.type == "progress") {
        return progress_text(*data) + "\n";
    }
    if (event.type == "metric") {
        return style_.redraws ? std::string() : fmt::format("metric{}\n", metrics_text(*data));
    }
    return line(fmt::format("log {}", one_line(data->message)));
}

}  // namespace nexa::cli
