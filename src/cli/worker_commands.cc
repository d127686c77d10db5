// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/table.h"
#include "net/url.h"
#include "protocol/scaling_views.h"
#include "protocol/worker_views.h"

namespace nexa::cli {

namespace {

/// "2 x NVIDIA H100 80GB HBM3, 79.6 GiB"; empty without any.
std::string shown_gpus(const protocol::HardwareProfile& profile) {
    if (profile.gpus == 0) {
        return "";
    }
    std::string text = fmt::format("{} x {}", profile.gpus, profile.gpu_model);
    if (profile.gpu_memory_bytes > 0) {
        text +=
            fmt::format(", {}", human_bytes(static_cast<std::uint64_t>(profile.gpu_memory_bytes)));
    }
    return text;
}

std::string shown_problems(const protocol::WorkerView& worker) {
    std::string text;
    for (const protocol::HealthProblem& problem : worker.problems) {
        text += fmt::format("{}{}", text.empty() ? "" : "; ", problem.detail);
    }
    return text;
}

Result<int> list_workers(Session& session) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get("/workers"));
    TRY(const auto workers, read_reply<protocol::WorkerList>(body));
    if (session.json()) {
        session.print_json(body);
        return 0;
    }
    Table table(
        {"WORKER", "NAME", "POOL", "STATUS", "LIVENESS", "JOBS", "LAST SEEN", "GPUS", "PROBLEMS"}
    );
    for (const protocol::WorkerView& worker : workers.data) {
        table.add({
            worker.worker_id,
            worker.name,
            worker.pool,
            worker.status,
            worker.liveness,
            std::to_string(worker.jobs.size()),
            worker.last_seen_at,
            shown_gpus(worker.profile),
            shown_problems(worker),
        });
    }
    session.print_table(table, "no workers");
    return 0;
}

Result<int> show_scaling(Session& session) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get("/fleet/scaling"));
    TRY(const auto pools, read_reply<protocol::ScalingList>(body));
    if (session.json()) {
        session.print_json(body);
        return 0;
    }
    Table table(
        {"POOL", "WANTED", "WORKERS", "IDLE", "STARTING", "WAITING", "RUNNING", "LIMIT", "LAST CALL"
        }
    );
    for (const protocol::ScalingPoolView& pool : pools.data) {
        const auto& call = pool.last_call;
        table.add({
            pool.pool,
            std::to_string(pool.wanted),
            std::to_string(pool.workers),
            std::to_string(pool.idle),
            std::to_string(pool.starting),
            std::to_string(pool.waiting_jobs),
            std::to_string(pool.running_jobs),
            fmt::format("{}-{}", pool.min_workers, pool.max_workers),
            call ? fmt::format("{} {}", call->at, call->error.empty() ? "ok" : call->error) : "",
        });
    }
    session.print_table(table, "no pool is scaled");
    return 0;
}

std::string worker_path(std::string_view worker_id) {
    return fmt::format("/workers/{}", net::percent_encode(worker_id));
}

Result<int> show_changed(Session& session, const std::string& body) {
    TRY(const auto worker, read_reply<protocol::WorkerView>(body));
    if (session.json()) {
        session.print_json(body);
    } else {
        session.print(fmt::format("{}\t{}\t{}", worker.worker_id, worker.status, worker.liveness));
    }
    return 0;
}

Result<int> order(Session& session, const std::string& worker_id, std::string_view word) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body,
        api->post(fmt::format("{}/{}", worker_path(worker_id), word), "{}"));
    return show_changed(session, body);
}

Result<int> remove(Session& session, const std::string& worker_id) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->remove(worker_path(worker_id)));
    return show_changed(session, body);
}

struct Order {
    const char* word;
    const char* summary;
};

constexpr std::array kOrders{
    Order{"cordon", "Give a worker no more jobs; those it holds go on"},
    Order{"uncordon", "Give a worker jobs again"},
    Order{"drain", "Let a worker finish the jobs it holds, and end"},
};

}  // namespace

void add_worker_commands(CommandLine& line, Session& session) {
    CLI::App* group = line.root().add_subcommand("worker", "Look at workers and order them about");
    group->group("Access and cost");
    line.on(group->add_subcommand("ls", "List the workers of your project"), [&session] {
        return list_workers(session);
    });
    line.on(
        group->add_subcommand("scaling", "See how many workers each scaled pool has and wants"),
        [&session] { return show_scaling(session); }
    );
    auto worker_id = std::make_shared<std::string>();
    for (const Order& row : kOrders) {
        CLI::App* command = group->add_subcommand(row.word, row.summary);
        command->add_option("WORKER", *worker_id, "The worker's id")->required();
        line.on(command, [&session, worker_id, word = row.word] {
            return order(session, *worker_id, word);
        });
    }
    CLI::App* removal = group->add_subcommand(
        "rm", "Remove a worker for good; its jobs go back to the queue at once"
    );
    removal->add_option("WORKER", *worker_id, "The worker's id")->required();
    line.on(removal, [&session, worker_id] { return remove(session, *worker_id); });
}

}  // namespace nexa::cli
