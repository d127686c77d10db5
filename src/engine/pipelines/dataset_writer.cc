// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/dataset_writer.h"

#include <functional>

#include "core/file.h"
#include "core/json_writer.h"

namespace nexa::pipelines {

namespace {

constexpr std::int64_t kPreviewRows = 100;
/// Enough to tell a varied dataset from a dull one, and bounded however many rows there are.
constexpr std::int64_t kTrigramsMax = 1'000'000;

constexpr std::string_view kSchema = R"({
  "format": "jsonl",
  "fields": [
    {"name": "prompt", "type": "string", "description": "What is asked"},
    {"name": "answer", "type": "string", "description": "The right answer"},
    {"name": "meta", "type": "object", "description": "Texts about the row, by name"}
  ]
}
)";

std::string to_line(const MadeRow& row) {
    JsonWriter writer;
    writer.begin_object();
    writer.key("prompt");
    writer.string(row.prompt);
    writer.key("answer");
    writer.string(row.answer);
    writer.key("meta");
    writer.begin_object();
    for (const auto& [name, value] : row.meta) {
        writer.key(name);
        writer.string(value);
    }
    writer.end_object();
    writer.end_object();
    return writer.take() + '\n';
}

Status check_written(const std::ofstream& file, const std::filesystem::path& path) {
    if (!file) {
        return Error::unavailable("cannot write {}: is the disk full?", path.string());
    }
    return {};
}

}  // namespace

Result<DatasetWriter> DatasetWriter::create(const std::filesystem::path& folder) {
    DatasetWriter writer(folder);
    const std::filesystem::path preview = folder / "preview.jsonl";
    writer.preview_.open(preview, std::ios::binary);
    TRY_STATUS(check_written(writer.preview_, preview));
    TRY_STATUS(write_file_atomically(folder / "schema.json", kSchema));
    return writer;
}

Status DatasetWriter::open(data::Split split) {
    const std::filesystem::path path = folder_ / fmt::format("{}.jsonl", data::to_string(split));
    auto& file = files_.at(static_cast<std::size_t>(split));
    file.emplace(path, std::ios::binary);
    return check_written(*file, path);
}

Status DatasetWriter::add(data::Split split, const MadeRow& row) {
    const auto index = static_cast<std::size_t>(split);
    if (!files_.at(index)) {
        TRY_STATUS(open(split));
    }
    const std::string line = to_line(row);
    *files_.at(index) << line;
    if (previewed_ < kPreviewRows) {
        preview_ << line;
        ++previewed_;
    }
    ++rows_.at(index);
    measure(row);
    return check_written(
        *files_.at(index), folder_ / fmt::format("{}.jsonl", data::to_string(split))
    );
}

Status DatasetWriter::finish() {
    for (auto& file : files_) {
        if (file) {
            file->close();
            TRY_STATUS(check_written(*file, folder_));
        }
    }
    preview_.close();
    return check_written(preview_, folder_ / "preview.jsonl");
}

std::map<std::string, std::int64_t> DatasetWriter::counts() const {
    std::map<std::string, std::int64_t> counts;
    for (std::size_t i = 0; i < kSplits; ++i) {
        if (rows_.at(i) > 0) {
            counts.emplace(data::to_string(static_cast<data::Split>(i)), rows_.at(i));
        }
    }
    return counts;
}

void DatasetWriter::measure(const MadeRow& row) {
    const std::string text = fmt::format("{} {}", row.prompt, row.answer);
    std::array<std::size_t, 3> last{};
    std::size_t words = 0;
    for (std::size_t begin = 0; begin < text.size() && trigrams_seen_ < kTrigramsMax;) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        if (end > begin) {
            last = {
                last[1],
                last[2],
                std::hash<std::string_view>{}(std::string_view(text).substr(begin, end - begin))
            };
            if (++words >= last.size()) {
                trigrams_.insert(last[0] * 31 * 31 + last[1] * 31 + last[2]);
                ++trigrams_seen_;
            }
        }
        begin = end + 1;
    }
}

double DatasetWriter::diversity() const {
    return trigrams_seen_ == 0
               ? 1.0
               : static_cast<double>(trigrams_.size()) / static_cast<double>(trigrams_seen_);
}

}  // namespace nexa::pipelines
