// SPDX-License-Identifier: Apache-2.0
#include "gateway/model_keeper.h"

#include <algorithm>
#include <utility>

namespace nexa::gateway {

using namespace std::chrono_literals;

namespace {

/// Nobody says when a program begins to listen.
constexpr std::chrono::milliseconds kConnectEvery{30};
constexpr std::chrono::milliseconds kGreetMax{10'000};
/// Requests end without a word to the keeper.
constexpr std::chrono::milliseconds kLookWhileDraining{20};
constexpr std::chrono::seconds kLookAtLeast{10};

std::string words_of(const RunnerProcess::End& end) {
    const std::string how = end.status ? end.status->to_string() : "unknown end";
    const std::string last = end.last_words.substr(end.last_words.rfind('\n') + 1);
    return last.empty() ? how : fmt::format("{}: {}", how, last);
}

}  // namespace

void ModelKeeper::changed() const {
    if (with_.on_change) {
        with_.on_change();
    }
}

void ModelKeeper::retire(ServedModel& model, bool is_undeployed) {
    model.retire(is_undeployed);
    signal_.notify(model.spec().deployment_id);
}

net::Task<void> ModelKeeper::pause(
    const ServedModel& model, Wake& wake, std::chrono::milliseconds length
) {
    const auto until = with_.clock.steady_now() + length;
    while (!model.is_retired()) {
        const auto left = until - with_.clock.steady_now();
        if (left <= 0ns) {
            break;
        }
        CO_TRY_STATUS(co_await wake.wait(left));
    }
    co_return ok();
}

net::Task<void> ModelKeeper::keep(std::shared_ptr<ServedModel> model) {
    const ModelSpec& spec = model->spec();
    Wake wake(signal_, spec.deployment_id);
    CO_TRY_STATUS(co_await fetch(model, wake));
    RunnerPlan plan(options_.plan);
    while (!model->is_retired()) {
        CO_TRY(const RunnerPlan::Decision decision, co_await run_once(model, wake, plan));
        if (model->is_retired()) {
            break;
        }
        CO_TRY_STATUS(co_await pause(*model, wake, decision.pause.value_or(24h)));
    }
    if (!spec.files.empty() && model->is_undeployed()) {
        CO_TRY_STATUS(co_await with_.discard(spec));
    }
    log_.info("model retired", {{"deployment_id", spec.deployment_id}, {"model", spec.name}});
    co_return ok();
}

net::Task<void> ModelKeeper::fetch(std::shared_ptr<ServedModel> model, Wake& wake) {
    const ModelSpec& spec = model->spec();
    auto again = options_.fetch_again;
    while (!spec.files.empty() && !model->is_retired()) {
        const Status fetched = co_await with_.fetch(spec, model->retirement());
        if (fetched || model->is_retired()) {
            break;
        }
        log_.warning(
            "cannot fetch a model",
            {{"deployment_id", spec.deployment_id}, {"error", fetched.error().to_string()}}
        );
        // What the network does passes; what is wrong with the files does not by itself.
        const bool may_pass = is_retryable(fetched.error().code);
        if (may_pass) {
            model->set_loading(fetched.error().to_string());
        } else {
            model->set_failed(fetched.error().to_string());
        }
        changed();
        const auto length = may_pass ? options_.fetch_again : again;
        again = may_pass ? options_.fetch_again : std::min(again * 2, options_.fetch_again_max);
        CO_TRY_STATUS(co_await pause(*model, wake, length));
    }
    co_return ok();
}

net::Task<RunnerPlan::Decision> ModelKeeper::run_once(
    std::shared_ptr<ServedModel> model, Wake& wake, RunnerPlan& plan
) {
    const ModelSpec& spec = model->spec();
    const RunnerCommand command{
        .engine = options_.engine,
        .model_folder = spec.folder,
        .run_folder = options_.run_folder,
        .name = fmt::format("r{}", ++last_number_),
    };
    Result<Process> process = co_await net::run_on(with_.children, [command]() -> Result<Process> {
        TRY(auto started, RunnerProcess::start(command));
        return Process(std::move(started));
    });
    RunEnd run;
    if (process) {
        CO_TRY(run, co_await run_to_end(model, *std::move(process), wake, plan));
    } else {
        run.words = process.error().to_string();
    }
    const RunnerPlan::Decision decision = plan.ended(run.status, with_.clock.steady_now());
    if (!model->is_retired()) {
        log_.warning("a runner ended", {{"deployment_id", spec.deployment_id}, {"how", run.words}});
        if (decision.is_failed) {
            model->set_failed(run.words);
        } else {
            model->set_loading(run.words);
        }
        changed();
    }
    co_return decision;
}

net::Task<ModelKeeper::RunEnd> ModelKeeper::run_to_end(
    std::shared_ptr<ServedModel> model, Process process, Wake& wake, RunnerPlan& plan
) {
    const Result<Link> link = co_await connect(model, process);
    if (link) {
        plan.became_ready(with_.clock.steady_now());
        CO_TRY_STATUS(co_await serve(std::move(model), *link, wake));
    }
    CO_TRY(const RunnerProcess::End ended, co_await end(std::move(process)));
    std::string words = words_of(ended);
    if (!link && link.error().code != ErrorCode::kUnavailable) {
        words = fmt::format("{}; {}", link.error().to_string(), words);  // we ended it
    }
    co_return RunEnd{.status = ended.status, .words = std::move(words)};
}

net::Task<void> ModelKeeper::serve(std::shared_ptr<ServedModel> model, Link link, Wake& wake) {
    const ModelSpec& spec = model->spec();
    model->set_ready(link);
    log_.info("model ready", {{"deployment_id", spec.deployment_id}, {"model", spec.name}});
    changed();
    while (!link->has_ended() && !model->is_retired()) {
        CO_TRY_STATUS(co_await wake.wait(kLookAtLeast));
    }
    if (!model->is_retired()) {
        model->set_loading("its runner has gone");
        changed();
    }
    co_return co_await drain(std::move(link), wake);
}

net::Task<ModelKeeper::Link> ModelKeeper::connect(
    std::shared_ptr<ServedModel> model, Process process
) {
    const auto deadline = with_.clock.steady_now() + options_.load_max;
    const auto late = [this] {
        return Error::deadline_exceeded(
            "the model was not loaded after {} s", options_.load_max / 1s
        );
    };
    const auto on_end = [this, id = model->spec().deployment_id] { signal_.notify(id); };
    while (!process->has_ended() && !model->is_retired()) {
        const auto left = std::max(0ns, deadline - with_.clock.steady_now());
        auto link = co_await net::with_deadline(
            RunnerLink::open({with_.io, with_.links}, process->socket(), on_end),
            std::min<std::chrono::nanoseconds>(kGreetMax, left)
        );
        if (link) {
            co_return link;
        }
        if (with_.clock.steady_now() >= deadline) {
            co_return late();
        }
        if (link.error().code != ErrorCode::kUnavailable) {
            co_return link;
        }
        CO_TRY_STATUS(co_await net::sleep_for(kConnectEvery));
    }
    co_return Error::unavailable("the runner ended before it served");
}

net::Task<void> ModelKeeper::drain(Link link, Wake& wake) {
    const auto deadline = with_.clock.steady_now() + options_.drain_max;
    while (!link->has_ended() && link->running() > 0 && with_.clock.steady_now() < deadline) {
        CO_TRY_STATUS(co_await wake.wait(kLookWhileDraining));
    }
    link->close();
    co_return ok();
}

net::Task<RunnerProcess::End> ModelKeeper::end(Process process) {
    const auto grace = options_.end_grace;
    co_return co_await net::run_on(with_.children, [process = std::move(process), grace] {
        return process->end(grace);
    });
}

}  // namespace nexa::gateway
