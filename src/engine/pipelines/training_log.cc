// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/training_log.h"

#include <string>

#include "core/file.h"
#include "core/json_writer.h"
#include "core/value_node.h"

namespace nexa::pipelines {

namespace {

constexpr std::uint64_t kLogBytesMax = std::uint64_t{1} << 30U;
constexpr std::int64_t kStepsBetweenMetrics = 10;

std::int64_t step_of(std::string_view line) {
    const auto value = parse_json(line);
    const ValueNode* step = value ? value->find("step") : nullptr;
    return step == nullptr ? 0 : std::strtoll(step->text.c_str(), nullptr, 10);
}

/// The lines of steps up to `last`: what a killed run wrote beyond its checkpoint is done again.
std::string kept_lines(std::string_view text, std::int64_t last) {
    std::string kept;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        if (end == std::string_view::npos || step_of(text.substr(at, end - at)) > last) {
            break;
        }
        kept += text.substr(at, end + 1 - at);
        at = end + 1;
    }
    return kept;
}

}  // namespace

Status TrainingLog::on_start(const training::RunPlan& plan) {
    total_steps_ = plan.total_steps;
    std::string kept;
    if (plan.first_step > 0) {
        kept = kept_lines(read_file(path_, kLogBytesMax).value_or(""), plan.first_step);
        with_.events.say("train", fmt::format("going on from step {}", plan.first_step));
    }
    TRY_STATUS(write_file_atomically(path_, kept));
    file_.open(path_, std::ios::app);
    return {};
}

Status TrainingLog::write(const std::string& line) {
    file_ << line << '\n' << std::flush;
    return file_ ? Status()
                 : Error::unavailable("cannot write {}: is the disk full?", path_.string());
}

Status TrainingLog::on_step(const training::StepMetrics& metrics) {
    TRY_STATUS(with_.cancel.check());
    if (metrics.tokens_per_second > 0) {
        tokens_ += static_cast<double>(metrics.tokens);
        seconds_ += static_cast<double>(metrics.tokens) / metrics.tokens_per_second;
    }
    with_.events.progress(
        {.phase = "train", .done = metrics.step, .total = total_steps_, .unit = "steps"}
    );
    if (metrics.step % kStepsBetweenMetrics == 0 || metrics.step == total_steps_) {
        with_.events.metrics(
            "train",
            metrics.step,
            {{"loss", metrics.loss},
             {"learning_rate", metrics.learning_rate},
             {"gradient_norm", metrics.gradient_norm},
             {"tokens_per_second", metrics.tokens_per_second}}
        );
    }
    JsonWriter line;
    line.begin_object();
    line.key("step");
    line.whole(metrics.step);
    line.key("epoch");
    line.whole(metrics.epoch);
    for (const auto& [name, value] : {
             std::pair{"loss", metrics.loss},
             std::pair{"learning_rate", metrics.learning_rate},
             std::pair{"gradient_norm", metrics.gradient_norm},
             std::pair{"tokens_per_second", metrics.tokens_per_second},
         }) {
        line.key(name);
        line.real(value);
    }
    line.key("tokens");
    line.whole(metrics.tokens);
    line.end_object();
    return write(line.take());
}

Status TrainingLog::on_validation(const training::ValidationMetrics& metrics) {
    with_.events.metrics("train", metrics.step, {{"validation_loss", metrics.loss}});
    return write(fmt::format(R"({{"step":{},"validation_loss":{}}})", metrics.step, metrics.loss));
}

double TrainingLog::tokens_per_second() const {
    return seconds_ > 0 ? tokens_ / seconds_ : 0;
}

}  // namespace nexa::pipelines
