// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/secrets.h"
#include "net/http_client.h"
#include "net/pools.h"
#include "net/task_group.h"
#include "protocol/lease_messages.h"
#include "worker/llm_cache.h"
#include "worker/llm_settings.h"
#include "worker/llm_socket.h"
#include "worker/llm_teacher.h"

namespace nexa::worker {

/// The teachers and judges that this worker's operator has configured, for the jobs whose signed
/// specs name them. Keys are added here, outside the sandbox, and nowhere shown. Thread-safe.
class LlmService {
public:
    struct Collaborators {
        const Clock& clock;
        Random& random;
        net::IoPool& io;
        net::WorkPool& disk;
        const SecretManager& secrets;
    };

    /// `cache` is made where it is missing. Blocking. Errors: those of check_llm_settings() and
    /// LlmCache::open().
    static Result<std::unique_ptr<LlmService>> open(
        LlmSettings settings, const std::filesystem::path& cache, Collaborators with
    );
    /// Every LlmSocket is gone before. Blocking, not on an io thread.
    ~LlmService();
    LlmService(const LlmService&) = delete;
    LlmService& operator=(const LlmService&) = delete;

    /// FOLDER/llm.sock for the job, or nullptr if its spec names no endpoint. Errors: those of
    /// resolve_teacher(); kUnavailable (no key, no socket).
    net::Task<std::unique_ptr<LlmSocket>> offer(
        protocol::JobSpec spec, std::filesystem::path folder, CancelToken token
    );

    /// Names of the teachers, for the worker's profile.
    std::vector<std::string> teacher_names() const;

private:
    LlmService(LlmSettings settings, std::unique_ptr<LlmCache> cache, Collaborators with);
    Result<std::unique_ptr<LlmSocket>> offer_blocking(
        const protocol::JobSpec& spec, const std::filesystem::path& folder, CancelToken token
    );
    Result<LlmEndpoint> endpoint_of(const std::string& text);

    const LlmSettings settings_;
    Collaborators with_;
    std::unique_ptr<LlmCache> cache_;
    net::HttpClient http_;
    std::deque<LlmTeacher> teachers_;  // as in the settings; never moved
    net::TaskGroup tasks_;
};

}  // namespace nexa::worker
