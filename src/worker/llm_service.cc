// SPDX-License-Identifier: Apache-2.0
#include "worker/llm_service.h"

#include <algorithm>
#include <utility>

#include "core/json.h"
#include "core/log.h"

namespace nexa::worker {

namespace {

net::HttpClientOptions client_options(const LlmSettings& settings) {
    std::size_t connections = 1;
    for (const TeacherSettings& teacher : settings.teachers) {
        connections += static_cast<std::size_t>(teacher.concurrency);
    }
    return {
        .proxy = settings.proxy,
        .no_proxy = settings.no_proxy,
        .ca_file = settings.ca_file,
        .user_agent = "nexa-worker",
        .redirects_max = 0,  // a key must not follow one to another host
        .connections_max = connections,
        .connections_per_host_max = connections,
    };
}

}  // namespace

Result<std::unique_ptr<LlmService>> LlmService::open(
    LlmSettings settings, const std::filesystem::path& cache, Collaborators with
) {
    TRY_STATUS(check_llm_settings(settings));
    TRY(auto opened, LlmCache::open(cache, settings.cache_bytes_max, with.clock));
    // A key that is missing now may be there when a job needs it, so this only warns.
    for (const TeacherSettings& teacher : settings.teachers) {
        if (teacher.api_key_secret.empty()) {
            continue;
        }
        if (const auto key = with.secrets.get_secret(teacher.api_key_secret); !key) {
            get_logger("worker").warning(
                "teacher has no key yet",
                {{"teacher", teacher.name}, {"error", key.error().to_string()}}
            );
        }
    }
    return std::unique_ptr<LlmService>(new LlmService(std::move(settings), std::move(opened), with)
    );
}

LlmService::LlmService(LlmSettings settings, std::unique_ptr<LlmCache> cache, Collaborators with)
    : settings_(std::move(settings)),
      with_(with),
      cache_(std::move(cache)),
      http_(client_options(settings_), with.clock, with.random),
      tasks_(with.io, [](std::string_view task, const Error& error) {
          get_logger("worker").warning(
              "task failed", {{"task", task}, {"error", error.to_string()}}
          );
      }) {
    for (const TeacherSettings& teacher : settings_.teachers) {
        teachers_.emplace_back(
            teacher, LlmTeacher::Collaborators{.http = http_, .clock = with_.clock}
        );
    }
}

LlmService::~LlmService() {
    net::blocking::stop(with_.io, tasks_);
}

std::vector<std::string> LlmService::teacher_names() const {
    std::vector<std::string> names(settings_.teachers.size());
    std::ranges::transform(settings_.teachers, names.begin(), &TeacherSettings::name);
    return names;
}

net::Task<std::unique_ptr<LlmSocket>> LlmService::offer(
    protocol::JobSpec spec, std::filesystem::path folder, CancelToken token
) {
    auto offer = [this, &spec, &folder, &token] { return offer_blocking(spec, folder, token); };
    co_return co_await net::run_on(with_.disk, std::move(offer));
}

Result<std::unique_ptr<LlmSocket>> LlmService::offer_blocking(
    const protocol::JobSpec& spec, const std::filesystem::path& folder, CancelToken token
) {
    std::vector<LlmEndpoint> endpoints;
    for (const std::string& text : endpoints_named_by(spec)) {
        auto endpoint = endpoint_of(text);
        if (!endpoint) {
            return std::move(endpoint).error().at("teacher");
        }
        endpoints.push_back(*std::move(endpoint));
    }
    if (endpoints.empty()) {
        return std::unique_ptr<LlmSocket>();
    }
    TRY(const auto terms,
        from_json<protocol::LlmTerms>(spec.payload.text, {.unknown_keys = UnknownKeys::kIgnore}));
    auto session = std::make_shared<LlmSession>(
        LlmJob{
            .job_id = spec.job_id,
            .fence = spec.fence,
            .cap = from_usd(terms.max_cost_usd),
            .token = std::move(token),
        },
        std::move(endpoints),
        LlmSession::Collaborators{
            .cache = *cache_, .disk = with_.disk, .clock = with_.clock, .random = with_.random
        }
    );
    return LlmSocket::listen(with_.io, tasks_, folder, std::move(session));
}

Result<LlmEndpoint> LlmService::endpoint_of(const std::string& text) {
    TRY(LlmTarget target, resolve_teacher(settings_, text));
    LlmTeacher& teacher = teachers_[target.teacher];
    std::shared_ptr<const Secret> key;
    if (const std::string& name = teacher.settings().api_key_secret; !name.empty()) {
        auto found = with_.secrets.get_secret(name);
        if (!found) {
            return Error::unavailable(
                       "this worker has no key for teacher '{}': {}",
                       teacher.settings().name,
                       found.error().message
            )
                .hint(fmt::format("its operator can set the secret '{}'", name));
        }
        key = std::make_shared<const Secret>(*std::move(found));
    }
    return LlmEndpoint{
        .text = text, .teacher = teacher, .model = std::move(target.model), .key = std::move(key)
    };
}

}  // namespace nexa::worker
