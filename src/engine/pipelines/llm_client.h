// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/result.h"
#include "protocol/llm_messages.h"

namespace nexa::pipelines {

struct LlmClientOptions {
    std::size_t outstanding_max = 32;  ///< requests under way; at least 1
    /// Without a single reply, after which the worker counts as hung: it answers every request
    /// itself, also when the endpoint does not.
    std::chrono::seconds silence_max = std::chrono::hours(3);
};

/// Asks the endpoint that the job's spec names, over the socket that the worker offers in the job's
/// folder. Tokens and cost are measured by the worker and added to the job's usage there: a runner
/// must not report them again. One thread.
class LlmClient {
public:
    /// `cancel` and `clock` outlive it. Blocks shortly. Errors: kNotFound (no socket: the worker
    /// offers none for this job), kUnavailable.
    static Result<LlmClient> connect(
        const std::filesystem::path& job_folder,
        const CancelToken& cancel,
        const Clock& clock,
        const LlmClientOptions& options = {}
    );

    /// A reply to each request, in their order; ids are given here. What went wrong with one stands
    /// in its reply's error. Blocks. Errors: kCancelled, kUnavailable (the worker has hung up),
    /// kDeadlineExceeded, kInvalidArgument (a request larger than a line). After an error it is of
    /// no use any more.
    Result<std::vector<protocol::LlmReply>> ask(std::vector<protocol::LlmRequest> requests);

private:
    struct Exchange;

    LlmClient(
        UniqueFd socket,
        const CancelToken& cancel,
        const Clock& clock,
        const LlmClientOptions& options
    )
        : socket_(std::move(socket)), cancel_(&cancel), clock_(&clock), options_(options) {}
    Status send_some(Exchange& exchange);
    Result<bool> receive_some(Exchange& exchange);
    Status take_line(Exchange& exchange, const std::string& line);

    UniqueFd socket_;
    const CancelToken* cancel_;
    const Clock* clock_;
    LlmClientOptions options_;
    std::string received_;
    std::int64_t last_id_ = 0;
};

/// The reply's error as our own.
Error to_error(const protocol::EngineError& error);
/// Whether it says that the job's cost cap is reached, so that no further request helps.
bool is_cost_cap(const protocol::EngineError& error);
/// Whether it is about this one request, so that others may be answered.
bool is_about_one_request(const protocol::EngineError& error);

}  // namespace nexa::pipelines
