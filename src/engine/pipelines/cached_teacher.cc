// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/cached_teacher.h"

#include <string_view>
#include <tuple>

#include "core/fields.h"
#include "core/file.h"
#include "core/json.h"
#include "core/json_codec.h"
#include "core/sha256.h"

namespace nexa::pipelines {

namespace {

constexpr std::uint64_t kCacheBytesMax = std::uint64_t{8} << 30U;

struct CachedAnswer {
    static constexpr std::string_view kName = "CachedAnswer";
    std::string key;
    std::string text;
    bool complete = false;
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("key", &CachedAnswer::key, "Hash of all that decides the answer").required(),
            field("text", &CachedAnswer::text, "What was said").required(),
            field("complete", &CachedAnswer::complete, "Whether it ended by itself").required(),
            field("prompt_tokens", &CachedAnswer::prompt_tokens, "Read"),
            field("completion_tokens", &CachedAnswer::completion_tokens, "Said"),
        };
    }
};
NEXA_JSON_CODEC(CachedAnswer);

}  // namespace

Result<CachedTeacher> CachedTeacher::open(
    Teacher& teacher, const TeacherOptions& options, const std::filesystem::path& path
) {
    CachedTeacher cached(
        teacher,
        fmt::format(
            "{}|{}|{}|{}",
            teacher.identity(),
            options.temperature,
            options.top_p,
            options.new_tokens_max
        )
    );
    std::string text;
    if (std::filesystem::exists(path)) {
        TRY(text, read_file(path, kCacheBytesMax));
        text.resize(text.rfind('\n') + 1);  // npos + 1 is 0: the only line was cut off
    }
    std::int64_t number = 0;
    for (std::size_t at = 0; at < text.size();) {
        ++number;
        const std::size_t end = text.find('\n', at);
        auto line = from_json<CachedAnswer>(std::string_view(text).substr(at, end - at));
        if (!line) {
            return std::move(line).error().at(fmt::format("teacher_cache.jsonl:{}", number));
        }
        cached.answers_.emplace(
            std::move(line->key),
            Answer{
                .text = std::move(line->text),
                .complete = line->complete,
                .prompt_tokens = line->prompt_tokens,
                .completion_tokens = line->completion_tokens,
            }
        );
        at = end + 1;
    }
    TRY_STATUS(write_file_atomically(path, text));
    cached.file_.open(path, std::ios::app);
    return cached;
}

std::string CachedTeacher::key_of(const Question& question) const {
    Sha256 hash;
    const auto add = [&](std::string_view part) {
        hash.update(fmt::format("{}:", part.size()));
        hash.update(part);
    };
    add(salt_);
    add(std::to_string(question.seed));
    for (const text::ChatMessage& message : question.messages) {
        add(message.role);
        add(message.content);
    }
    return hash.digest().hex();
}

Status CachedTeacher::keep(const std::string& key, const Answer& answer) {
    file_ << to_json(CachedAnswer{
                 .key = key,
                 .text = answer.text,
                 .complete = answer.complete,
                 .prompt_tokens = answer.prompt_tokens,
                 .completion_tokens = answer.completion_tokens,
             })
          << '\n';
    answers_.emplace(key, answer);
    return file_ ? Status() : Error::unavailable("cannot keep an answer: is the disk full?");
}

Result<std::vector<Answer>> CachedTeacher::answer(std::span<const Question> questions) {
    std::vector<std::string> keys;
    std::unordered_map<std::string, Answer> failed;
    std::vector<Question> missing;
    std::vector<std::string> missing_keys;
    for (const Question& question : questions) {
        keys.push_back(key_of(question));
        if (answers_.contains(keys.back())) {
            ++counts_.found;
        } else {
            missing.push_back(question);
            missing_keys.push_back(keys.back());
        }
    }
    if (!missing.empty()) {
        TRY(const auto said, teacher_.answer(missing));
        for (std::size_t i = 0; i < said.size(); ++i) {
            if (!said[i].failure.empty()) {
                failed.emplace(missing_keys[i], said[i]);
                continue;
            }
            TRY_STATUS(keep(missing_keys[i], said[i]));
            ++counts_.asked;
            counts_.prompt_tokens += said[i].prompt_tokens;
            counts_.completion_tokens += said[i].completion_tokens;
        }
        file_.flush();
    }
    std::vector<Answer> answers;
    answers.reserve(keys.size());
    for (const std::string& key : keys) {
        const auto kept = answers_.find(key);
        answers.push_back(kept != answers_.end() ? kept->second : failed.at(key));
    }
    return answers;
}

}  // namespace nexa::pipelines
