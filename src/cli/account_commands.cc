// SPDX-License-Identifier: Apache-2.0
#include <istream>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/credentials.h"
#include "core/trim.h"
#include "crypto/api_key.h"
#include "net/url.h"
#include "protocol/key_views.h"

namespace nexa::cli {

namespace {

constexpr std::size_t kKeyBytesMax = 4096;

struct CreateWish {
    std::string name;
    std::vector<std::string> scopes;
    int days = 0;
    std::optional<double> rate_limit_per_second;
};

Result<int> show_new_key(Session& session, const std::string& body) {
    TRY(const auto created, read_reply<protocol::KeyCreated>(body));
    if (session.json()) {
        session.print_json(body);
        return 0;
    }
    session.print(created.raw_key);
    session.note(fmt::format("key {}: keep it now, it is never shown again", created.key_id));
    return 0;
}

Result<int> create_key(Session& session, const CreateWish& wish) {
    protocol::KeyCreate create{.name = wish.name, .scopes = wish.scopes};
    if (wish.days > 0) {
        create.expires_in_days = wish.days;
    }
    create.rate_limit_per_second = wish.rate_limit_per_second;
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->post("/auth/api-keys", to_json(create)));
    return show_new_key(session, body);
}

Result<int> roll_key(Session& session, const std::string& key_id, std::int64_t grace_seconds) {
    TRY(ApiClient* const api, session.api());
    const protocol::KeyRoll roll{.grace_seconds = grace_seconds};
    TRY(const std::string body,
        api->post(fmt::format("/auth/api-keys/{}/roll", net::percent_encode(key_id)), to_json(roll))
    );
    return show_new_key(session, body);
}

Result<int> list_keys(Session& session) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get("/auth/api-keys"));
    TRY(const auto keys, read_reply<protocol::KeyList>(body));
    if (session.json()) {
        session.print_json(body);
        return 0;
    }
    Table table({"KEY", "NAME", "ENDS", "SCOPES", "CREATED", "LAST USED", "EXPIRES", "REVOKED"});
    for (const protocol::KeyView& key : keys.data) {
        table.add({
            key.key_id,
            key.name,
            fmt::format("…{}", key.last4),
            fmt::format("{}", fmt::join(key.scopes, ",")),
            key.created_at,
            key.last_used_at.value_or("-"),
            key.expires_at.value_or("-"),
            key.revoked_at.value_or("-"),
        });
    }
    session.print_table(table, "no keys");
    return 0;
}

Result<int> revoke_key(Session& session, const std::string& key_id) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body,
        api->remove(fmt::format("/auth/api-keys/{}", net::percent_encode(key_id))));
    if (session.json()) {
        session.print_json(body.empty() ? "{}" : body);
    } else {
        session.print(fmt::format("{}\trevoked", key_id));
    }
    return 0;
}

Result<Secret> typed_key(Session& session) {
    CliContext& context = session.context();
    if (context.in_is_terminal) {
        return context.ask_secret("API key: ");
    }
    std::string line;
    char letter = 0;
    while (line.size() < kKeyBytesMax && context.in.get(letter) && letter != '\n') {
        line += letter;
    }
    return Secret(line);
}

Result<int> log_in(Session& session) {
    TRY(const Secret typed, typed_key(session));
    const std::string_view key = trimmed(typed.reveal());
    if (key.empty()) {
        return Error::unauthenticated("no key was given")
            .hint("nexa login < FILE, or run it in a terminal");
    }
    TRY(const auto parsed, crypto::parse_api_key(key));
    TRY(const auto path, credentials_path(session.context()));
    // Asked as the key that is about to be stored, whatever the environment says.
    CliContext& context = session.context();
    context.environment["NEXA_API_KEY"] = std::string(key);
    TRY(ApiClient* const api, session.api());
    auto answer = api->get("/jobs?limit=1");
    if (!answer &&
        answer.error().code != ErrorCode::kPermissionDenied) {  // a key without jobs:read is one
        return std::move(answer).error().while_doing("check the key");
    }
    TRY_STATUS(store_key(path, key));
    if (session.json()) {
        session.print_json(fmt::format(R"({{"stored":true,"key":"{}"}})", parsed.masked()));
    } else {
        session.print(fmt::format("stored {} in {}", parsed.masked(), path.native()));
    }
    return 0;
}

void add_keys(CommandLine& line, Session& session) {
    CLI::App* group = line.root().add_subcommand("key", "Make, list, roll and revoke API keys");
    group->group("Access and cost");
    auto wish = std::make_shared<CreateWish>();
    CLI::App* create = group->add_subcommand("create", "Make a key; prints it, once");
    create->add_option("--name", wish->name, "For people");
    create
        ->add_option(
            "--scope",
            wish->scopes,
            "What it may do; may be given often; default: all that yours may"
        )
        ->expected(1)
        ->take_all();
    create->add_option("--expires-in-days", wish->days, "Default: never")
        ->check(CLI::Range(1, 3650));
    create->add_option(
        "--rate-limit-per-second",
        wish->rate_limit_per_second,
        "Requests a second; default: as many as you may"
    );
    line.on(create, [&session, wish] { return create_key(session, *wish); });
    line.on(group->add_subcommand("ls", "List your keys"), [&session] {
        return list_keys(session);
    });
    auto key_id = std::make_shared<std::string>();
    auto grace = std::make_shared<std::int64_t>(0);
    CLI::App* roll = group->add_subcommand("roll", "Replace a key; prints the new one, once");
    roll->add_option("KEY", *key_id, "The old key's id")->required();
    roll->add_option("--grace-seconds", *grace, "How long the old key is still good (default 0)")
        ->check(CLI::Range(0, 604'800));
    line.on(roll, [&session, key_id, grace] { return roll_key(session, *key_id, *grace); });
    CLI::App* revoke = group->add_subcommand("revoke", "Revoke a key for good");
    revoke->add_option("KEY", *key_id, "The key's id")->required();
    line.on(revoke, [&session, key_id] { return revoke_key(session, *key_id); });
}

}  // namespace

void add_account_commands(CommandLine& line, Session& session) {
    add_keys(line, session);
    add_billing_commands(line, session);
    CLI::App* login =
        line.root().add_subcommand("login", "Store an API key, read from the terminal or stdin");
    login->group("Access and cost");
    line.on(login, [&session] { return log_in(session); });
}

}  // namespace nexa::cli
