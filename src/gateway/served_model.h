// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/mutex.h"
#include "core/result.h"
#include "gateway/runner_link.h"
#include "protocol/gateway_feed.h"

namespace nexa::gateway {

enum class ServingState : std::uint8_t { kLoading, kReady, kFailed };
/// "loading", "ready", "failed": as in reports.
std::string_view to_string(ServingState state);

/// What is to be served.
struct ModelSpec {
    std::string deployment_id;
    std::string name;        ///< what clients ask for
    std::string project_id;  ///< whose keys may ask; empty: everybody's
    std::string fingerprint;
    std::int64_t created = 0;  ///< seconds since 1970
    std::filesystem::path folder;
    /// To be fetched into `folder`; empty: it is there already, and not ours to remove.
    std::vector<protocol::InputFile> files = {};
    std::string root_digest = {};
};

/// One model on this gateway and how it stands. Shared by its keeper and the requests. Thread-safe.
class ServedModel {
public:
    explicit ServedModel(ModelSpec spec) : spec_(std::move(spec)) {}

    const ModelSpec& spec() const { return spec_; }

    ServingState state() const;
    /// It should serve and does not: it did once, or the operator himself named it. A deployment
    /// that never could be served is its owner's trouble, not this gateway's.
    bool is_down() const;
    std::string message() const;
    /// The runner, if there is one that serves. Errors: kUnavailable, saying how it stands.
    Result<std::shared_ptr<RunnerLink>> runner() const;

    // By the keeper.
    void set_loading(std::string message = {});
    void set_ready(std::shared_ptr<RunnerLink> runner);
    void set_failed(std::string message);

    /// It is to be served no more, for good: undeployed, or only the gateway is stopping.
    void retire(bool is_undeployed) {
        is_undeployed_ = is_undeployed;
        retired_.cancel();
    }
    bool is_retired() const { return retirement().cancelled(); }
    /// Cancelled once it is retired.
    CancelToken retirement() const { return retired_.token(); }
    bool is_undeployed() const { return is_undeployed_; }

private:
    void set(ServingState state, std::string message, std::shared_ptr<RunnerLink> runner);

    const ModelSpec spec_;
    std::atomic<bool> is_undeployed_ = false;
    CancelSource retired_;
    mutable Mutex mutex_;
    ServingState state_ NEXA_GUARDED_BY(mutex_) = ServingState::kLoading;
    bool was_ready_ NEXA_GUARDED_BY(mutex_) = false;
    std::string message_ NEXA_GUARDED_BY(mutex_);
    std::shared_ptr<RunnerLink> runner_ NEXA_GUARDED_BY(mutex_);
};

}  // namespace nexa::gateway
