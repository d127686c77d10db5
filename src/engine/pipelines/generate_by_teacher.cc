// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/generate_by_teacher.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <utility>

#include "core/json_writer.h"
#include "core/sha256.h"
#include "data/split.h"
#include "engine/pipelines/llm_client.h"
#include "engine/pipelines/teacher_rows.h"

namespace nexa::pipelines {

namespace {

using protocol::LlmReply;
using protocol::LlmRequest;

constexpr int kRowsPerRequest = 10;
constexpr std::int64_t kRequestsPerRound = 16;
constexpr std::size_t kExamples = 3;
/// A teacher that says only what was there before will not stop.
constexpr int kIdleRoundsMax = 4;
constexpr std::int64_t kFailedRowsKept = 100'000;

/// The rows that failed, kept so that nobody has to guess what is missing and why.
class FailedRows {
public:
    explicit FailedRows(std::filesystem::path path) : path_(std::move(path)) {}

    Status add(std::int64_t request, const std::string& reason, const std::string& text) {
        ++count_;
        if (count_ > kFailedRowsKept) {
            return {};
        }
        JsonWriter json;
        json.begin_object();
        json.key("row");
        json.null();
        json.key("reason");
        json.string(reason);
        json.key("request");
        json.whole(request);
        json.key("text");
        json.string(text);
        json.end_object();
        if (!file_.is_open()) {
            file_.open(path_, std::ios::binary);
            file_ << "[\n" << json.take();
        } else {
            file_ << ",\n" << json.take();
        }
        return check();
    }
    Status finish() {
        if (!file_.is_open()) {
            return {};
        }
        file_ << "\n]\n";
        file_.close();
        return check();
    }
    std::int64_t count() const { return count_; }

private:
    Status check() const {
        return file_ ? Status()
                     : Error::unavailable("cannot write {}: is the disk full?", path_.string());
    }

    std::filesystem::path path_;
    std::ofstream file_;
    std::int64_t count_ = 0;
};

class TeacherRun {
public:
    TeacherRun(
        Job& job,
        const protocol::GenerateSpec& spec,
        std::uint64_t seed,
        DatasetWriter& writer,
        const std::filesystem::path& folder
    )
        : job_(job),
          spec_(spec),
          seed_(seed),
          writer_(writer),
          failed_(folder / "failed_rows.json"),
          recipe_{.subject = spec.domain, .rows = kRowsPerRequest, .seed = seed} {}

    Result<TeacherRows> run(LlmClient& client) {
        int idle_rounds = 0;
        while (!is_enough() && !capped_ && idle_rounds < kIdleRoundsMax) {
            const std::int64_t before = made_.rows;
            auto requests = next_round();
            const std::int64_t first = asked_ - static_cast<std::int64_t>(requests.size());
            const std::vector<LlmRequest> sent = requests;
            TRY(const auto replies, client.ask(std::move(requests)));
            for (std::size_t i = 0; i < replies.size(); ++i) {
                const auto number = first + static_cast<std::int64_t>(i);
                TRY_STATUS(take(sent[i], replies[i], number));
            }
            idle_rounds = made_.rows == before ? idle_rounds + 1 : 0;
        }
        made_.failed = failed_.count();
        TRY_STATUS(failed_.finish());
        TRY_STATUS(say_why_it_ended(idle_rounds));
        return made_;
    }

private:
    bool is_enough() const { return made_.rows >= spec_.num_samples; }

    /// Some rows will be refused, so a few more than needed are asked for.
    std::vector<LlmRequest> next_round() {
        const std::int64_t missing = spec_.num_samples - made_.rows;
        const std::int64_t wanted = (missing + missing / 5 + kRowsPerRequest - 1) / kRowsPerRequest;
        const std::int64_t count = std::clamp<std::int64_t>(wanted, 1, kRequestsPerRound);
        const std::vector<MadeRow> examples(recent_.begin(), recent_.end());
        std::vector<LlmRequest> requests;
        for (std::int64_t i = 0; i < count; ++i) {
            LlmRequest request = ask_for_rows(recipe_, asked_++, examples);
            request.temperature = spec_.temperature;
            request.max_tokens = spec_.max_new_tokens;
            requests.push_back(std::move(request));
        }
        return requests;
    }

    Status take(const LlmRequest& request, const LlmReply& reply, std::int64_t number) {
        made_.cost_usd += reply.cost_usd;
        if (reply.error) {
            return take_error(*reply.error, number);
        }
        for (const protocol::LlmChoice& choice : reply.choices) {
            const bool is_cut = choice.finish_reason == "length";
            for (WrittenRow& written : read_rows(choice.text, is_cut)) {
                TRY_STATUS(take_row(request, std::move(written), number));
            }
        }
        return {};
    }

    Status take_error(const protocol::EngineError& error, std::int64_t number) {
        if (is_cost_cap(error)) {
            capped_ = true;
            return {};
        }
        // A filter may refuse one prompt and not the next; all else concerns the whole job.
        return is_about_one_request(error) ? failed_.add(number, error.message, "")
                                           : Status(to_error(error));
    }

    Status take_row(const LlmRequest& request, WrittenRow written, std::int64_t number) {
        if (!written.row) {
            return failed_.add(number, written.reason, written.text);
        }
        MadeRow& row = *written.row;
        if (is_enough()) {
            return {};
        }
        if (!seen_.add(row.prompt)) {
            return failed_.add(number, "the same question was there before", written.text);
        }
        const data::SplitShares shares{
            .train = 1 - spec_.validation_fraction - spec_.test_fraction,
            .validation = spec_.validation_fraction,
            .test = spec_.test_fraction,
        };
        TRY(const data::Split split, data::split_of(row.prompt, shares, seed_));
        row.meta = {
            {"domain", spec_.domain},
            {"teacher", spec_.teacher.value_or("")},
            {"prompt_sha256", sha256(request.messages.back().content).hex()},
            {"request", std::to_string(number)},
        };
        TRY_STATUS(writer_.add(split, row));
        ++made_.rows;
        recent_.push_back(std::move(row));
        if (recent_.size() > kExamples) {
            recent_.pop_front();
        }
        job_.events.progress(
            {.phase = "generate", .done = made_.rows, .total = spec_.num_samples, .unit = "rows"}
        );
        return {};
    }

    Status say_why_it_ended(int idle_rounds) {
        if (made_.rows == 0 && capped_) {
            return Error::invalid_argument("the cost cap is reached before the first row")
                .at(protocol::kCostCapParam)
                .hint("raise max_cost_usd, or lower max_new_tokens");
        }
        if (made_.rows == 0) {
            return Error::invalid_argument(
                       "no row of {} answers of teacher '{}' can be used",
                       asked_,
                       spec_.teacher.value_or("")
            )
                .at("teacher")
                .hint("failed_rows.json would say why; try a model that follows instructions");
        }
        if (capped_) {
            job_.events.say(
                "generate",
                fmt::format("cost cap of ${} reached after {} rows", spec_.max_cost_usd, made_.rows)
            );
        } else if (idle_rounds == kIdleRoundsMax) {
            job_.events.say(
                "generate", fmt::format("the teacher has nothing new after {} rows", made_.rows)
            );
        }
        return {};
    }

    Job& job_;
    const protocol::GenerateSpec& spec_;
    const std::uint64_t seed_;
    DatasetWriter& writer_;
    FailedRows failed_;
    RowRecipe recipe_;
    SeenQuestions seen_;
    std::deque<MadeRow> recent_;
    std::int64_t asked_ = 0;
    bool capped_ = false;
    TeacherRows made_;
};

}  // namespace

Result<TeacherRows> write_teacher_rows(
    Job& job, const protocol::GenerateSpec& spec, std::uint64_t seed, DatasetWriter& writer
) {
    if (job.input("teacher")) {
        return Error::invalid_argument("rows about a subject are written by an endpoint")
            .at("teacher")
            .hint("name it as provider/model; `distill` asks checkpoints");
    }
    TRY(const auto folder, job.make_output("dataset"));
    TRY(LlmClient client, LlmClient::connect(job.dir, job.cancel, job.clock));
    return TeacherRun(job, spec, seed, writer, folder).run(client);
}

}  // namespace nexa::pipelines
