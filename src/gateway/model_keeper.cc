// SPDX-License-Identifier: Apache-2.0
#include "gateway/model_keeper.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/log.h"
#include "gateway/runner_link.h"
#include "gateway/runner_process.h"

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

/// One model, from keep()'s call to its end.
class ModelKeeper::Keeping {
public:
    Keeping(ModelKeeper& keeper, std::shared_ptr<ServedModel> model)
        : keeper_(keeper),
          with_(keeper.with_),
          options_(keeper.options_),
          model_(std::move(model)),
          spec_(model_->spec()),
          wake_(keeper.signal_, spec_.deployment_id),
          plan_(options_.plan) {}

    net::Task<void> run();

private:
    using Link = std::shared_ptr<RunnerLink>;
    using Process = std::shared_ptr<RunnerProcess>;
    struct RunEnd {
        std::optional<ExitStatus> status;
        std::string words;  ///< for people
    };

    net::Task<void> fetch();
    /// One runner from its start to its end.
    net::Task<RunnerPlan::Decision> run_once();
    /// From its first greeting until its process is gone.
    net::Task<RunEnd> run_to_end(Process process);
    /// Until the link ends or the model is retired, and what was asked by then is answered.
    net::Task<void> serve(Link link);
    net::Task<Link> connect(Process process);
    net::Task<void> drain(Link link);
    net::Task<RunnerProcess::End> end(Process process);
    net::Task<void> pause(std::chrono::milliseconds length);
    void changed() const;

    ModelKeeper& keeper_;
    const Collaborators& with_;
    const KeeperOptions& options_;
    const std::shared_ptr<ServedModel> model_;
    const ModelSpec& spec_;
    net::Signal::Subscription wake_;
    RunnerPlan plan_;
    Logger log_ = get_logger("gateway.models");
};

void ModelKeeper::retire(ServedModel& model, bool is_undeployed) {
    model.retire(is_undeployed);
    signal_.notify(model.spec().deployment_id);
}

net::Task<void> ModelKeeper::keep(std::shared_ptr<ServedModel> model) {
    Keeping keeping(*this, std::move(model));
    co_return co_await keeping.run();
}

void ModelKeeper::Keeping::changed() const {
    if (with_.on_change) {
        with_.on_change();
    }
}

net::Task<void> ModelKeeper::Keeping::pause(std::chrono::milliseconds length) {
    const auto until = with_.clock.steady_now() + length;
    while (!model_->is_retired()) {
        const auto left = until - with_.clock.steady_now();
        if (left <= 0ns) {
            break;
        }
        CO_TRY_STATUS(co_await wake_.wait(left));
    }
    co_return ok();
}

net::Task<void> ModelKeeper::Keeping::run() {
    CO_TRY_STATUS(co_await fetch());
    while (!model_->is_retired()) {
        CO_TRY(const RunnerPlan::Decision decision, co_await run_once());
        if (model_->is_retired()) {
            break;
        }
        CO_TRY_STATUS(co_await pause(decision.pause.value_or(24h)));
    }
    if (!spec_.files.empty() && model_->is_undeployed()) {
        CO_TRY_STATUS(co_await with_.discard(spec_));
    }
    log_.info("model retired", {{"deployment_id", spec_.deployment_id}, {"model", spec_.name}});
    co_return ok();
}

net::Task<void> ModelKeeper::Keeping::fetch() {
    auto again = options_.fetch_again;
    while (!spec_.files.empty() && !model_->is_retired()) {
        const Status fetched = co_await with_.fetch(spec_, model_->retirement());
        if (fetched || model_->is_retired()) {
            break;
        }
        log_.warning(
            "cannot fetch a model",
            {{"deployment_id", spec_.deployment_id}, {"error", fetched.error().to_string()}}
        );
        // What the network does passes; what is wrong with the files does not by itself.
        const bool may_pass = is_retryable(fetched.error().code);
        if (may_pass) {
            model_->set_loading(fetched.error().to_string());
        } else {
            model_->set_failed(fetched.error().to_string());
        }
        changed();
        const auto length = may_pass ? options_.fetch_again : again;
        again = may_pass ? options_.fetch_again : std::min(again * 2, options_.fetch_again_max);
        CO_TRY_STATUS(co_await pause(length));
    }
    co_return ok();
}

net::Task<RunnerPlan::Decision> ModelKeeper::Keeping::run_once() {
    const RunnerCommand command{
        .engine = options_.engine,
        .model_folder = spec_.folder,
        .run_folder = options_.run_folder,
        .name = fmt::format("r{}", ++keeper_.last_number_),
    };
    Result<Process> process = co_await net::run_on(with_.children, [command]() -> Result<Process> {
        TRY(auto started, RunnerProcess::start(command));
        return Process(std::move(started));
    });
    RunEnd run;
    if (process) {
        CO_TRY(run, co_await run_to_end(*std::move(process)));
    } else {
        run.words = process.error().to_string();
    }
    const RunnerPlan::Decision decision = plan_.ended(run.status, with_.clock.steady_now());
    if (!model_->is_retired()) {
        log_.warning(
            "a runner ended", {{"deployment_id", spec_.deployment_id}, {"how", run.words}}
        );
        if (decision.is_failed) {
            model_->set_failed(run.words);
        } else {
            model_->set_loading(run.words);
        }
        changed();
    }
    co_return decision;
}

net::Task<ModelKeeper::Keeping::RunEnd> ModelKeeper::Keeping::run_to_end(Process process) {
    const Result<Link> link = co_await connect(process);
    if (link) {
        plan_.became_ready(with_.clock.steady_now());
        CO_TRY_STATUS(co_await serve(*link));
    }
    CO_TRY(const RunnerProcess::End ended, co_await end(std::move(process)));
    std::string words = words_of(ended);
    if (!link && link.error().code != ErrorCode::kUnavailable) {
        words = fmt::format("{}; {}", link.error().to_string(), words);  // we ended it
    }
    co_return RunEnd{.status = ended.status, .words = std::move(words)};
}

net::Task<void> ModelKeeper::Keeping::serve(Link link) {
    model_->set_ready(link);
    log_.info("model ready", {{"deployment_id", spec_.deployment_id}, {"model", spec_.name}});
    changed();
    while (!link->has_ended() && !model_->is_retired()) {
        CO_TRY_STATUS(co_await wake_.wait(kLookAtLeast));
    }
    if (!model_->is_retired()) {
        model_->set_loading("its runner has gone");
        changed();
    }
    co_return co_await drain(std::move(link));
}

net::Task<ModelKeeper::Keeping::Link> ModelKeeper::Keeping::connect(Process process) {
    const auto deadline = with_.clock.steady_now() + options_.load_max;
    const auto late = [this] {
        return Error::deadline_exceeded(
            "the model was not loaded after {} s", options_.load_max / 1s
        );
    };
    const auto on_end = [&signal = keeper_.signal_, id = spec_.deployment_id] {
        signal.notify(id);
    };
    while (!process->has_ended() && !model_->is_retired()) {
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

net::Task<void> ModelKeeper::Keeping::drain(Link link) {
    const auto deadline = with_.clock.steady_now() + options_.drain_max;
    while (!link->has_ended() && link->running() > 0 && with_.clock.steady_now() < deadline) {
        CO_TRY_STATUS(co_await wake_.wait(kLookWhileDraining));
    }
    link->close();
    co_return ok();
}

net::Task<RunnerProcess::End> ModelKeeper::Keeping::end(Process process) {
    const auto grace = options_.end_grace;
    co_return co_await net::run_on(with_.children, [process = std::move(process), grace] {
        return process->end(grace);
    });
}

}  // namespace nexa::gateway
