// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/api_client.h"
#include "cli/context.h"
#include "cli/table.h"

namespace nexa::cli {

/// One run of the program: where its commands print, and the server they ask. Not thread-safe.
class Session {
public:
    explicit Session(CliContext& context) : context_(context) {}

    CliContext& context() { return context_; }
    bool json() const { return json_; }
    void set_json(bool json) { json_ = json; }

    /// The client, opened when first asked for.
    Result<ApiClient*> api();

    /// A reply as it came, for --json.
    void print_json(std::string_view body);
    /// As a table or as tab-separated lines; `nothing` goes to stderr if it is empty and somebody
    /// looks.
    void print_table(const Table& table, std::string_view nothing);
    /// One line on stdout.
    void print(std::string_view line);
    /// One line for the person who waits, on stderr.
    void note(std::string_view line);
    /// "error: …" with place, hint and request id on stderr; a JSON object under --json.
    /// Returns the exit code.
    int report(const Error& error);

private:
    CliContext& context_;
    bool json_ = false;
    std::optional<ApiClient> api_;
};

}  // namespace nexa::cli
