// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "core/json_writer.h"
#include "core/mix_bits.h"
#include "data/statistics.h"
#include "engine/pipelines/benchmarks.h"
#include "engine/pipelines/row_meta.h"
#include "evaluation/breakdown.h"
#include "evaluation/task.h"

namespace nexa::pipelines {

namespace {

using evaluation::Judgment;
using evaluation::TaskItem;

/// Enough for full batches of like length, and bounded however large the split is.
constexpr std::size_t kBlockItems = 8192;
constexpr std::int64_t kHistogramBinsMax = 30;

struct Item {
    std::string id;
    TaskItem task;
    evaluation::Meta meta;
};

void write_verdict(JsonWriter& writer, std::string_view name, std::optional<bool> verdict) {
    if (verdict) {
        writer.key(name);
        writer.boolean(*verdict);
    }
}

std::string to_line(const Item& item, const ModelAnswer& answer, const Judgment& judgment) {
    JsonWriter writer;
    writer.begin_object();
    const auto text = [&](std::string_view name, std::string_view value) {
        writer.key(name);
        writer.string(value);
    };
    text("id", item.id);
    text("prompt", item.task.prompt());
    if (item.task.reference) {
        text("expected", *item.task.reference);
    }
    text("got", answer.text);
    write_verdict(writer, "correct", judgment.exact ? judgment.exact : judgment.verified);
    write_verdict(writer, "verified", judgment.verified);
    text("finish", to_string(answer.end));
    writer.key("prompt_tokens");
    writer.whole(answer.question_tokens);
    writer.key("answer_tokens");
    writer.whole(answer.answer_tokens);
    writer.key("meta");
    writer.raw(meta_json(item.meta));
    writer.end_object();
    return writer.take();
}

class Heldout {
public:
    explicit Heldout(const BenchmarkWork& work) : work_(work) {}

    Status run() {
        while (true) {
            TRY(std::vector<Item> block, read_block());
            if (block.empty()) {
                return check_any();
            }
            TRY_STATUS(measure(block));
        }
    }

    Result<BenchmarkOutcome> finish() {
        BenchmarkOutcome outcome{.samples = right_.total, .usage = usage_};
        evaluation::Report& report = outcome.report;
        report.scores = scores();
        for (const evaluation::BreakdownGroup& group : breakdown_.groups()) {
            evaluation::BarPlot plot{.title = fmt::format("Right answers by {}", group.name)};
            for (const auto& [value, share] : group.shares) {
                plot.bars.push_back({
                    .label = value,
                    .value = share.value(),
                    .interval = share.interval(),
                    .count = share.total,
                });
            }
            report.bars.push_back(std::move(plot));
        }
        const auto [least, most] = std::ranges::minmax(lengths_);
        const auto bins = std::clamp<std::int64_t>(
            static_cast<std::int64_t>(most - least) + 1, 1, kHistogramBinsMax
        );
        TRY(auto histogram, data::histogram(lengths_, bins));
        report.histograms.push_back({
            .title = "Lengths of the answers",
            .unit = "tokens",
            .histogram = std::move(histogram),
        });
        report.samples_title = "Wrong answers";
        report.samples = std::move(wrong_);
        return outcome;
    }

private:
    Status check_any() const {
        if (right_.total == 0) {
            return Error::invalid_argument("the dataset has no row in its test split")
                .at("dataset_uri")
                .hint(
                    "add a file test.jsonl, generate with test_fraction above 0, or give at least "
                    "ten different questions"
                );
        }
        return {};
    }

    Result<std::vector<Item>> read_block() {
        std::vector<Item> block;
        while (block.size() < kBlockItems) {
            TRY(auto row, work_.rows.next());
            if (!row) {
                break;
            }
            std::string id = fmt::format("{}:{}", row->file, row->number);
            auto task = evaluation::task_of(row->row, row->meta);
            if (!task) {
                return std::move(task).error().at(id).hint(
                    "benchmark 'perplexity' measures texts and rows without answers"
                );
            }
            if (!task->reference && !task->verifier) {
                return Error::invalid_argument("the row has no answer to compare with")
                    .at(id)
                    .hint("end the conversation with the assistant's answer");
            }
            block.push_back(
                {.id = std::move(id), .task = *std::move(task), .meta = std::move(row->meta)}
            );
        }
        return block;
    }

    Status measure(const std::vector<Item>& block) {
        std::vector<ModelQuestion> questions;
        for (const Item& item : block) {
            const auto number = static_cast<std::uint64_t>(right_.total) + questions.size();
            questions.push_back({
                .messages = item.task.question,
                .seed = mix_bits(mix_bits(work_.spec.seed) + number),
            });
        }
        const auto total = std::max(
            work_.rows.rows_total(), right_.total + static_cast<std::int64_t>(block.size())
        );
        TRY(const auto answers,
            answer_questions(
                work_.model,
                questions,
                {.new_tokens_max = work_.spec.max_new_tokens, .temperature = work_.spec.temperature
                },
                [this] { return work_.job.cancel.cancelled(); },
                [&](std::int64_t answered) -> Status {
                    work_.job.events.progress({
                        .phase = "evaluate",
                        .done = right_.total + answered,
                        .total = total,
                        .unit = "samples",
                    });
                    return work_.job.cancel.check();
                }
            ));
        for (std::size_t i = 0; i < block.size(); ++i) {
            TRY_STATUS(count(block[i], answers[i]));
        }
        return {};
    }

    Status count(const Item& item, const ModelAnswer& answer) {
        const Judgment judgment = evaluation::judge(item.task, answer.text);
        const bool is_right = judgment.exact.value_or(judgment.verified.value_or(false));
        right_.add(is_right);
        breakdown_.add(item.meta, is_right);
        if (judgment.verified) {
            verified_.add(*judgment.verified);
        }
        cut_off_ += answer.end == AnswerEnd::kCutOff ? 1 : 0;
        too_long_ += answer.end == AnswerEnd::kQuestionTooLong ? 1 : 0;
        lengths_.push_back(static_cast<double>(answer.answer_tokens));
        usage_.input_tokens += answer.question_tokens;
        usage_.output_tokens += answer.answer_tokens;
        ++usage_.evaluated_samples;
        if (!is_right && wrong_.size() < evaluation::Report::kSamplesMax) {
            wrong_.push_back({
                .id = item.id,
                .prompt = std::string(item.task.prompt()),
                .expected = item.task.reference.value_or(""),
                .got = answer.text,
                .note =
                    answer.end == AnswerEnd::kByItself ? "" : std::string(to_string(answer.end)),
            });
        }
        return work_.items.add(to_line(item, answer, judgment));
    }

    std::vector<evaluation::ReportScore> scores() const {
        std::vector<evaluation::ReportScore> scores{{
            .name = "exact_match",
            .value = right_.value(),
            .interval = right_.interval(),
            .about = "answers equal to the reference but for white space around them",
        }};
        if (verified_.total == right_.total) {
            scores.push_back({
                .name = "verified",
                .value = verified_.value(),
                .interval = verified_.interval(),
                .about = "answers that a program which solves the problem calls right",
            });
        }
        const auto add = [&](std::string name, std::int64_t value, std::string about) {
            scores.push_back(
                {.name = std::move(name),
                 .value = static_cast<double>(value),
                 .interval = {},
                 .about = std::move(about)}
            );
        };
        add("samples", right_.total, "questions asked");
        add("cut_off", cut_off_, "answers that did not end by themselves");
        add("question_too_long", too_long_, "questions that the model has no room for, not asked");
        return scores;
    }

    const BenchmarkWork& work_;
    evaluation::Share right_;
    evaluation::Share verified_;
    evaluation::Breakdown breakdown_;
    std::vector<double> lengths_;
    std::int64_t cut_off_ = 0;
    std::int64_t too_long_ = 0;
    std::vector<evaluation::ReportSample> wrong_;
    protocol::Usage usage_;
};

}  // namespace

Result<BenchmarkOutcome> run_heldout(const BenchmarkWork& work) {
    if (work.rows.format() == columnar::RowFormat::kText) {
        return Error::invalid_argument("the dataset is text, which asks nothing")
            .at("benchmark")
            .hint("benchmark 'perplexity' measures text");
    }
    Heldout heldout(work);
    TRY_STATUS(heldout.run());
    return heldout.finish();
}

}  // namespace nexa::pipelines
