// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_estimate.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "billing/usage_store.h"
#include "core/value_node.h"
#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration {

namespace {

constexpr int kPastJobsMax = 50;
constexpr std::size_t kFewJobs = 3;

/// How much a job has to do, and in what that is counted.
struct Work {
    double amount = 1;
    std::string unit;     ///< only amounts of one unit are compared
    std::string subject;  ///< the model, teacher or domain: what else decides how long it takes
};

class Fields {
public:
    explicit Fields(ValueNode root) : root_(std::move(root)) {}

    double number(std::string_view name, double fallback) const {
        const ValueNode* node = root_.find(name);
        double value = fallback;
        if (node != nullptr && node->kind == ValueNode::Kind::kNumber) {
            std::from_chars(node->text.data(), node->text.data() + node->text.size(), value);
        }
        return std::isfinite(value) ? value : fallback;
    }
    std::string text(std::string_view name) const {
        const ValueNode* node = root_.find(name);
        return node != nullptr && node->kind == ValueNode::Kind::kString ? node->text : "";
    }

private:
    ValueNode root_;
};

/// By the limit if the spec sets one, else by what it reads.
Work limited(const Fields& fields, std::string_view limit, double bytes, std::string subject) {
    const double most = fields.number(limit, 0);
    return most > 0 ? Work{most, std::string(limit), std::move(subject)}
                    : Work{bytes, "bytes", std::move(subject)};
}

Work work_of_training(const Fields& fields, double bytes) {
    const double steps = fields.number("max_steps", 0);
    std::string subject = fields.text("model_id");
    if (steps > 0) {
        const double tokens =
            steps * fields.number("batch_size", 1) * fields.number("max_seq_len", 1);
        return {tokens, "steps", std::move(subject)};
    }
    return {bytes * fields.number("epochs", 1), "bytes", std::move(subject)};
}

std::optional<Work> work_of(
    std::string_view job_type, const JsonText& payload, std::int64_t input_bytes
) {
    auto root = parse_json(payload.text);
    if (!root) {
        return std::nullopt;
    }
    const Fields fields(*std::move(root));
    const auto bytes = static_cast<double>(input_bytes);
    Work work;
    if (job_type == "generate") {
        work = {fields.number("num_samples", 1), "rows", fields.text("domain")};
    } else if (job_type == "audit") {
        work = limited(fields, "max_rows", bytes, "");
    } else if (job_type == "distill") {
        work = limited(fields, "max_prompts", bytes, fields.text("teacher"));
        work.amount *= fields.number("samples_per_prompt", 1);
    } else if (job_type == "train") {
        work = work_of_training(fields, bytes);
    } else if (job_type == "evaluate") {
        work = limited(fields, "max_samples", bytes, fields.text("model_id"));
    } else if (job_type == "deploy") {
        work = {bytes, "bytes", ""};
    }
    work.amount = std::max(work.amount, 1.0);
    return work;
}

/// What is left behind grows with the work only where rows are made; a model is as large as it is.
bool grows_with_work(std::string_view job_type, std::string_view meter) {
    return (meter != billing::kStoredBytes && meter != billing::kDeployments) ||
           job_type == "generate" || job_type == "distill" || job_type == "audit";
}

struct Similar {
    const PastJob* job = nullptr;
    double ratio = 1;  ///< of the work to be done to what it did
};

double quantile(const std::vector<double>& sorted, double part) {
    const double at = part * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    const double share = at - static_cast<double>(below);
    return sorted[below] + share * (sorted[above] - sorted[below]);
}

protocol::EstimateRange range_of(std::vector<double> values) {
    std::ranges::sort(values);
    const bool few = values.size() < kFewJobs;
    return {
        .low = quantile(values, few ? 0.0 : 0.1),
        .median = quantile(values, 0.5),
        .high = quantile(values, few ? 1.0 : 0.9),
    };
}

std::int64_t used_by(const PastJob& job, const std::string& meter) {
    const auto found = job.usage.find(meter);
    return found == job.usage.end() ? 0 : found->second;
}

double scaled(const Similar& similar, const std::string& job_type, const std::string& meter) {
    const auto used = static_cast<double>(used_by(*similar.job, meter));
    return grows_with_work(job_type, meter) ? used * similar.ratio : used;
}

std::vector<protocol::MeterEstimate> usage_of(
    const std::string& job_type, const std::vector<Similar>& similar
) {
    std::set<std::string> meters;
    for (const Similar& one : similar) {
        for (const auto& [meter, quantity] : one.job->usage) {
            if (quantity > 0) {
                meters.insert(meter);
            }
        }
    }
    std::vector<protocol::MeterEstimate> usage;
    for (const std::string& meter : meters) {
        const auto unit = static_cast<double>(billing::units_per_shown(meter));
        std::vector<double> values;
        for (const Similar& one : similar) {
            values.push_back(scaled(one, job_type, meter) / unit);
        }
        const protocol::EstimateRange range = range_of(std::move(values));
        usage.push_back(
            {.meter = meter, .low = range.low, .median = range.median, .high = range.high}
        );
    }
    return usage;
}

protocol::CostEstimate cost_of_all(
    const std::string& job_type, const std::vector<Similar>& similar, const billing::RateCard& card
) {
    std::vector<double> costs;
    for (const Similar& one : similar) {
        double cost = 0;
        for (const auto& [meter, quantity] : one.job->usage) {
            const double units = std::min(scaled(one, job_type, meter), 9e18);
            const billing::Metered metered{meter, static_cast<std::int64_t>(std::llround(units))};
            cost += static_cast<double>(billing::cost_of(card, job_type, metered).value());
        }
        costs.push_back(cost);
    }
    const protocol::EstimateRange range = range_of(std::move(costs));
    const auto shown = [](double micros) {
        return billing::to_dollars(billing::MicroUsd(std::llround(std::min(micros, 9e18))));
    };
    return {.low = shown(range.low), .median = shown(range.median), .high = shown(range.high)};
}

/// Those with the same subject if there are any, else all that are counted alike.
std::pair<std::vector<Similar>, bool> similar_to(
    const PlannedJob& job, const Work& work, std::span<const PastJob> past
) {
    std::vector<Similar> same;
    std::vector<Similar> others;
    for (const PastJob& one : past) {
        const auto did = work_of(job.job_type, one.payload, one.input_bytes);
        if (did && did->unit == work.unit) {
            auto& list = did->subject == work.subject ? same : others;
            list.push_back({&one, work.amount / did->amount});
        }
    }
    return same.empty() ? std::pair(std::move(others), false) : std::pair(std::move(same), true);
}

}  // namespace

Forecast forecast(
    const PlannedJob& job, std::span<const PastJob> past, const billing::RateCard& card
) {
    const auto work = work_of(job.job_type, job.payload, job.input_bytes);
    std::vector<Similar> similar;
    bool has_same_subject = false;
    if (work) {
        std::tie(similar, has_same_subject) = similar_to(job, *work, past);
    }
    if (similar.empty()) {
        return {
            .basis = fmt::format(
                "no {} job of this project {}",
                job.job_type,
                past.empty() ? "has completed yet" : "was limited in the same way"
            )
        };
    }
    std::vector<double> seconds;
    for (const Similar& one : similar) {
        seconds.push_back(one.job->seconds * one.ratio);
    }
    const std::string of_subject = work->subject.empty() ? ""
                                   : has_same_subject
                                       ? fmt::format(" with {}", work->subject)
                                       : fmt::format(", none with {}", work->subject);
    return {
        .seconds = range_of(std::move(seconds)),
        .usage = usage_of(job.job_type, similar),
        .cost_usd = cost_of_all(job.job_type, similar, card),
        .based_on = static_cast<std::int64_t>(similar.size()),
        .basis = fmt::format(
            "the newest {} completed {} {}{}, scaled by {}",
            similar.size(),
            job.job_type,
            similar.size() == 1 ? "job" : "jobs",
            of_subject,
            work->unit.empty() ? "nothing" : work->unit
        ),
    };
}

Result<std::vector<PastJob>> read_past_jobs(
    db::Tx& tx, const std::string& tenant_id, const std::string& job_type
) {
    TRY(const auto rows,
        tx.query(
            sql::kListPastJobs,
            {{"tenant_id", tenant_id}, {"job_type", job_type}, {"limit", kPastJobsMax}}
        ));
    std::vector<PastJob> past;
    past.reserve(rows.size());
    for (const db::Row& row : rows) {
        const auto ran = row.timestamp("finished_at") - row.timestamp("started_at");
        TRY(auto usage, billing::usage_store::job_usage(tx, row.text("id")));
        const std::int64_t of_dataset = row.int64("dataset_bytes");
        past.push_back({
            .payload = {row.text("payload")},
            .input_bytes = of_dataset > 0 ? of_dataset : row.int64("input_bytes"),
            .seconds = std::max(0.0, std::chrono::duration<double>(ran).count()),
            .usage = std::move(usage),
        });
    }
    return past;
}

}  // namespace nexa::orchestration
