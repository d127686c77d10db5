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
    return writer.take();
}

}  // namespace

Result<DatasetWriter> DatasetWriter::create(const std::filesystem::path& folder) {
    TRY(LinesFile preview, LinesFile::create(folder / "preview.jsonl"));
    TRY_STATUS(write_file_atomically(folder / "schema.json", kSchema));
    return DatasetWriter(folder, std::move(preview));
}

Status DatasetWriter::add(data::Split split, const MadeRow& row) {
    const auto index = static_cast<std::size_t>(split);
    auto& file = files_.at(index);
    if (!file) {
        TRY(file, LinesFile::create(folder_ / fmt::format("{}.jsonl", data::to_string(split))));
    }
    const std::string line = to_line(row);
    TRY_STATUS(file->add(line));
    if (previewed_ < kPreviewRows) {
        TRY_STATUS(preview_.add(line));
        ++previewed_;
    }
    ++rows_.at(index);
    measure(row);
    return {};
}

Status DatasetWriter::finish() {
    for (auto& file : files_) {
        if (file) {
            TRY_STATUS(file->finish());
        }
    }
    return preview_.finish();
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
