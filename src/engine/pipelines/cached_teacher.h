// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <string>
#include <unordered_map>

#include "engine/pipelines/teacher.h"

namespace nexa::pipelines {

/// Asks a teacher only what it has not answered before, here or in an earlier try that was cut
/// short: answers lie in a file, a JSON line each, added as they come. The same questions give the
/// same answers, asked at once or in parts.
class CachedTeacher {
public:
    struct Counts {
        std::int64_t asked = 0;              ///< answered by the teacher in this process
        std::int64_t found = 0;              ///< in the file
        std::int64_t prompt_tokens = 0;      ///< of those asked
        std::int64_t completion_tokens = 0;  ///< of those asked
    };

    /// Reads `path` if it is there; a last line that was cut off is dropped. Errors: kUnavailable,
    /// kMalformed (with the line).
    static Result<CachedTeacher> open(
        Teacher& teacher, const TeacherOptions& options, const std::filesystem::path& path
    );

    /// As Teacher::answer; failures are not kept. Errors: kUnavailable too (disk full).
    Result<std::vector<Answer>> answer(std::span<const Question> questions);
    const Counts& counts() const { return counts_; }
    const Teacher& teacher() const { return teacher_; }

private:
    CachedTeacher(Teacher& teacher, std::string salt) : teacher_(teacher), salt_(std::move(salt)) {}
    std::string key_of(const Question& question) const;
    Status keep(const std::string& key, const Answer& answer);

    Teacher& teacher_;
    std::string salt_;  ///< what beside the question decides about the answer
    std::unordered_map<std::string, Answer> answers_;
    std::ofstream file_;
    Counts counts_;
};

}  // namespace nexa::pipelines
