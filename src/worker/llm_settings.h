// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "core/result.h"
#include "protocol/lease_messages.h"

namespace nexa::worker {

/// An OpenAI-compatible endpoint that jobs on this worker may ask as teacher or judge.
struct TeacherSettings {
    static constexpr std::string_view kName = "TeacherSettings";
    std::string name;
    std::string base_url;
    std::string api_key_secret;
    std::vector<std::string> models;
    double input_usd_per_million = 0;
    double output_usd_per_million = 0;
    int concurrency = 8;
    int requests_per_minute = 0;
    double timeout_seconds = 120;
    int attempts = 6;
    std::string max_tokens_field = "max_tokens";

    bool operator==(const TeacherSettings&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("name", &TeacherSettings::name, "The provider, as specs name it")
                .required()
                .length(1, 64)
                .example("openai"),
            field("base_url", &TeacherSettings::base_url, "Of its API, up to the version")
                .required()
                .length(8, 2048)
                .example("https://api.openai.com/v1"),
            field(
                "api_key_secret",
                &TeacherSettings::api_key_secret,
                "Name of the secret with its key: a variable of the environment, one with _FILE "
                "behind it, or a file in the folder of secrets; empty: no key is sent"
            )
                .length(0, 128)
                .example("OPENAI_API_KEY"),
            field("models", &TeacherSettings::models, "Which jobs may ask; empty: any")
                .length(0, 1000),
            field(
                "input_usd_per_million",
                &TeacherSettings::input_usd_per_million,
                "Price of a million tokens sent"
            )
                .within(0, 100'000)
                .unit("USD"),
            field(
                "output_usd_per_million",
                &TeacherSettings::output_usd_per_million,
                "Price of a million tokens generated"
            )
                .within(0, 100'000)
                .unit("USD"),
            field("concurrency", &TeacherSettings::concurrency, "Requests at a time")
                .within(1, 1024),
            field(
                "requests_per_minute", &TeacherSettings::requests_per_minute, "At most; 0: no limit"
            )
                .within(0, 100'000),
            field("timeout_seconds", &TeacherSettings::timeout_seconds, "Of one attempt")
                .within(1, 3600)
                .unit("s"),
            field("attempts", &TeacherSettings::attempts, "Of one request, before it is given up")
                .within(1, 100),
            field(
                "max_tokens_field",
                &TeacherSettings::max_tokens_field,
                "How the endpoint calls the limit of an answer"
            )
                .one_of({"max_tokens", "max_completion_tokens"}),
        };
    }
};

/// What a worker's operator says about endpoints.
struct LlmSettings {
    std::vector<TeacherSettings> teachers;
    std::string default_teacher;  ///< for a model without provider; empty: the only one
    std::int64_t cache_bytes_max = std::int64_t{1} << 30U;
    std::string proxy;
    std::string no_proxy;
    std::string ca_file;
};

/// Errors: kInvalidArgument (a name or URL that cannot be, two teachers of one name, a default that
/// is none), with the field.
Status check_llm_settings(const LlmSettings& settings);

/// What a spec's text stands for.
struct LlmTarget {
    std::size_t teacher = 0;  ///< index in LlmSettings::teachers
    std::string model;

    friend bool operator==(const LlmTarget&, const LlmTarget&) = default;
};

/// "openai/gpt-4o-mini"; a model alone, of the default teacher; or a teacher's base URL, with
/// "#model" behind it unless it has just one. Errors: kUnavailable (this worker has no such
/// teacher: another may), kPermissionDenied (a URL or model that the operator does not allow).
Result<LlmTarget> resolve_teacher(const LlmSettings& settings, std::string_view text);

/// The endpoints that a job's spec names: what stands for a teacher or judge and is no input.
std::vector<std::string> endpoints_named_by(const protocol::JobSpec& spec);

}  // namespace nexa::worker
