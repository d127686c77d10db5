// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/utf8.h"
#include "engine/columnar/byte_reader_internal.h"
#include "engine/columnar/source_internal.h"

namespace nexa::columnar::internal {

namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";

bool is_blank(std::string_view text) {
    return text.find_first_not_of(kSpace) == std::string_view::npos;
}

/// Where the last paragraph begins that begins within the first `bytes_max` bytes; 0 if none does
/// but the first. A paragraph begins after an empty line.
std::size_t last_paragraph(std::string_view text, std::size_t bytes_max) {
    std::size_t found = 0;
    for (std::size_t line = 0; line <= bytes_max;) {
        const std::size_t end = text.find('\n', line);
        if (end == std::string_view::npos || end + 1 > bytes_max) {
            break;
        }
        if (is_blank(text.substr(line, end - line))) {
            found = end + 1;
        }
        line = end + 1;
    }
    return found;
}

/// How much of a text that is longer than `bytes_max` makes a chunk: up to a paragraph, else to a
/// line end, else to a space, else to a character.
std::size_t cut_of(std::string_view text, std::size_t bytes_max) {
    if (const std::size_t paragraph = last_paragraph(text, bytes_max)) {
        return paragraph;
    }
    for (const char end : {'\n', ' '}) {
        const std::size_t at = text.rfind(end, bytes_max - 1);
        if (at != std::string_view::npos) {
            return at + 1;
        }
    }
    std::size_t cut = bytes_max;
    while (cut > 1 && bytes_max - cut < 4 &&
           (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) {
        --cut;
    }
    return cut;
}

class TextSource final : public RecordSource {
public:
    TextSource(ByteReader bytes, std::size_t chunk_bytes)
        : bytes_(std::move(bytes)), chunk_bytes_(chunk_bytes) {}

    Result<std::optional<Record>> next() override {
        while (true) {
            TRY_STATUS(fill());
            if (rest().empty()) {
                return std::nullopt;
            }
            Record record;
            record.number = ++number_;
            if (chunk_bytes_ == 0 && rest().size() > kRowBytesMax) {
                begin_ = pending_.size();
                at_end_ = true;
                record.fault = fmt::format(
                    "is longer than {} MiB: read it in chunks, or cut it up", kRowBytesMax >> 20U
                );
                return record;
            }
            const std::string_view text = take();
            if (is_blank(text)) {
                continue;
            }
            if (!is_utf8(text)) {
                record.fault = "is not UTF-8";
            }
            record.texts.at(text_column("text")) = {.text = std::string(text), .fault = {}};
            return record;
        }
    }
    std::int64_t bytes_read() const override {
        return bytes_.consumed() - static_cast<std::int64_t>(rest().size());
    }

private:
    std::string_view rest() const { return std::string_view(pending_).substr(begin_); }
    std::size_t bytes_max() const { return chunk_bytes_ == 0 ? kRowBytesMax : chunk_bytes_; }

    /// Reads until more than a chunk is there, or all.
    Status fill() {
        if (rest().size() > bytes_max() || at_end_) {
            return {};
        }
        pending_.erase(0, std::exchange(begin_, 0));
        while (pending_.size() <= bytes_max() && !at_end_) {
            TRY(const std::string_view bytes, bytes_.peek());
            at_end_ = bytes.empty();
            pending_ += bytes;
            bytes_.consume(bytes.size());
        }
        return {};
    }

    std::string_view take() {
        const std::string_view text = rest();
        const std::size_t bytes =
            text.size() <= bytes_max() ? text.size() : cut_of(text, bytes_max());
        begin_ += bytes;
        return text.substr(0, bytes);
    }

    ByteReader bytes_;
    std::size_t chunk_bytes_;
    std::string pending_;
    std::size_t begin_ = 0;
    bool at_end_ = false;
    std::int64_t number_ = 0;
};

}  // namespace

SourceResult open_text(const std::filesystem::path& path, std::size_t chunk_bytes) {
    TRY(ByteReader bytes, ByteReader::open(path));
    // No character is longer than four bytes, so each chunk can hold one.
    const std::size_t wanted =
        chunk_bytes == 0 ? 0 : std::clamp<std::size_t>(chunk_bytes, 4, kRowBytesMax);
    return std::make_unique<TextSource>(std::move(bytes), wanted);
}

}  // namespace nexa::columnar::internal
