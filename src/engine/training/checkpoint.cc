// SPDX-License-Identifier: Apache-2.0
#include "engine/training/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "engine/nets/weights.h"
#include "engine/training/adamw.h"
#include "engine/training/replace_folder_internal.h"

namespace nexa::training {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view kPrefix = "step-";
constexpr int kFormat = 1;

std::string to_hex(std::span<const std::uint8_t> bytes) {
    return fmt::format("{:02x}", fmt::join(bytes, ""));
}

std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text) {
    std::vector<std::uint8_t> bytes(text.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const char* begin = text.data() + 2 * i;
        const auto [end, error] = std::from_chars(begin, begin + 2, bytes[i], 16);
        if (error != std::errc() || end != begin + 2) {
            return std::nullopt;
        }
    }
    return text.size() % 2 == 0 ? std::optional(std::move(bytes)) : std::nullopt;
}

std::string state_text(const TrainState& state) {
    Json json;
    json["format"] = kFormat;
    json["step"] = state.step;
    json["seed"] = state.seed;
    json["batch_size"] = state.batch_size;
    json["examples"] = state.examples;
    json["fingerprint"] = state.fingerprint;
    json["tokens"] = state.tokens;
    json["loss"] = state.loss;
    json["smoother"] = {
        {"weighted_sum", state.smoother.weighted_sum},
        {"weight", state.smoother.weight},
    };
    json["generator"] = to_hex(state.generator);
    return json.dump(2) + "\n";
}

/// Numbers that are missing or of another kind leave `valid` false.
class Fields {
public:
    explicit Fields(const Json& json) : json_(json) {}

    template <class T>
    void read(const char* key, T& value) {
        const auto found = json_.find(key);
        if (found == json_.end() || !found->is_number()) {
            valid = false;
            return;
        }
        value = found->get<T>();
    }

    bool valid = true;

private:
    const Json& json_;
};

Result<TrainState> parse_state(std::string_view text) {
    const Error refused =
        Error::malformed("state.json is not a checkpoint's of format {}", kFormat);
    const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
    if (!json.is_object() || !json.contains("format") || json["format"] != kFormat ||
        !json.contains("smoother") || !json["smoother"].is_object() ||
        !json.contains("generator") || !json["generator"].is_string()) {
        return refused;
    }
    TrainState state;
    Fields fields(json);
    fields.read("step", state.step);
    fields.read("seed", state.seed);
    fields.read("batch_size", state.batch_size);
    fields.read("examples", state.examples);
    fields.read("fingerprint", state.fingerprint);
    fields.read("tokens", state.tokens);
    fields.read("loss", state.loss);
    Fields smoother(json["smoother"]);
    smoother.read("weighted_sum", state.smoother.weighted_sum);
    smoother.read("weight", state.smoother.weight);
    auto generator = from_hex(json["generator"].get_ref<const std::string&>());
    if (!fields.valid || !smoother.valid || !generator || state.step < 0) {
        return refused;
    }
    state.generator = *std::move(generator);
    return state;
}

Result<TrainState> read_state(const fs::path& folder) {
    std::ifstream in(folder / "state.json", std::ios::binary);
    if (!in) {
        return Error::not_found("there is no checkpoint in {}", folder.string());
    }
    std::ostringstream text;
    text << in.rdbuf();
    Result<TrainState> state = parse_state(text.view());
    if (!state) {
        return std::move(state).error().while_doing(fmt::format("read {}", folder.string()));
    }
    return state;
}

Status write_state(const fs::path& folder, const TrainState& state) {
    std::ofstream out(folder / "state.json", std::ios::binary);
    out << state_text(state);
    out.close();
    if (!out) {
        return Error::unavailable("cannot write {}", (folder / "state.json").string());
    }
    return ok();
}

std::optional<std::int64_t> step_of(const fs::path& folder) {
    const std::string name = folder.filename().string();
    std::int64_t step = 0;
    if (!name.starts_with(kPrefix)) {
        return std::nullopt;
    }
    const char* begin = name.data() + kPrefix.size();
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(begin, end, step);
    return error == std::errc() && stop == end ? std::optional(step) : std::nullopt;
}

/// Newest first.
Result<std::vector<fs::path>> list_checkpoints(const fs::path& run_folder) {
    std::vector<std::pair<std::int64_t, fs::path>> found;
    std::error_code failed;
    if (!fs::exists(run_folder, failed)) {
        return std::vector<fs::path>();
    }
    sweep_leftovers(run_folder);
    for (const fs::directory_entry& entry : fs::directory_iterator(run_folder, failed)) {
        if (const auto step = step_of(entry.path())) {
            found.emplace_back(*step, entry.path());
        }
    }
    if (failed) {
        return Error::unavailable("cannot list {}: {}", run_folder.string(), failed.message());
    }
    std::ranges::sort(found, std::greater());
    std::vector<fs::path> folders;
    folders.reserve(found.size());
    for (auto& [step, path] : found) {
        folders.push_back(std::move(path));
    }
    return folders;
}

}  // namespace

Status save_checkpoint(
    const fs::path& folder,
    const nets::Parameters& parameters,
    const AdamW& optimizer,
    const TrainState& state,
    const std::function<Status(const fs::path&)>& add_files
) {
    const auto fill = [&](const fs::path& fresh) -> Status {
        const auto kind = nets::StoredAs::kFloat32;
        TRY_STATUS(nets::save_parameters(fresh / "model.safetensors", parameters, kind));
        TRY_STATUS(nets::save_parameters(fresh / "optimizer.safetensors", optimizer.moments(), kind)
        );
        if (add_files) {
            TRY_STATUS(add_files(fresh));
        }
        return write_state(fresh, state);
    };
    return replace_folder(folder, fill);
}

Result<TrainState> load_checkpoint(
    const fs::path& folder, const nets::Parameters& parameters, AdamW& optimizer
) {
    TRY_STATUS(settle_folder(folder));
    TRY(TrainState state, read_state(folder));
    TRY(const auto weights, models::Safetensors::open(folder / "model.safetensors"));
    TRY(const auto moments, models::Safetensors::open(folder / "optimizer.safetensors"));
    TRY_STATUS(nets::load_parameters(weights, parameters));
    TRY_STATUS(nets::load_parameters(moments, optimizer.moments()));
    optimizer.set_steps(state.step);
    return state;
}

fs::path checkpoint_folder(const fs::path& run_folder, std::int64_t step) {
    return run_folder / fmt::format("{}{:08}", kPrefix, step);
}

Result<std::optional<fs::path>> newest_checkpoint(const fs::path& run_folder) {
    TRY(const std::vector<fs::path> folders, list_checkpoints(run_folder));
    return folders.empty() ? std::optional<fs::path>() : std::optional(folders.front());
}

Status prune_checkpoints(const fs::path& run_folder, std::int64_t keep) {
    TRY(const std::vector<fs::path> folders, list_checkpoints(run_folder));
    for (std::size_t i = static_cast<std::size_t>(keep); i < folders.size(); ++i) {
        TRY_STATUS(drop_folder(folders[i]));
    }
    return ok();
}

}  // namespace nexa::training
