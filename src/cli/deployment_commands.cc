// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <istream>
#include <iterator>
#include <memory>
#include <ostream>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/chat_client.h"
#include "cli/command_line.h"
#include "cli/credentials.h"
#include "core/near_name.h"
#include "net/url.h"
#include "protocol/deployment_views.h"

namespace nexa::cli {

namespace {

constexpr std::size_t kMessageBytesMax = std::size_t{1} << 20U;

std::string deployment_path(const std::string& id) {
    return fmt::format("/deployments/{}", net::percent_encode(id));
}

void show(Session& session, const protocol::DeploymentView& view) {
    session.print(fmt::format("deployment  {}", view.deployment_id));
    session.print(fmt::format("name        {}", view.name));
    session.print(fmt::format("region      {}", view.region));
    session.print(fmt::format("state       {}", view.state));
    if (!view.message.empty()) {
        session.print(fmt::format("message     {}", view.message));
    }
    session.print(fmt::format("url         {}", view.inference_url.value_or("-")));
    session.print(fmt::format("job         {}", view.job_id));
    session.print(fmt::format("created     {}", view.created_at));
    for (const protocol::DeploymentGateway& gateway : view.gateways) {
        session.print(fmt::format(
            "gateway     {} {} {} {}",
            gateway.gateway_id,
            gateway.url,
            gateway.state,
            gateway.message
        ));
    }
}

Result<int> list_deployments(Session& session, bool all) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get(all ? "/deployments" : "/deployments?live=true"));
    TRY(const auto page, read_reply<protocol::DeploymentList>(body));
    if (session.json()) {
        session.print_json(body);
        return 0;
    }
    Table table({"DEPLOYMENT", "NAME", "REGION", "STATE", "URL", "CREATED"});
    for (const protocol::DeploymentView& view : page.data) {
        table.add({
            view.deployment_id,
            view.name,
            view.region,
            view.state,
            view.inference_url.value_or("-"),
            view.created_at,
        });
    }
    session.print_table(table, "nothing is deployed");
    return 0;
}

bool is_deployment_id(std::string_view text) {
    return text.starts_with("dp_");
}

/// Newest first; of that name, unless it is empty.
Result<std::vector<protocol::DeploymentView>> live_deployments(
    Session& session, const std::string& name
) {
    std::string path = "/deployments?live=true";
    if (!name.empty()) {
        path += "&name=" + net::percent_encode(name);
    }
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get(path));
    TRY(auto page, read_reply<protocol::DeploymentList>(body));
    return std::move(page.data);
}

/// With the live one that was most likely meant by `name`.
Error no_deployment(Session& session, const std::string& name) {
    std::vector<std::string_view> names;
    const auto live = live_deployments(session, "");
    if (live) {
        names.resize(live->size());
        std::ranges::transform(*live, names.begin(), &protocol::DeploymentView::name);
    }
    const auto near = nearest(name, names);
    return Error::not_found(
               "no gateway serves {}", name.empty() ? "a model of yours" : fmt::format("'{}'", name)
    )
        .hint(
            near && *near != name
                ? fmt::format("did you mean '{}'?", *near)
                : "nexa deployment ls shows what is deployed; nexa deploy deploys a checkpoint"
        );
}

/// Of an id, or of the name of one that is live.
Result<std::string> id_of_deployment(Session& session, const std::string& text) {
    if (is_deployment_id(text)) {
        return text;
    }
    TRY(const auto live, live_deployments(session, text));
    if (live.empty()) {
        return no_deployment(session, text);
    }
    return live.front().deployment_id;
}

Result<int> get_deployment(Session& session, const std::string& text) {
    TRY(const std::string id, id_of_deployment(session, text));
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get(deployment_path(id)));
    TRY(const auto view, read_reply<protocol::DeploymentView>(body));
    if (session.json()) {
        session.print_json(body);
    } else {
        show(session, view);
    }
    return 0;
}

Result<int> undeploy(Session& session, const std::string& text) {
    TRY(const std::string id, id_of_deployment(session, text));
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->remove(deployment_path(id)));
    TRY(const auto view, read_reply<protocol::DeploymentView>(body));
    if (session.json()) {
        session.print_json(body);
    } else {
        session.print(fmt::format("{}\t{}", view.deployment_id, view.state));
    }
    return 0;
}

struct ChatWish {
    std::string model;
    std::string message;
    std::string system;
    std::string url;
    std::optional<int> max_tokens;
    std::optional<double> temperature;
    std::optional<std::int64_t> seed;
};

/// The deployment of that id, or the newest that is served, of the wished name if there is one.
Result<protocol::DeploymentView> find_deployment(Session& session, const std::string& model) {
    if (is_deployment_id(model)) {
        TRY(ApiClient* const api, session.api());
        TRY(const std::string body, api->get(deployment_path(model)));
        TRY(auto view, read_reply<protocol::DeploymentView>(body));
        if (!view.inference_url) {
            return Error::not_found("{} is {}: no gateway serves it", model, view.state);
        }
        return view;
    }
    TRY(const auto live, live_deployments(session, model));
    const auto served = std::ranges::find_if(live, [](const protocol::DeploymentView& view) {
        return view.inference_url.has_value();
    });
    if (served == live.end()) {
        return no_deployment(session, model);
    }
    return *served;
}

/// Where the model is and what opens it. Our key goes to our own gateways alone.
Status find_endpoint(Session& session, ChatWish& wish, ChatQuestion& question) {
    const CliContext& context = session.context();
    if (!wish.url.empty()) {
        question.base_url = wish.url;
        question.key = context.variable("OPENAI_API_KEY");
        return {};
    }
    TRY(const protocol::DeploymentView found, find_deployment(session, wish.model));
    TRY(const auto key, find_key(context));
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): found are only those that have one
    question.base_url = *found.inference_url;
    question.key = key ? std::string(key->key.reveal()) : "";
    question.model = found.name;
    return {};
}

/// A model's words must not steer the terminal.
std::string without_escapes(std::string_view text) {
    std::string shown(text);
    std::erase_if(shown, [](char letter) {
        const auto code = static_cast<unsigned char>(letter);
        return (code < ' ' && letter != '\n' && letter != '\t') || code == 0x7f;
    });
    return shown;
}

Result<std::string> ask(Session& session, const ChatQuestion& question) {
    std::ostream& out = session.context().out;
    const bool is_terminal = session.context().out_is_terminal;
    auto answer = stream_answer(session, question, [&](std::string_view text) {
        out << (is_terminal ? without_escapes(text) : std::string(text)) << std::flush;
    });
    out << '\n';
    return answer;
}

/// A turn a line, until the end of the input or an empty line.
Result<int> converse(Session& session, ChatQuestion question) {
    CliContext& context = session.context();
    session.note(fmt::format("{} at {}; an empty line ends", question.model, question.base_url));
    std::string line;
    while (context.err << "> " << std::flush && std::getline(context.in, line) && !line.empty()) {
        question.messages.push_back({.role = "user", .content = line});
        TRY(std::string answer, ask(session, question));
        question.messages.push_back({.role = "assistant", .content = std::move(answer)});
    }
    return 0;
}

Result<std::string> message_of(Session& session, const ChatWish& wish) {
    if (!wish.message.empty()) {
        return wish.message;
    }
    std::string text(std::istreambuf_iterator<char>(session.context().in), {});
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    if (text.empty()) {
        return Error::invalid_argument("there is nothing to say")
            .hint("nexa chat MODEL --message TEXT, or pipe the text in");
    }
    if (text.size() > kMessageBytesMax) {
        return Error::invalid_argument("{} bytes are more than one message may have", text.size());
    }
    return text;
}

Result<int> chat(Session& session, ChatWish wish) {
    ChatQuestion question{
        .base_url = {},
        .key = {},
        .model = wish.model,
        .messages = {},
        .max_tokens = wish.max_tokens,
        .temperature = wish.temperature,
        .seed = wish.seed,
    };
    TRY_STATUS(find_endpoint(session, wish, question));
    if (!wish.system.empty()) {
        question.messages.push_back({.role = "system", .content = wish.system});
    }
    if (wish.message.empty() && session.context().in_is_terminal) {
        return converse(session, std::move(question));
    }
    TRY(std::string message, message_of(session, wish));
    question.messages.push_back({.role = "user", .content = std::move(message)});
    TRY_STATUS(ask(session, question));
    return 0;
}

void add_chat(CommandLine& line, Session& session) {
    auto wish = std::make_shared<ChatWish>();
    CLI::App* chat_command =
        line.root().add_subcommand("chat", "Talk to a deployed model; its answers go to stdout");
    chat_command->group("Deployments");
    chat_command->add_option("MODEL", wish->model, "Name or dp_… id; default: the newest deployed");
    chat_command->add_option(
        "--message", wish->message, "Ask this once; default: the terminal, or all of stdin"
    );
    chat_command->add_option("--system", wish->system, "What the model is told first");
    chat_command->add_option(
        "--url", wish->url, "Base URL of another OpenAI API, asked with $OPENAI_API_KEY"
    );
    chat_command->add_option("--max-tokens", wish->max_tokens, "Longest answer");
    chat_command->add_option("--temperature", wish->temperature, "0 is greedy");
    chat_command->add_option("--seed", wish->seed, "Same seed, same answer");
    line.on(chat_command, [&session, wish] { return chat(session, *wish); });
}

}  // namespace

void add_deployment_commands(CommandLine& line, Session& session) {
    CLI::App* group = line.root().add_subcommand("deployment", "Look at deployed models");
    group->group("Deployments");
    auto all = std::make_shared<bool>(false);
    CLI::App* list = group->add_subcommand("ls", "List what is deployed");
    list->add_flag("--all", *all, "Also what was stopped or failed");
    line.on(list, [&session, all] { return list_deployments(session, *all); });
    auto id = std::make_shared<std::string>();
    CLI::App* get = group->add_subcommand("get", "Read one deployment, with its gateways");
    get->add_option("DEPLOYMENT", *id, "Its id, or its name if it is live")->required();
    line.on(get, [&session, id] { return get_deployment(session, *id); });
    CLI::App* stop = line.root().add_subcommand("undeploy", "Stop serving a deployment");
    stop->group("Deployments");
    stop->add_option("DEPLOYMENT", *id, "Its id or its name")->required();
    line.on(stop, [&session, id] { return undeploy(session, *id); });
    add_chat(line, session);
}

}  // namespace nexa::cli
