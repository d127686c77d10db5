// SPDX-License-Identifier: Apache-2.0
#include "cli/quickstart.h"

#include <algorithm>
#include <charconv>
#include <ostream>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/artifact_transfer.h"
#include "cli/follow.h"
#include "cli/interrupt.h"
#include "cli/local_stack.h"
#include "cli/progress.h"
#include "cli/quickstart_chat.h"
#include "cli/quickstart_plan.h"
#include "cli/quickstart_report.h"
#include "cli/quickstart_state.h"
#include "core/check.h"
#include "core/file.h"
#include "core/json_writer.h"
#include "core/utf8.h"
#include "net/url.h"
#include "protocol/artifact_views.h"
#include "protocol/deployment_views.h"
#include "protocol/job_results.h"
#include "protocol/job_status.h"

namespace nexa::cli {

namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;
using Time = std::chrono::steady_clock::time_point;

constexpr std::chrono::milliseconds kPollEvery{150};
constexpr std::chrono::seconds kSilenceMax{90};  ///< of a server that is started again
constexpr std::chrono::seconds kNewsEvery{10};   ///< where no line can be redrawn
constexpr std::size_t kTitleColumns = 18;

double seconds_between(Time from, Time until) {
    return std::chrono::duration<double>(until - from).count();
}

/// From the moment its engine said something to its end, as the server saw it.
double seconds_of(const protocol::JobView& job) {
    const auto from = parse_rfc3339(job.started_at.value_or(job.created_at));
    const auto until = parse_rfc3339(job.finished_at.value_or(job.updated_at));
    return from && until ? std::chrono::duration<double>(*until - *from).count() : 0;
}

double dollars_of(const protocol::JobView& job) {
    double amount = 0;
    std::from_chars(job.cost_usd.data(), job.cost_usd.data() + job.cost_usd.size(), amount);
    return amount;
}

bool has_ended(const protocol::JobView& job) {
    const auto status = protocol::job_status_from(job.status);
    return status && protocol::is_final(*status);
}

/// "[3/9]", or "[3]" while it is not known how many there are (`all` is 0).
std::string place(std::size_t number, std::size_t all) {
    return all == 0 ? fmt::format("[{}]", number) : fmt::format("[{}/{}]", number, all);
}

/// Steps as a person sees them: one line each, redrawn while it runs where the terminal can.
class StepLine {
public:
    StepLine(Session& session, std::size_t number, std::size_t all, std::string_view title)
        : session_(session),
          redraws_(session.context().may_color(session.context().err_is_terminal)),
          head_(fmt::format("{:<6}{:<{}}", place(number, all), title, kTitleColumns)) {}

    void show(const std::optional<protocol::EngineEvent>& progress) {
        const Time now = session_.context().clock.steady_now();
        if (!redraws_ && now < next_news_) {
            return;
        }
        next_news_ = now + kNewsEvery;
        if (redraws_) {
            const std::size_t columns = session_.context().columns;
            const std::size_t room = columns > head_.size() + 20 ? columns - head_.size() : 20;
            draw(head_ + (progress ? progress_bar(*progress, room) : std::string("waiting")));
        } else if (progress) {
            session_.note(head_ + progress_text(*progress));
        }
    }
    void done(const StepReport& report) {
        const std::string cost =
            report.cost_usd > 0 ? fmt::format("  ${:.6f}", report.cost_usd) : std::string();
        if (redraws_) {
            draw("");
        }
        session_.note(fmt::format("{}{}  {:.1f} s{}", head_, report.note, report.seconds, cost));
    }
    void failed() {
        if (redraws_) {
            draw("");
        }
    }

private:
    void draw(const std::string& line) {
        session_.context().err << '\r' << quotable(line, session_.context().columns - 1) << "\x1b[K"
                               << std::flush;
    }

    Session& session_;
    bool redraws_;
    std::string head_;
    Time next_news_{};
};

class Quickstart {
public:
    Quickstart(Session& session, QuickstartOptions options, Interrupt& interrupt)
        : session_(session), options_(std::move(options)), interrupt_(interrupt) {}

    Status run();
    /// Ends the programs. Errors: kUnavailable if something had to be killed.
    Status stop();

private:
    Status take_up_or_begin();
    Status undeploy(const std::string& run_id);
    Status learn_lesson(const JsonText& audited);
    Status run_step(const StepRow& step, std::size_t number, std::size_t all);
    Result<StepReport> upload();
    Result<StepReport> run_job(const StepRow& step, StepLine& line);
    Result<protocol::JobView> submit(const StepRow& step);
    Result<protocol::JobView> wait_for(protocol::JobView job, StepLine& line);
    Result<StepReport> chat();
    Status finish();
    LocalStack& stack() {
        NEXA_CHECK(stack_.has_value());  // run() starts it before any step
        return *stack_;
    }
    std::string shown_answer(const ChatTurn& turn) const;
    std::string example_body() const;
    void show_end();

    Session& session_;
    const QuickstartOptions options_;
    Interrupt& interrupt_;
    std::optional<LocalStack> stack_;
    QuickstartState state_;
    Lesson lesson_ = Lesson::kAddition;
    Made made_;
    QuickstartReport report_;
    std::vector<ChatTurn> turns_;
};

Status Quickstart::take_up_or_begin() {
    TRY(const auto before, read_state(options_.dir));
    const std::string data = options_.data.native();
    if (before && !before->finished && before->data == data) {
        state_ = *before;
        session_.note(fmt::format("going on with the run {} that was interrupted", state_.run_id));
        return {};
    }
    if (before) {
        TRY_STATUS(undeploy(before->run_id));
    }
    state_ = {
        .run_id = fmt::format("{:08x}", session_.context().random.next() >> 32U), .data = data
    };
    return write_state(options_.dir, state_);
}

/// The model of an earlier run would be loaded at every start from now on.
Status Quickstart::undeploy(const std::string& run_id) {
    TRY(ApiClient* const api, session_.api());
    TRY(const std::string body,
        api->get(fmt::format("/deployments?live=true&name=quickstart-{}", run_id)));
    TRY(const auto page, read_reply<protocol::DeploymentList>(body));
    for (const protocol::DeploymentView& view : page.data) {
        TRY_STATUS(api->remove("/deployments/" + view.deployment_id));
    }
    return {};
}

Result<StepReport> Quickstart::upload() {
    TRY(ApiClient* const api, session_.api());
    if (state_.dataset_id.empty()) {
        const PushWish wish{
            .path = options_.data,
            .kind = "dataset",
            .name = options_.data.filename().native(),
        };
        const auto pass_over = [](std::string_view, std::size_t, std::size_t) {};
        TRY(const std::string reply, push(*api, wish, pass_over));
        TRY(const auto artifact, read_reply<protocol::ArtifactView>(reply));
        state_.dataset_id = artifact.artifact_id;
        TRY_STATUS(write_state(options_.dir, state_));
    }
    made_.dataset_id = state_.dataset_id;
    return StepReport{.note = made_.dataset_id};
}

Result<protocol::JobView> Quickstart::submit(const StepRow& step) {
    TRY(ApiClient* const api, session_.api());
    // The same key for the same step of the same run: who goes on finds the job that was made. One
    // that failed is made anew.
    const auto failures = state_.failures.find(std::string(step.name));
    const std::string again =
        failures == state_.failures.end() ? "" : fmt::format("-{}", failures->second);
    net::HttpRequest request{
        .method = net::Method::kPost,
        .url = fmt::format("/jobs/{}", step.job_type),
        .headers =
            {{"Content-Type", "application/json"},
             {"Idempotency-Key", fmt::format("quickstart-{}-{}{}", state_.run_id, step.name, again)}
            },
        .body = payload_of(step.kind, lesson_, made_, state_.run_id).text,
    };
    TRY(const net::HttpResponse reply, api->send(std::move(request)));
    TRY(const auto submitted, read_reply<protocol::JobSubmitted>(reply.body));
    TRY(const SeenJob job, look_at_job(session_, submitted.job_id));
    return job.view;
}

Result<protocol::JobView> Quickstart::wait_for(protocol::JobView job, StepLine& line) {
    const Clock& clock = session_.context().clock;
    Time heard = clock.steady_now();
    while (!has_ended(job)) {
        line.show(job.progress);
        TRY_STATUS(interrupt_.wait(kPollEvery));
        auto seen = look_at_job(session_, job.job_id);
        if (seen) {
            job = std::move(seen->view);
            heard = clock.steady_now();
        } else if (!is_retryable(seen.error().code) || clock.steady_now() - heard > kSilenceMax) {
            return std::move(seen).error();
        }
    }
    return job;
}

Result<StepReport> Quickstart::run_job(const StepRow& step, StepLine& line) {
    const Time began = session_.context().clock.steady_now();
    TRY(protocol::JobView submitted, submit(step));
    const bool was_done = has_ended(submitted);
    TRY(const protocol::JobView job, wait_for(std::move(submitted), line));
    if (job.status != "completed" || !job.result) {
        ++state_.failures[std::string(step.name)];
        TRY_STATUS(write_state(options_.dir, state_));
        return job_error(job);
    }
    TRY(std::string note, report_.take(step.kind, *job.result, made_));
    if (step.kind == StepKind::kAudit) {
        TRY_STATUS(learn_lesson(*job.result));
    }
    return StepReport{
        .seconds = was_done ? seconds_of(job)
                            : seconds_between(began, session_.context().clock.steady_now()),
        .cost_usd = dollars_of(job),
        .note = std::move(note),
    };
}

Status Quickstart::learn_lesson(const JsonText& audited) {
    if (options_.data.empty()) {
        return {};
    }
    TRY(const auto result, read_reply<protocol::AuditResult>(audited.text));
    lesson_ = lesson_of(result.row_format);
    return {};
}

Result<StepReport> Quickstart::chat() {
    const ChatWish wish{
        .gateway_url = stack().gateway_url(),
        .model = fmt::format("quickstart-{}", state_.run_id),
        .lesson = lesson_,
        .eval_id = made_.eval_id,
    };
    const Time began = session_.context().clock.steady_now();
    TRY(turns_, chat_three_times(session_, wish));
    const double seconds = seconds_between(began, session_.context().clock.steady_now());
    return StepReport{.seconds = seconds, .note = fmt::format("{} answers", turns_.size())};
}

Status Quickstart::run_step(const StepRow& step, std::size_t number, std::size_t all) {
    TRY_STATUS(interrupt_.check());
    StepLine line(session_, number, all, step.title);
    line.show(std::nullopt);
    Result<StepReport> done = step.kind == StepKind::kUpload ? upload()
                              : step.kind == StepKind::kChat ? chat()
                                                             : run_job(step, line);
    if (!done) {
        line.failed();
        return std::move(done).error();
    }
    done->name = step.name;
    done->title = step.title;
    line.done(*done);
    report_.steps.push_back(*std::move(done));
    return {};
}

Status Quickstart::run() {
    const Time began = session_.context().clock.steady_now();
    TRY(LocalStack started,
        LocalStack::start(
            session_,
            interrupt_,
            {.dir = options_.dir, .port = options_.port, .gateway_port = options_.gateway_port}
        ));
    stack_.emplace(std::move(started));
    TRY_STATUS(take_up_or_begin());
    lesson_ = options_.data.empty() ? Lesson::kAddition : Lesson::kAnswers;
    session_.note(fmt::format("server {}  gateway {}", stack().url(), stack().gateway_url()));
    // The audit of the user's data decides what follows, never what was.
    bool knows_lesson = options_.data.empty();
    for (std::size_t i = 0; i < steps_of(lesson_).size(); ++i) {
        const std::vector<StepRow> steps = steps_of(lesson_);
        TRY_STATUS(run_step(steps[i], i + 1, knows_lesson ? steps.size() : 0));
        knows_lesson = knows_lesson || steps[i].kind == StepKind::kAudit;
    }
    report_.seconds = seconds_between(began, session_.context().clock.steady_now());
    return finish();
}

Status Quickstart::finish() {
    if (!options_.report.empty()) {
        TRY_STATUS(write_file_atomically(options_.report, report_.to_json() + "\n"));
    }
    state_.finished = true;
    TRY_STATUS(write_state(options_.dir, state_));
    show_end();
    const bool stays = !options_.ends && session_.context().out_is_terminal;
    if (stays) {
        session_.note("everything stays up until Ctrl-C");
    }
    while (stays && interrupt_.wait(1s)) {
    }
    return {};
}

Status Quickstart::stop() {
    return stack_ ? stack_->stop() : Status();
}

/// The student of sums says the lowest digit first, which people read backwards.
std::string Quickstart::shown_answer(const ChatTurn& turn) const {
    std::string answer = one_line(turn.answer);
    if (lesson_ != Lesson::kAddition) {
        return answer;
    }
    return fmt::format(
        "{}: {}, lowest digit first", answer, std::string(answer.rbegin(), answer.rend())
    );
}

std::string Quickstart::example_body() const {
    if (lesson_ == Lesson::kText) {
        return fmt::format(R"({{"model":"quickstart-{}","prompt":"The "}})", state_.run_id);
    }
    return fmt::format(
        R"({{"model":"quickstart-{}","messages":[{{"role":"user","content":"{}"}}]}})",
        state_.run_id,
        turns_.empty() || lesson_ != Lesson::kAddition ? "hello" : turns_.front().prompt
    );
}

void Quickstart::show_end() {
    if (session_.json()) {
        session_.print_json(report_.to_json());
        return;
    }
    session_.print_table(report_.to_table(), "");
    for (const ChatTurn& turn : turns_) {
        session_.print(fmt::format("{} → {}", one_line(turn.prompt), shown_answer(turn)));
    }
    session_.print(fmt::format("endpoint: {}/v1", stack().gateway_url()));
    session_.print(fmt::format(
        "  curl {}/v1/{} -H \"Authorization: Bearer $(cat {})\" -H 'Content-Type: "
        "application/json' "
        "-d '{}'",
        stack().gateway_url(),
        lesson_ == Lesson::kText ? "completions" : "chat/completions",
        stack().key_file().native(),
        example_body()
    ));
    session_.print(fmt::format(
        "artifacts: `nexa artifact ls`, `nexa artifact pull ID FOLDER`; their files lie in {}, "
        "each "
        "under its hash",
        (options_.dir / "blobs").native()
    ));
    session_.print(fmt::format("to have it all up again: nexa up --dir {}", options_.dir.native()));
}

}  // namespace

Result<int> run_quickstart(Session& session, QuickstartOptions options) {
    std::error_code failed;
    for (fs::path* path : {&options.dir, &options.data, &options.report}) {
        if (!path->empty()) {
            *path = fs::absolute(*path, failed).lexically_normal();
        }
    }
    if (!options.data.empty() && !fs::exists(options.data, failed)) {
        return Error::not_found("there is no file or folder {}", options.data.native())
            .at("--data");
    }
    TRY_STATUS(make_folders(options.dir));
    TRY(Interrupt interrupt, Interrupt::watch(session.context()));
    Quickstart quickstart(session, std::move(options), interrupt);
    const Status done = quickstart.run();
    const Status stopped = quickstart.stop();
    if (!done && !interrupt.check()) {
        session.note("stopped; the same command goes on from here");
        return kInterruptedExit;
    }
    TRY_STATUS(done);
    TRY_STATUS(stopped);
    return 0;
}

}  // namespace nexa::cli
