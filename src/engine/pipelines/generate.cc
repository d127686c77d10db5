// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/generate.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/file.h"
#include "core/json.h"
#include "data/document_qa.h"
#include "data/exact_dedup.h"
#include "data/generators.h"
#include "data/split.h"
#include "engine/pipelines/dataset_writer.h"
#include "engine/pipelines/generate_by_teacher.h"
#include "protocol/generate_spec.h"
#include "protocol/job_results.h"

namespace nexa::pipelines {

namespace {

using data::Split;
using protocol::GenerateSpec;

constexpr std::string_view kDocuments = "documents";
constexpr std::uint64_t kDocumentBytesMax = std::uint64_t{64} << 20U;
constexpr std::array kAllSplits{Split::kTrain, Split::kValidation, Split::kTest};

data::Operation operation_of(const GenerateSpec& spec) {
    if (spec.operation == "subtract") {
        return data::Operation::kSubtract;
    }
    return spec.operation == "multiply" ? data::Operation::kMultiply : data::Operation::kAdd;
}

data::ProblemSpec problem_of(const GenerateSpec& spec, data::Domain domain) {
    data::ProblemSpec problem{.domain = domain};
    problem.arithmetic = {
        .operations = {operation_of(spec)},
        .digits = {.min = spec.min_digits, .max = spec.digits},
        .reversed_answer = spec.reverse_answer,
    };
    return problem;
}

data::SplitSizes sizes_of(const GenerateSpec& spec) {
    const auto part = [&](double fraction) -> std::int64_t {
        return std::llround(fraction * static_cast<double>(spec.num_samples));
    };
    const std::int64_t validation = part(spec.validation_fraction);
    const std::int64_t test = std::min(part(spec.test_fraction), spec.num_samples - validation);
    return {.train = spec.num_samples - validation - test, .validation = validation, .test = test};
}

/// What a pipeline step hands on: where rows go and how far it is.
struct Output {
    Job& job;
    DatasetWriter& writer;
    std::int64_t total = 0;
    std::int64_t done = 0;
    TeacherRows by_teacher = {};

    Status add(Split split, const MadeRow& row) {
        if (++done % 1024 == 0) {
            TRY_STATUS(job.cancel.check());
        }
        job.events.progress({.phase = "generate", .done = done, .total = total, .unit = "rows"});
        return writer.add(split, row);
    }
};

Status write_problems(
    Output& output, const GenerateSpec& spec, data::Domain domain, std::uint64_t seed
) {
    TRY(const auto problems,
        data::ProblemSet::create(problem_of(spec, domain), sizes_of(spec), seed));
    for (const Split split : kAllSplits) {
        for (std::int64_t i = 0; i < problems.size(split); ++i) {
            data::ProblemRow row = problems.row(split, i);
            TRY_STATUS(output.add(
                split,
                {.prompt = std::move(row.prompt),
                 .answer = std::move(row.answer),
                 .meta = std::move(row.meta)}
            ));
        }
    }
    return {};
}

bool is_text(const std::filesystem::path& path) {
    return path.extension() == ".txt" || path.extension() == ".md";
}

/// The text files of a folder in the order of their names, so that the rows do not depend on the
/// disk's.
Result<std::vector<std::filesystem::path>> text_files(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> found;
    std::error_code failed;
    for (auto entry = std::filesystem::recursive_directory_iterator(folder, failed);
         !failed && entry != std::filesystem::recursive_directory_iterator();
         entry.increment(failed)) {
        if (entry->is_regular_file() && is_text(entry->path())) {
            found.push_back(entry->path());
        }
    }
    if (failed) {
        return Error::unavailable("cannot list {}: {}", folder.string(), failed.message());
    }
    if (found.empty()) {
        return Error::invalid_argument("the dataset holds no .txt or .md file").at("dataset_uri");
    }
    std::ranges::sort(found);
    return found;
}

Status write_document_rows(Output& output, const GenerateSpec& spec, std::uint64_t seed) {
    const auto folder = output.job.input("dataset");
    if (!folder) {
        return Error::invalid_argument("domain 'documents' asks about your own text")
            .at("dataset_uri")
            .hint("upload a folder of .txt or .md files with `nexa artifact push` and give its id");
    }
    TRY(const auto files, text_files(*folder));
    const data::SplitShares shares{
        .train = 1 - spec.validation_fraction - spec.test_fraction,
        .validation = spec.validation_fraction,
        .test = spec.test_fraction,
    };
    for (const std::filesystem::path& file : files) {
        const std::string name = std::filesystem::relative(file, *folder).string();
        TRY(const std::string text, read_file(file, kDocumentBytesMax));
        auto rows = data::questions_about(text, {}, seed);
        if (!rows) {
            return std::move(rows).error().at(name);
        }
        for (data::DocumentQaRow& row : *rows) {
            if (output.done == spec.num_samples) {
                return {};
            }
            // All questions about a paragraph stay on one side.
            TRY(const Split split,
                data::split_of(fmt::format("{}#{}", name, row.paragraph), shares, seed));
            TRY_STATUS(output.add(
                split,
                {
                    .prompt = std::move(row.prompt),
                    .answer = std::move(row.answer),
                    .meta =
                        {{"domain", std::string(kDocuments)},
                         {"question", std::string(data::to_string(row.question))},
                         {"source", name}},
                }
            ));
        }
    }
    return {};
}

Status write_rows(Output& output, const GenerateSpec& spec, std::uint64_t seed) {
    const bool is_built_in = spec.domain == kDocuments || data::domain_from(spec.domain);
    if (is_built_in && spec.teacher) {
        return Error::invalid_argument("rows of domain '{}' are made without one", spec.domain)
            .at("teacher");
    }
    if (const auto domain = data::domain_from(spec.domain)) {
        return write_problems(output, spec, *domain, seed);
    }
    if (spec.domain == kDocuments) {
        return write_document_rows(output, spec, seed);
    }
    if (spec.teacher) {
        TRY(output.by_teacher, write_teacher_rows(output.job, spec, seed, output.writer));
        output.done = output.by_teacher.rows;
        return {};
    }
    return Error::invalid_argument("no built-in generator makes rows about '{}'", spec.domain)
        .at("domain")
        .hint(
            "name a teacher that writes them; arithmetic, sort, reverse, count, dates and "
            "documents need none"
        );
}

/// Another for each job, and the same when a job is run again after its worker was lost. Small
/// enough for the numbers of every JSON reader.
std::uint64_t seed_of_job(const Job& job) {
    constexpr unsigned kTooMany = 11;
    return data::hash_bytes(job.spec.job_id).low >> kTooMany;
}

}  // namespace

Result<protocol::EngineResult> run_generate(Job& job) {
    TRY(const auto spec, from_json<GenerateSpec>(job.spec.payload.text));
    if (spec.validation_fraction + spec.test_fraction > 1) {
        return Error::invalid_argument("validation and test together are more than the whole")
            .at("test_fraction");
    }
    const std::uint64_t seed = spec.seed.value_or(seed_of_job(job));
    TRY(const auto folder, job.make_output("dataset"));
    TRY(DatasetWriter writer, DatasetWriter::create(folder));
    Output output{.job = job, .writer = writer, .total = spec.num_samples};
    TRY_STATUS(write_rows(output, spec, seed));
    TRY_STATUS(writer.finish());

    const std::string dataset_id = job.artifact_id("dataset");
    protocol::EngineResult ended;
    ended.result = JsonText{to_json(protocol::GenerateResult{
        .dataset_id = dataset_id,
        .dataset_uri = fmt::format("internal://{}", dataset_id),
        .num_samples = output.done,
        .num_failed = output.by_teacher.failed,
        .splits = writer.counts(),
        .seed = seed,
        .diversity = writer.diversity(),
        .cost_usd = output.by_teacher.cost_usd,
    })};
    ended.outputs.push_back({
        .artifact_id = dataset_id,
        .kind = "dataset",
        .path = "dataset",
        .name = spec.domain,
        .metrics = {{"rows", static_cast<double>(output.done)}, {"diversity", writer.diversity()}},
    });
    return ended;
}

}  // namespace nexa::pipelines
