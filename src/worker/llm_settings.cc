// SPDX-License-Identifier: Apache-2.0
#include "worker/llm_settings.h"

#include <algorithm>
#include <set>

#include <fmt/ranges.h>

#include "core/json_codec.h"
#include "core/near_name.h"
#include "core/storage_paths.h"
#include "net/url.h"
#include "protocol/job_types.h"

namespace nexa::worker {

NEXA_JSON_CODEC(TeacherSettings);

namespace {

constexpr std::string_view kConfigure = "add it to the worker's setting `teachers`";

bool is_url(std::string_view text) {
    return text.starts_with("http://") || text.starts_with("https://");
}

std::vector<std::string_view> names_of(const LlmSettings& settings) {
    std::vector<std::string_view> names(settings.teachers.size());
    std::ranges::transform(settings.teachers, names.begin(), &TeacherSettings::name);
    return names;
}

Status check_url(const TeacherSettings& teacher) {
    const std::string_view url = teacher.base_url;
    if (!is_url(url)) {
        return Error::invalid_argument("'{}' does not begin with https:// or http://", url)
            .at("base_url");
    }
    if (url.find_first_of("?#@ \t\r\n") != std::string_view::npos) {
        return Error::invalid_argument(
                   "the URL of teacher '{}' holds a password, a query or a fragment", teacher.name
        )
            .at("base_url")
            .hint("name the key's secret in api_key_secret");
    }
    return {};
}

Result<std::size_t> find_provider(const LlmSettings& settings, std::string_view name) {
    const auto names = names_of(settings);
    const auto found = std::ranges::find(names, name);
    if (found != names.end()) {
        return static_cast<std::size_t>(found - names.begin());
    }
    if (names.empty()) {
        return Error::unavailable("this worker has no teacher configured, so not '{}'", name)
            .hint(kConfigure);
    }
    const auto near = nearest(name, names);
    return Error::unavailable("this worker has no teacher '{}'", name)
        .hint(
            near ? fmt::format("did you mean '{}'?", *near)
                 : fmt::format("its teachers are {}; {}", fmt::join(names, ", "), kConfigure)
        );
}

Result<std::size_t> default_provider(const LlmSettings& settings, std::string_view model) {
    if (!settings.default_teacher.empty()) {
        return find_provider(settings, settings.default_teacher);
    }
    if (settings.teachers.size() == 1) {
        return std::size_t{0};
    }
    return Error::unavailable("model '{}' names no teacher, and this worker has no default", model)
        .hint(
            settings.teachers.empty() ? std::string(kConfigure)
                                      : "write it as provider/model, or set `default_teacher`"
        );
}

Result<LlmTarget> allowed(const LlmSettings& settings, std::size_t index, std::string_view model) {
    const TeacherSettings& teacher = settings.teachers[index];
    if (model.empty() && teacher.models.size() == 1) {
        model = teacher.models.front();
    }
    if (model.empty()) {
        return Error::invalid_argument(
                   "which model of teacher '{}' to ask is not said", teacher.name
        )
            .hint(fmt::format("write {}/MODEL", teacher.name));
    }
    if (!teacher.models.empty() &&
        std::ranges::find(teacher.models, model) == teacher.models.end()) {
        return Error::permission_denied(
                   "jobs of this worker may not ask model '{}' of teacher '{}'", model, teacher.name
        )
            .hint(fmt::format("they may ask {}", fmt::join(teacher.models, ", ")));
    }
    return LlmTarget{.teacher = index, .model = std::string(model)};
}

Result<LlmTarget> resolve_url(const LlmSettings& settings, std::string_view text) {
    const std::size_t hash = text.find('#');
    const std::string_view url = net::without_end_slash(text.substr(0, hash));
    const std::string_view model =
        hash == std::string_view::npos ? std::string_view{} : text.substr(hash + 1);
    for (std::size_t i = 0; i < settings.teachers.size(); ++i) {
        if (net::without_end_slash(settings.teachers[i].base_url) == url) {
            return allowed(settings, i, model);
        }
    }
    return Error::permission_denied("jobs of this worker may not ask {}", url)
        .hint("its operator can add the URL to the setting `teachers`");
}

}  // namespace

Status check_llm_settings(const LlmSettings& settings) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < settings.teachers.size(); ++i) {
        const TeacherSettings& teacher = settings.teachers[i];
        const std::string place = fmt::format("teachers[{}]", i);
        if (auto safe = check_path_id(teacher.name); !safe) {
            return std::move(safe).error().at("name").at(place);
        }
        if (!names.insert(teacher.name).second) {
            return Error::invalid_argument("two teachers are called '{}'", teacher.name)
                .at("name")
                .at(place);
        }
        if (auto sound = check_url(teacher); !sound) {
            return std::move(sound).error().at(place);
        }
    }
    if (!settings.default_teacher.empty() && !names.contains(settings.default_teacher)) {
        return Error::invalid_argument("there is no teacher '{}'", settings.default_teacher)
            .at("default_teacher");
    }
    return {};
}

Result<LlmTarget> resolve_teacher(const LlmSettings& settings, std::string_view text) {
    if (is_url(text)) {
        return resolve_url(settings, text);
    }
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        TRY(const std::size_t index, default_provider(settings, text));
        return allowed(settings, index, text);
    }
    TRY(const std::size_t index, find_provider(settings, text.substr(0, slash)));
    return allowed(settings, index, text.substr(slash + 1));
}

std::vector<std::string> endpoints_named_by(const protocol::JobSpec& spec) {
    std::vector<std::string> endpoints;
    const auto type = protocol::find_job_type(spec.job_type);
    // What does not decode is the engine's to complain about.
    if (!type || !(*type)->canonical(spec.payload.text)) {
        return endpoints;
    }
    for (const protocol::InputReference& reference : (*type)->references(spec.payload)) {
        const bool is_endpoint = reference.input == "teacher" || reference.input == "judge";
        const bool is_staged = std::ranges::any_of(spec.inputs, [&](const auto& input) {
            return input.name == reference.input;
        });
        if (is_endpoint && !is_staged &&
            std::ranges::find(endpoints, reference.text) == endpoints.end()) {
            endpoints.push_back(reference.text);
        }
    }
    return endpoints;
}

}  // namespace nexa::worker
