// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/document_file.h"
#include "cli/estimate_view.h"
#include "cli/follow.h"
#include "cli/spec_flags.h"
#include "core/json.h"
#include "protocol/job_types.h"
#include "protocol/submission.h"

namespace nexa::cli {

namespace {

/// What was typed for one job type.
struct JobWish {
    const protocol::JobTypeRow* type = nullptr;
    std::vector<SpecFlag> flags;
    std::vector<std::string> values;    ///< beside `flags`
    std::vector<CLI::Option*> options;  ///< beside `flags`
    std::vector<std::string> sets;
    std::string file;
    std::string name;
    int priority = 0;
    CLI::Option* priority_flag = nullptr;
    bool dry_run = false;
    AfterSubmission after;
};

const StructInfo& spec_of(const protocol::JobTypeRow& type) {
    return *type.spec().structure();
}

/// What is to be sent, as far as it is understood.
struct Draft {
    protocol::SubmissionOptions options;
    ValueNode payload{.kind = ValueNode::Kind::kObject};
    std::string_view source;  ///< where it was read
};

/// A spec, or a whole submission around one. The draft points into `text`.
Result<Draft> read_draft(std::string_view text, std::string_view source) {
    Draft draft{.source = source};
    TRY(ValueNode root, parse_document(text, source));
    const auto found = std::ranges::find(root.keys, "payload");
    if (found == root.keys.end()) {
        draft.payload = std::move(root);
        return draft;
    }
    ValueNode& payload = root.items[static_cast<std::size_t>(found - root.keys.begin())];
    draft.payload = std::exchange(payload, {});
    const auto faults = decode(
        root, type_info<protocol::SubmissionOptions>(), &draft.options, UnknownKeys::kRefuse
    );
    if (!faults.empty()) {
        return faults.front().in(source);
    }
    return draft;
}

/// Puts the flags over what the file says.
Status add_flags(const JobWish& wish, Draft& draft) {
    for (std::size_t i = 0; i < wish.flags.size(); ++i) {
        if (wish.options[i]->count() > 0) {
            const FieldInfo& field = *wish.flags[i].field;
            TRY(ValueNode value, field_value(field, wish.values[i]));
            put(spec_of(*wish.type), field, std::move(value), draft.payload);
        }
    }
    for (const std::string& assignment : wish.sets) {
        TRY_STATUS(set_field(spec_of(*wish.type), assignment, draft.payload));
    }
    if (!wish.name.empty()) {
        draft.options.name = wish.name;
    }
    if (wish.priority_flag->count() > 0) {
        draft.options.priority = wish.priority;
    }
    return {};
}

/// The fields of `whole` that stand in `payload`, by their names.
ValueNode given_fields(const StructInfo& spec, const ValueNode& payload, ValueNode whole) {
    std::set<const FieldInfo*> given;
    for (const std::string& key : payload.keys) {
        given.insert(spec.find(key));
    }
    ValueNode chosen{.kind = ValueNode::Kind::kObject};
    for (std::size_t i = 0; i < whole.keys.size(); ++i) {
        if (given.contains(spec.find(whole.keys[i]))) {
            chosen.keys.push_back(std::move(whole.keys[i]));
            chosen.items.push_back(std::move(whole.items[i]));
        }
    }
    return chosen;
}

/// Checked here and now rather than after a round trip; the server checks again. Only what was
/// given is sent: an older server need not know every field.
Result<std::string> body_of(CliContext& context, const JobWish& wish) {
    std::string text;
    Draft draft;
    if (!wish.file.empty()) {
        TRY(text, read_document(context, wish.file));
        TRY(draft, read_draft(text, wish.file == "-" ? "stdin" : std::string_view(wish.file)));
    }
    TRY_STATUS(add_flags(wish, draft));
    TRY(const JsonText checked, wish.type->canonical_node(draft.payload, draft.source));
    TRY(ValueNode whole, parse_json(checked.text));
    draft.options.payload =
        JsonText{to_json(given_fields(spec_of(*wish.type), draft.payload, std::move(whole)))};
    return to_json(draft.options);
}

Result<int> submit(Session& session, const JobWish& wish) {
    TRY(std::string body, body_of(session.context(), wish));
    TRY(ApiClient* const api, session.api());
    if (wish.dry_run) {
        TRY(const std::string reply,
            api->post(fmt::format("/jobs/{}/estimate", wish.type->name), std::move(body)));
        return show_estimate(session, reply);
    }
    TRY(const std::string reply,
        api->post(fmt::format("/jobs/{}", wish.type->name), std::move(body)));
    return go_on_with(session, reply, wish.after);
}

/// A field called like a flag of every job takes the name; the job's own is then the longer one.
bool takes_name(const JobWish& wish) {
    return std::ranges::any_of(wish.flags, [](const SpecFlag& flag) {
        return flag.name == "name";
    });
}

void add_spec_flags(CLI::App& command, JobWish& wish) {
    wish.flags = spec_flags(spec_of(*wish.type));
    wish.values.resize(wish.flags.size());
    for (std::size_t i = 0; i < wish.flags.size(); ++i) {
        const SpecFlag& flag = wish.flags[i];
        std::string names = "--" + flag.name;
        for (const std::string& alias : flag.aliases) {
            names += ",--" + alias;
        }
        CLI::Option* option = nullptr;
        if (flag.value_name.empty()) {
            option = command.add_flag(names, wish.values[i], flag.help);
        } else {
            option =
                command.add_option(names, wish.values[i], flag.help)->type_name(flag.value_name);
        }
        wish.options.push_back(option->group("Spec"));
    }
}

void add_one(CommandLine& line, Session& session, const protocol::JobTypeRow& type) {
    auto wish = std::make_shared<JobWish>();
    wish->type = &type;
    CLI::App* command =
        line.root().add_subcommand(std::string(type.name), std::string(type.summary));
    command->group(type.hidden ? "" : "Make a job");
    add_spec_flags(*command, *wish);
    command->add_option("--set", wish->sets, "Set a field of the spec; may be given often")
        ->type_name("FIELD=VALUE")
        ->expected(1)
        ->take_all();
    command
        ->add_option(
            "-f,--file", wish->file, "The spec as YAML or JSON, or a whole submission; - is stdin"
        )
        ->type_name("FILE");
    command
        ->add_option(
            takes_name(*wish) ? "--job-name" : "--name,--job-name",
            wish->name,
            "The job's name, for people"
        )
        ->type_name("TEXT");
    wish->priority_flag =
        command->add_option("--priority", wish->priority, "-100 to 100; lower runs first")
            ->type_name("INT");
    command->add_flag(
        "--wait", wish->after.wait, "Return when the job has ended, with its exit code"
    );
    command->add_flag("--follow", wish->after.follow, "The same, and show its events");
    command->add_flag(
        "--dry-run", wish->dry_run, "Only say what it would be, take and cost, and what blocks it"
    );
    line.on(command, [&session, wish] { return submit(session, *wish); });
}

}  // namespace

void add_job_type_commands(CommandLine& line, Session& session) {
    for (const protocol::JobTypeRow& type : protocol::job_types()) {
        add_one(line, session, type);
    }
}

}  // namespace nexa::cli
