// SPDX-License-Identifier: Apache-2.0
#include "cli/follow.h"

#include <algorithm>
#include <ostream>

#include "cli/progress.h"
#include "cli/table.h"
#include "core/check.h"
#include "core/json.h"
#include "net/sse.h"
#include "protocol/job_status.h"

namespace nexa::cli {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kStreamIdleMax{60};  // the server beats every 15 s
constexpr int kBreaksMax = 10;                      // in a row, without one event between them
constexpr std::chrono::milliseconds kPollMin{200};
constexpr std::chrono::milliseconds kPollMax{2'000};

bool has_ended(const protocol::JobView& view) {
    const auto status = protocol::job_status_from(view.status);
    return status && protocol::is_final(*status);
}

/// The events of one job, over as many connections as it takes.
class Following {
public:
    Following(Session& session, std::string job_id)
        : session_(session),
          job_id_(std::move(job_id)),
          printer_({
              .redraws = session.context().may_color(session.context().err_is_terminal),
              .columns = session.context().columns,
          }) {}

    Result<SeenJob> run() {
        if (session_.context().err_is_terminal) {
            session_.note(
                fmt::format("Ctrl-C leaves it running; `nexa job cancel {}` ends it", job_id_)
            );
        }
        int breaks = 0;
        while (true) {
            const std::size_t before = events_;
            const Status read = read_stream();
            if (!read && !is_retryable(read.error().code)) {
                write(printer_.finish());
                return read.error();
            }
            breaks = events_ > before ? 0 : breaks + 1;
            auto job = look_at_job(session_, job_id_);
            if (job && has_ended(job->view)) {
                write(printer_.finish());
                return job;
            }
            if (breaks > kBreaksMax) {
                write(printer_.finish());
                return read ? Error::unavailable(
                                  "the events of job {} end before the job does", job_id_
                              )
                            : read.error();
            }
            TRY_STATUS(session_.context().sleeper.sleep_for(breaks == 0 ? kPollMin : kPollMax));
        }
    }

private:
    Status read_stream() {
        TRY(ApiClient* const api, session_.api());
        net::SseReader reader;
        net::HttpRequest request{
            .url = job_path(job_id_, "/events"),
            .headers = {{"Accept", "text/event-stream"}},
            .total_time_max = 0ms,
            .idle_time_max = kStreamIdleMax,
            .body_bytes_max = UINT64_MAX / 2,
            .retry = net::RetryWhen::kNever,
        };
        if (!last_id_.empty()) {
            request.headers.set("Last-Event-ID", last_id_);
        }
        const auto take = [&](std::string_view bytes) -> Status {
            TRY(const auto events, reader.feed(bytes));
            for (const net::SseEvent& event : events) {
                show(event);
            }
            return {};
        };
        TRY_STATUS(api->send(std::move(request), take));
        return {};
    }

    void show(const net::SseEvent& event) {
        ++events_;
        last_id_ = event.id.empty() ? last_id_ : event.id;
        const auto view = read_reply<protocol::JobEventView>(event.data);
        if (view && !session_.json()) {
            write(printer_.show(*view));
        }
    }

    void write(const std::string& text) {
        if (!session_.json()) {
            session_.context().err << text << std::flush;
        }
    }

    Session& session_;
    std::string job_id_;
    EventPrinter printer_;
    std::string last_id_;
    std::size_t events_ = 0;
};

/// An object's members, one a row, and those of the objects in it. Metrics are counted: there can
/// be dozens.
void add_members(const ValueNode& object, const std::string& prefix, Table& table) {
    for (std::size_t i = 0; i < object.keys.size(); ++i) {
        const ValueNode& item = object.items[i];
        const std::string name = prefix + object.keys[i];
        if (name == "metrics") {
            table.add({name, fmt::format("{} of them: see --json", item.items.size())});
        } else if (item.kind == ValueNode::Kind::kObject) {
            add_members(item, name + ".", table);
        } else if (item.kind != ValueNode::Kind::kNull) {
            const bool is_list = item.kind == ValueNode::Kind::kArray;
            table.add({name, is_list ? std::string(item.raw) : item.text});
        }
    }
}

/// What came of a job: a table for people, its JSON for programs.
Result<int> show_result(Session& session, const protocol::JobView& view) {
    if (!view.result) {
        return 0;
    }
    if (!session.context().out_is_terminal) {
        session.print(view.result->text);
        return 0;
    }
    TRY(const ValueNode result, parse_json(view.result->text));
    Table table({"RESULT", "VALUE"});
    add_members(result, "", table);
    session.print_table(table, "");
    return 0;
}

}  // namespace

Error job_error(const protocol::JobView& view) {
    if (!view.error) {
        return Error::internal("job {} is {}", view.job_id, view.status);
    }
    const auto code = error_code_from(view.error->code);
    Error error(
        code.value_or(ErrorCode::kInternal),
        fmt::format("job {}: {}", view.job_id, view.error->message)
    );
    error.param = view.error->param;
    error.advice = view.error->hint;
    return error;
}

Result<int> go_on_with(Session& session, const std::string& reply, const AfterSubmission& after) {
    TRY(const auto submitted, read_reply<protocol::JobSubmitted>(reply));
    if (!after.wait && !after.follow) {
        if (session.json()) {
            session.print_json(reply);
        } else {
            session.print(submitted.job_id);
        }
        return 0;
    }
    if (!session.json()) {
        session.note(fmt::format("job {}", submitted.job_id));
    }
    if (after.follow) {
        TRY(const SeenJob job, follow_job(session, submitted.job_id));
        return end_with(session, job);
    }
    TRY(const SeenJob job, wait_for_job(session, submitted.job_id, std::nullopt));
    return end_with(session, job);
}

std::string job_path(const std::string& job_id, std::string_view below) {
    return fmt::format("/jobs/{}{}", net::percent_encode(job_id), below);
}

Result<SeenJob> look_at_job(Session& session, const std::string& job_id) {
    TRY(ApiClient* const api, session.api());
    TRY(std::string body, api->get(job_path(job_id)));
    TRY(auto view, read_reply<protocol::JobView>(body));
    return SeenJob{.view = std::move(view), .body = std::move(body)};
}

Result<SeenJob> follow_job(Session& session, const std::string& job_id) {
    return Following(session, job_id).run();
}

Result<SeenJob> wait_for_job(
    Session& session, const std::string& job_id, std::optional<std::chrono::seconds> time_max
) {
    const Clock& clock = session.context().clock;
    const auto begun = clock.steady_now();
    auto pause = kPollMin;
    while (true) {
        TRY(SeenJob job, look_at_job(session, job_id));
        if (has_ended(job.view)) {
            return job;
        }
        if (time_max && clock.steady_now() - begun >= *time_max) {
            return Error::deadline_exceeded(
                       "job {} is still {} after {} s", job_id, job.view.status, time_max->count()
            )
                .hint("it goes on; wait again or follow it with 'nexa job logs --follow'");
        }
        TRY_STATUS(session.context().sleeper.sleep_for(pause));
        pause = std::min(pause * 2, kPollMax);
    }
}

Result<int> end_with(Session& session, const SeenJob& job) {
    const auto status = protocol::job_status_from(job.view.status);
    const bool completed = status == protocol::JobStatus::kCompleted;
    if (session.json()) {
        session.print_json(job.body);
        if (completed) {
            return 0;
        }
    } else if (completed) {
        return show_result(session, job.view);
    }
    if (status == protocol::JobStatus::kCancelled) {
        if (!session.json()) {
            session.note(fmt::format("job {} was cancelled", job.view.job_id));
        }
        return row_of(ErrorCode::kCancelled).exit_code;
    }
    if (session.json()) {
        return row_of(job_error(job.view).code).exit_code;
    }
    return job_error(job.view);
}

}  // namespace nexa::cli
