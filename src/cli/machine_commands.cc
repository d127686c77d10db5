// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <array>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/credentials.h"
#include "cli/quickstart.h"
#include "cli/up.h"
#include "core/file.h"
#include "core/json_writer.h"
#include "protocol/system_views.h"

namespace nexa::cli {

namespace {

constexpr std::uint64_t kFreeBytesMin = std::uint64_t{5} << 30;

constexpr std::string_view kExitCodes =
    "0    done\n"
    "1    failure inside the program or the server\n"
    "2    usage: a flag, a field or a file is wrong\n"
    "3    the job was cancelled\n"
    "4    no key, a bad key, or one that may not do this\n"
    "5    not found\n"
    "6    conflict: something else is there already, or the state has changed\n"
    "7    integrity: bytes are not what their hash or signature says\n"
    "8    not finished in time\n"
    "9    a quota or rate limit\n"
    "10   the server cannot be reached, or not now\n"
    "130  ended by Ctrl-C\n"
    "141  nobody reads the output any more";

struct Finding {
    std::string what;
    bool ok = false;
    std::string detail;  ///< what was found, or what to do
};

Finding check_program(const CliContext& context, const std::string& name) {
    const auto path = context.program_directory / name;
    const bool found = ::access(path.c_str(), X_OK) == 0;
    return {
        name, found, found ? path.native() : fmt::format("put the program at {}", path.native())
    };
}

Finding check_server(Session& session, const std::string& url) {
    CliContext& context = session.context();
    const std::string root = server_root(url);
    net::blocking::HttpClient client(
        {.connect_time_max = std::chrono::seconds(2)},
        RetryTools{.clock = context.clock, .random = context.random, .sleeper = context.sleeper}
    );
    const auto answer = client.send({
        .url = root + "/readyz",
        .total_time_max = std::chrono::seconds(10),
        .retry = net::RetryWhen::kNever,
    });
    if (!answer) {
        return {
            "server",
            false,
            fmt::format("start one with 'nexa up' or set NEXA_API_URL: {}", answer.error().message)
        };
    }
    if (answer->status != 200) {
        return {
            "server",
            false,
            fmt::format("{} answers with status {}: see its log", root, answer->status)
        };
    }
    return {"server", true, root};
}

Finding check_key(Session& session) {
    auto found = find_key(session.context());
    if (!found) {
        return {"key", false, found.error().to_string()};
    }
    const auto& key = *found;
    if (!key) {
        return {"key", false, "set NEXA_API_KEY or run 'nexa login'"};
    }
    const std::string origin = key->origin;
    auto api = session.api();
    const auto answer = api ? (*api)->get("/jobs?limit=1") : Result<std::string>(api.error());
    if (!answer && answer.error().code != ErrorCode::kPermissionDenied) {
        return {
            "key",
            false,
            fmt::format("the key from {} does not work: {}", origin, answer.error().to_string())
        };
    }
    return {"key", true, fmt::format("from {}", origin)};
}

Finding check_disk(const std::string& dir) {
    const auto free = available_bytes(dir);
    if (!free) {
        return {"disk", false, free.error().to_string()};
    }
    const bool enough = *free >= kFreeBytesMin;
    return {
        "disk",
        enough,
        fmt::format(
            "{} free at {}{}",
            human_bytes(*free),
            dir,
            enough ? "" : ": make room, jobs need some GiB"
        ),
    };
}

std::string findings_json(const std::vector<Finding>& findings) {
    JsonWriter writer;
    writer.begin_array();
    for (const Finding& finding : findings) {
        writer.begin_object();
        writer.key("check");
        writer.string(finding.what);
        writer.key("ok");
        writer.boolean(finding.ok);
        writer.key("detail");
        writer.string(finding.detail);
        writer.end_object();
    }
    writer.end_array();
    return writer.take();
}

Result<int> examine(Session& session, const std::string& dir) {
    std::vector<Finding> findings;
    for (const char* name : {"nexad", "nexa-worker", "nexa-engine"}) {
        findings.push_back(check_program(session.context(), name));
    }
    const auto url = api_url(session.context());
    findings.push_back(
        url ? check_server(session, *url) : Finding{"server", false, url.error().to_string()}
    );
    if (findings.back().ok) {
        findings.push_back(check_key(session));
    } else {
        findings.push_back({"key", false, "cannot be checked without the server"});
    }
    findings.push_back(check_disk(dir));
    bool all_ok = true;
    for (const Finding& finding : findings) {
        all_ok = all_ok && finding.ok;
        if (!session.json()) {
            session.print(one_line(
                fmt::format("{} {}: {}", finding.ok ? "ok  " : "FAIL", finding.what, finding.detail)
            ));
        }
    }
    if (session.json()) {
        session.print_json(findings_json(findings));
    }
    return all_ok ? 0 : 1;
}

Result<int> show_version(Session& session) {
    const CliContext& context = session.context();
    if (session.json()) {
        session.print_json(
            to_json(protocol::VersionView{.version = context.version, .commit = context.commit})
        );
    } else {
        session.print(fmt::format(
            "nexa {}{}{}", context.version, context.commit.empty() ? "" : " ", context.commit
        ));
    }
    return 0;
}

struct UpWish {
    std::string dir = "nexa-data";
    int port = 8000;
    int gateway_port = 8080;
    int workers = 1;
    int grace = 20;
};

Result<int> up(Session& session, const UpWish& wish) {
    return run_up(
        session,
        {
            .dir = wish.dir,
            .port = static_cast<std::uint16_t>(wish.port),
            .gateway_port = static_cast<std::uint16_t>(wish.gateway_port),
            .workers = wish.workers,
            .grace = std::chrono::seconds(wish.grace),
        }
    );
}

void add_up(CommandLine& line, Session& session) {
    auto wish = std::make_shared<UpWish>();
    CLI::App* command = line.root().add_subcommand(
        "up", "Run the server, a worker and the gateway on this machine"
    );
    command->group("Run and repair");
    command->add_option("--dir", wish->dir, "Where everything is kept")->capture_default_str();
    command->add_option("--port", wish->port, "Of the server (default 8000)")
        ->check(CLI::Range(1, 65535));
    command->add_option("--gateway-port", wish->gateway_port, "Of the gateway (default 8080)")
        ->check(CLI::Range(1, 65535));
    command->add_option("--workers", wish->workers, "How many workers (default 1)")
        ->check(CLI::Range(0, 64));
    command->add_option("--grace", wish->grace, "Seconds that programs have to end (default 20)")
        ->check(CLI::Range(0, 3600));
    line.on(command, [&session, wish] { return up(session, *wish); });
}

void add_quickstart(CommandLine& line, Session& session) {
    auto options = std::make_shared<QuickstartOptions>();
    CLI::App* command = line.root().add_subcommand(
        "quickstart", "Take your data, or sums, all the way to a served model on this machine"
    );
    command->group("Run and repair");
    command->add_option(
        "--data",
        options->data,
        "JSONL, Parquet, CSV, or a folder of text or Markdown (default: sums are made)"
    );
    command->add_option("--dir", options->dir, "Where everything is kept")->capture_default_str();
    command->add_option("--report", options->report, "Write what came of it here, as JSON");
    command->add_option("--port", options->port, "Of the server (default 8000, or a free one)")
        ->check(CLI::Range(1, 65535));
    command
        ->add_option(
            "--gateway-port", options->gateway_port, "Of the gateway (default 8080, or a free one)"
        )
        ->check(CLI::Range(1, 65535));
    command->add_flag("--exit", options->ends, "End when done, also on a terminal");
    line.on(command, [&session, options] { return run_quickstart(session, *options); });
}

}  // namespace

void add_machine_commands(CommandLine& line, Session& session) {
    add_quickstart(line, session);
    add_up(line, session);
    auto dir = std::make_shared<std::string>(".");
    CLI::App* doctor = line.root().add_subcommand("doctor", "Check programs, server, key and disk");
    doctor->group("Run and repair");
    doctor->add_option("--dir", *dir, "Whose disk is checked");
    line.on(doctor, [&session, dir] { return examine(session, *dir); });
    CLI::App* version = line.root().add_subcommand("version", "Say which program this is");
    version->group("Run and repair");
    line.on(version, [&session] { return show_version(session); });
    CLI::App* help = line.root().add_subcommand("help", "Explain something");
    help->group("Run and repair");
    CLI::App& root = line.root();
    line.on(help, [&session, &root] {
        session.print(root.get_formatter()->make_help(&root, "nexa", CLI::AppFormatMode::Normal));
        return 0;
    });
    CLI::App* codes = help->add_subcommand("exit-codes", "What the exit codes mean");
    line.on(codes, [&session] {
        session.print(kExitCodes);
        return 0;
    });
}

}  // namespace nexa::cli
