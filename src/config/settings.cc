// SPDX-License-Identifier: Apache-2.0
#include "config/settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/layers_internal.h"
#include "config/yaml_tree.h"
#include "core/file.h"
#include "core/json.h"
#include "core/near_name.h"
#include "core/secrets.h"
#include "core/utf8.h"

namespace nexa::config {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFileSuffix = "_FILE";
constexpr int kFoldersMax = 256;
constexpr ParseLimits kFileLimits{
    .bytes_max = kConfigBytesMax, .depth_max = 32, .values_max = 20'000
};

std::string in_lower_case(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return lower;
}

std::optional<fs::path> nearest_project_file(const fs::path& start) {
    fs::path folder = start;
    for (int i = 0; i < kFoldersMax && !folder.empty(); ++i) {
        std::error_code ignored;  // an unreadable folder holds no file of ours
        if (fs::path file = folder / kProjectFileName; fs::is_regular_file(file, ignored)) {
            return file;
        }
        if (folder == folder.parent_path()) {
            break;
        }
        folder = folder.parent_path();
    }
    return std::nullopt;
}

class Loader {
public:
    Loader(const SettingsSources& sources, const TypeInfo& type)
        : sources_(sources), type_(type), layers_(type) {}

    Status read_layers() {
        TRY_STATUS(read_files());
        TRY_STATUS(read_environment());
        for (const Override& flag : sources_.flags) {
            TRY_STATUS(read_flag(flag));
        }
        return {};
    }

    std::vector<Error> decode_into(void* out) const {
        std::vector<Error> errors;
        for (DecodeFault& fault : decode(layers_.tree(), type_, out, UnknownKeys::kRefuse)) {
            Error error = std::move(fault.error);
            if (error.advice.empty() && is_missing(error.param)) {
                error.advice = fmt::format(
                    "set it in {}, by {} or by --set {}=…",
                    sources_.file ? sources_.file->string() : std::string(kProjectFileName),
                    variable_of(error.param, sources_.prefix),
                    error.param
                );
            }
            if (const std::string origin = layers_.origin_of(*fault.node); !origin.empty()) {
                error.param = fmt::format("{}: {}", origin, error.param);
            }
            errors.push_back(std::move(error));
        }
        return errors;
    }

    std::vector<SettingOrigin> origins(const void* value) {
        add_origins(value, {&type_, nullptr, &layers_.tree()}, {});
        return std::move(origins_);
    }

    std::vector<std::string> take_warnings() { return std::move(warnings_); }

private:
    /// A value in the struct beside what the layers say of it.
    struct Pair {
        const TypeInfo* type;
        const FieldRules* rules;
        const ValueNode* node;  ///< nullptr: no layer says anything
    };

    Status read_files() {
        std::error_code ignored;  // what cannot be looked at is not there
        if (!sources_.user_file.empty() && fs::exists(sources_.user_file, ignored)) {
            TRY_STATUS(read_config_file(sources_.user_file, sources_.user_file.string()));
        }
        if (sources_.file) {
            return read_config_file(*sources_.file, sources_.file->string());
        }
        const auto file = nearest_project_file(sources_.start_folder);
        if (!file) {
            return {};
        }
        const bool is_here = file->parent_path() == sources_.start_folder;
        return read_config_file(*file, is_here ? std::string(kProjectFileName) : file->string());
    }

    Status read_config_file(const fs::path& path, const std::string& label) {
        TRY(const std::string text, read_file(path, kConfigBytesMax));
        TRY(ValueNode node, parse_yaml(text, label, kFileLimits));
        if (node.kind != ValueNode::Kind::kObject) {
            return Error::invalid_argument("must be settings as 'key: value'")
                .at(fmt::format("{}:{}", label, node.line));
        }
        if (const auto secret = find_secret(node, type_)) {
            std::error_code failed;
            const fs::perms mode = fs::status(path, failed).permissions();
            if (failed ||
                (mode & (fs::perms::others_read | fs::perms::others_write)) != fs::perms{}) {
                return Error::permission_denied(
                           "holds the secret '{}', and everyone may read or write the file", *secret
                )
                    .at(label)
                    .hint(fmt::format("chmod 600 {}", path.string()));
            }
        }
        TRY(const std::uint16_t source, layers_.add_source(label));
        layers_.merge(std::move(node), source);
        return {};
    }

    Status read_environment() {
        for (const auto& [name, value] : sources_.environment) {
            if (!is_ours(name) || value.empty()) {
                continue;
            }
            TRY_STATUS(read_variable(name, value));
        }
        return {};
    }

    bool is_ours(std::string_view variable) const {
        return variable.starts_with(sources_.prefix) &&
               std::ranges::find(sources_.other_variables, variable) ==
                   sources_.other_variables.end();
    }

    std::optional<Target> target_of(std::string_view variable) const {
        const std::string path = in_lower_case(variable.substr(sources_.prefix.size()));
        return path.empty() ? std::nullopt : resolve(type_, split_path(path, "__"));
    }

    Status read_variable(const std::string& name, const std::string& value) {
        if (const auto target = target_of(name)) {
            TRY(const std::uint16_t source, layers_.add_source("env " + name));
            return layers_.set(*target, value, source);
        }
        if (name.ends_with(kFileSuffix)) {
            const std::string of = name.substr(0, name.size() - kFileSuffix.size());
            if (const auto target = target_of(of)) {
                return read_secret(of, *target);
            }
        }
        return unknown_variable(name);
    }

    Status read_secret(const std::string& variable, const Target& target) {
        const std::string label = fmt::format("env {}{}", variable, kFileSuffix);
        if (!target.rules->is_secret) {
            return Error::invalid_argument("only secrets are read from files")
                .at(label)
                .hint(fmt::format("give the value itself in {}", variable));
        }
        // The variable itself is the stronger one, as everywhere where secrets are looked up.
        const auto direct = sources_.environment.find(variable);
        if (direct != sources_.environment.end() && !direct->second.empty()) {
            return {};
        }
        const SecretManager secrets({.environment = sources_.environment, .folders = {}});
        auto secret = secrets.get_secret(variable);
        if (!secret) {
            Error error = std::move(secret).error();
            error.param = label;
            return error;
        }
        TRY(const std::uint16_t source, layers_.add_source(label));
        return layers_.set(target, secret->reveal(), source);
    }

    /// Others may use names that begin like ours; but what is almost a setting was meant to be one.
    Status unknown_variable(const std::string& name) {
        const std::string_view own = std::string_view(name).substr(sources_.prefix.size());
        const std::vector<SettingRow> rows = list_settings(type_, {});
        std::vector<std::string_view> candidates(rows.size());
        std::ranges::transform(rows, candidates.begin(), &SettingRow::variable);
        const auto near = nearest(own, candidates);
        if (near && name_distance(own, *near) <= 2) {
            return Error::invalid_argument("no such setting")
                .at("env " + quotable(name))
                .hint(fmt::format("did you mean '{}{}'?", sources_.prefix, *near));
        }
        warnings_.push_back(fmt::format("{} is no setting and was not used", quotable(name)));
        return {};
    }

    Status read_flag(const Override& flag) {
        std::vector<std::string> path = split_path(flag.path, ".");
        if (std::ranges::find(path, std::string()) != path.end()) {
            return Error::invalid_argument("'{}' has an empty part", quotable(flag.path))
                .at(flag.flag);
        }
        TRY(const std::uint16_t source, layers_.add_source(flag.flag));
        const auto target = resolve(type_, path);
        if (!target) {
            layers_.set_unknown(std::move(path), flag.value, source);
            return {};
        }
        Layers alone(type_);
        TRY(const std::uint16_t same, alone.add_source(flag.flag));
        TRY_STATUS(alone.set(*target, flag.value, same));
        if (const auto secret = find_secret(alone.tree(), type_)) {
            return Error::invalid_argument(
                       "a secret is never given by a flag: others can see it in the list of "
                       "processes"
            )
                .at(fmt::format("{}: {}", flag.flag, *secret))
                .hint(fmt::format("use {0} or {0}_FILE", variable_of(*secret, sources_.prefix)));
        }
        return layers_.set(*target, flag.value, source);
    }

    bool is_missing(std::string_view path) const {
        const ValueNode* node = &layers_.tree();
        for (const std::string& key : split_path(path, ".")) {
            node = node->find(key);
            if (node == nullptr) {
                return resolve(type_, split_path(path, ".")).has_value();
            }
        }
        return false;
    }

    void add_origins(const void* value, const Pair& pair, const std::string& path) {
        const TypeInfo& type = *pair.type;
        if (type.kind == TypeKind::kOptional && type.size(value) == 1) {
            const void* inner = nullptr;
            type.visit(
                value,
                [](void* out, std::string_view, const void* element) {
                    *static_cast<const void**>(out) = element;
                },
                static_cast<void*>(&inner)
            );
            return add_origins(inner, {type.element(), pair.rules, pair.node}, path);
        }
        if (type.kind == TypeKind::kStruct) {
            for (const FieldInfo& field : type.structure()->fields) {
                const ValueNode* const node =
                    pair.node == nullptr ? nullptr : pair.node->find(field.rules.name);
                const Pair below{field.type(), &field.rules, node};
                add_origins(field.member_of(value), below, joined(path, field.rules.name));
            }
            return;
        }
        if (type.kind == TypeKind::kMap && type.size(value) > 0 && !pair.rules->is_secret) {
            return add_map_origins(value, pair, path);
        }
        const std::string origin = pair.node == nullptr ? "default" : layers_.origin_of(*pair.node);
        origins_.push_back({path, setting_text(value, type, *pair.rules), origin});
    }

    void add_map_origins(const void* value, const Pair& pair, const std::string& path) {
        struct Context {
            Loader& loader;
            const Pair& pair;
            const std::string& path;
        } context{*this, pair, path};
        pair.type->visit(
            value,
            [](void* opaque, std::string_view key, const void* element) {
                const Context& self = *static_cast<const Context*>(opaque);
                const ValueNode* const node =
                    self.pair.node == nullptr ? nullptr : self.pair.node->find(key);
                const Pair below{self.pair.type->element(), self.pair.rules, node};
                self.loader.add_origins(element, below, joined(self.path, key));
            },
            &context
        );
    }

    static std::string joined(const std::string& path, std::string_view key) {
        return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
    }

    const SettingsSources& sources_;
    const TypeInfo& type_;
    Layers layers_;
    std::vector<SettingOrigin> origins_;
    std::vector<std::string> warnings_;
};

}  // namespace

Result<Override> parse_override(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        return Error::invalid_argument("'{}' is not path=value", quotable(text.substr(0, equals)))
            .at("--set")
            .hint("write it like --set epochs=5");
    }
    return Override{
        .path = std::string(text.substr(0, equals)),
        .value = std::string(text.substr(equals + 1)),
    };
}

const SettingOrigin* find_origin(const std::vector<SettingOrigin>& origins, std::string_view path) {
    const auto found = std::ranges::find(origins, path, &SettingOrigin::path);
    return found == origins.end() ? nullptr : &*found;
}

namespace internal {

Result<Loaded> load(
    const SettingsSources& sources, const TypeInfo& type, void* out, std::vector<Error>* all_errors
) {
    NEXA_CHECK(type.kind == TypeKind::kStruct);
    Loader loader(sources, type);
    std::vector<Error> errors;
    if (auto status = loader.read_layers(); !status) {
        errors.push_back(std::move(status).error());
    } else {
        errors = loader.decode_into(out);
    }
    if (all_errors != nullptr) {
        *all_errors = errors;
    }
    if (!errors.empty()) {
        return std::move(errors.front());
    }
    Loaded loaded;
    loaded.origins = loader.origins(out);
    loaded.warnings = loader.take_warnings();
    return loaded;
}

}  // namespace internal

}  // namespace nexa::config
