// SPDX-License-Identifier: Apache-2.0
#include "cli/document_file.h"

#include <istream>
#include <iterator>

#include <fmt/format.h>

#include "config/yaml_tree.h"
#include "core/file.h"

namespace nexa::cli {

namespace {

constexpr std::uint64_t kBytesMax = 1 << 20;

bool is_json(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    return begin != std::string_view::npos && text[begin] == '{';
}

}  // namespace

Result<std::string> read_document(CliContext& context, const std::string& file) {
    if (file != "-") {
        return read_file(file, kBytesMax);
    }
    std::string text;
    for (std::istreambuf_iterator<char> at(context.in), end; at != end; ++at) {
        if (text.size() == kBytesMax) {
            return Error::invalid_argument("stdin holds more than {} bytes", kBytesMax).at("-f");
        }
        text += *at;
    }
    return text;
}

Result<ValueNode> parse_document(std::string_view text, std::string_view source) {
    if (!is_json(text)) {
        return config::parse_yaml(text, source);  // its errors say where by themselves
    }
    auto parsed = parse_json(text);
    if (!parsed) {
        Error error = std::move(parsed).error();
        error.param = fmt::format("{}{}{}", source, error.param.empty() ? "" : ": ", error.param);
        return error;
    }
    return parsed;
}

}  // namespace nexa::cli
