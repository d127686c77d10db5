// SPDX-License-Identifier: Apache-2.0
#include "models/hf_config.h"

#include <nlohmann/json.hpp>

namespace nexa::models {
namespace {

using Json = nlohmann::json;

/// Reads typed values of one object, remembering nothing.
class Reader {
public:
    explicit Reader(const Json& object) : object_(object) {}

    bool has(const char* key) const { return object_.contains(key) && !object_.at(key).is_null(); }

    Result<std::int64_t> integer(const char* key) const {
        if (!has(key)) {
            return Error::invalid_argument("is missing").at(key);
        }
        return as_integer(object_.at(key), key);
    }

    Result<std::int64_t> integer_or(const char* key, std::int64_t otherwise) const {
        return has(key) ? integer(key) : Result<std::int64_t>(otherwise);
    }

    Result<double> number_or(const char* key, double otherwise) const {
        if (!has(key)) {
            return otherwise;
        }
        if (!object_.at(key).is_number()) {
            return Error::invalid_argument("must be a number").at(key);
        }
        return object_.at(key).get<double>();
    }

    Result<bool> flag_or(const char* key, bool otherwise) const {
        if (!has(key)) {
            return otherwise;
        }
        if (!object_.at(key).is_boolean()) {
            return Error::invalid_argument("must be true or false").at(key);
        }
        return object_.at(key).get<bool>();
    }

    /// Llama 3 lists several end tokens; the first is the one that training writes.
    Result<std::optional<std::int64_t>> token(const char* key) const {
        if (!has(key)) {
            return std::optional<std::int64_t>();
        }
        const Json& value = object_.at(key);
        if (value.is_array() && value.empty()) {
            return std::optional<std::int64_t>();
        }
        TRY(const std::int64_t id, as_integer(value.is_array() ? value.at(0) : value, key));
        return std::optional<std::int64_t>(id);
    }

private:
    static Result<std::int64_t> as_integer(const Json& value, const char* key) {
        const bool fits = value.is_number_integer() &&
                          (!value.is_number_unsigned() || value.get<std::uint64_t>() <= 1ULL << 62);
        if (!fits) {
            return Error::invalid_argument("must be an integer").at(key);
        }
        return value.get<std::int64_t>();
    }

    const Json& object_;
};

Result<const Family*> find_family(const Json& json) {
    if (json.contains("architectures") && json["architectures"].is_array()) {
        for (const Json& name : json["architectures"]) {
            for (const Family& family : kFamilies) {
                if (name.is_string() &&
                    name.get_ref<const std::string&>() == family.hf_architecture) {
                    return &family;
                }
            }
        }
        return Error::invalid_argument("names no family that is supported")
            .at("architectures")
            .hint("supported: LlamaForCausalLM, Qwen2ForCausalLM");
    }
    for (const Family& family : kFamilies) {
        if (json.contains("model_type") && json["model_type"] == family.hf_model_type) {
            return &family;
        }
    }
    return Error::invalid_argument("is missing").at("architectures");
}

/// Newer files keep rope_theta and the scaling in "rope_parameters", older ones in "rope_theta" and
/// "rope_scaling".
Result<double> read_rope_theta(const Json& json) {
    for (const char* key : {"rope_parameters", "rope_scaling"}) {
        if (!json.contains(key) || json[key].is_null()) {
            continue;
        }
        if (!json[key].is_object()) {
            return Error::invalid_argument("must be an object").at(key);
        }
        for (const char* kind : {"rope_type", "type"}) {
            if (json[key].contains(kind) && json[key][kind] != "default") {
                return Error::invalid_argument("scaled rotary positions are not supported").at(key);
            }
        }
        const Reader inner(json[key]);
        if (inner.has("rope_theta")) {
            return inner.number_or("rope_theta", 0.0);
        }
    }
    return Reader(json).number_or("rope_theta", 10000.0);
}

Status refuse_unsupported(const Json& json, const Reader& reader) {
    if (reader.has("hidden_act") && json["hidden_act"] != "silu") {
        return Error::invalid_argument("only silu is supported").at("hidden_act");
    }
    for (const char* key : {"attention_bias", "mlp_bias", "use_sliding_window"}) {
        TRY(const bool wanted, reader.flag_or(key, false));
        if (wanted) {
            return Error::invalid_argument("is not supported").at(key);
        }
    }
    TRY(const double dropout, reader.number_or("attention_dropout", 0.0));
    if (dropout != 0.0) {
        return Error::invalid_argument("dropout is not supported, is {}", dropout)
            .at("attention_dropout");
    }
    return ok();
}

Result<ModelConfig> read_config(const Json& json) {
    const Reader reader(json);
    ModelConfig config;
    TRY(config.family, find_family(json));
    TRY_STATUS(refuse_unsupported(json, reader));
    TRY(config.layers, reader.integer("num_hidden_layers"));
    TRY(config.hidden, reader.integer("hidden_size"));
    TRY(config.heads, reader.integer("num_attention_heads"));
    TRY(config.kv_heads, reader.integer_or("num_key_value_heads", config.heads));
    const std::int64_t even_share = config.heads > 0 ? config.hidden / config.heads : 0;
    TRY(config.head_dim, reader.integer_or("head_dim", even_share));
    TRY(config.ffn, reader.integer("intermediate_size"));
    TRY(config.vocab, reader.integer("vocab_size"));
    TRY(config.max_positions, reader.integer_or("max_position_embeddings", 2048));
    TRY(config.rope_theta, read_rope_theta(json));
    TRY(config.norm_epsilon, reader.number_or("rms_norm_eps", 1e-6));
    TRY(config.tied_embeddings, reader.flag_or("tie_word_embeddings", false));
    TRY(config.bos_id, reader.token("bos_token_id"));
    TRY(config.eos_id, reader.token("eos_token_id"));
    TRY(config.pad_id, reader.token("pad_token_id"));
    TRY_STATUS(config.validate());
    return config;
}

}  // namespace

Result<ModelConfig> parse_hf_config(std::string_view text) {
    const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
    if (json.is_discarded() || !json.is_object()) {
        return Error::malformed("read config.json: it is no JSON object");
    }
    Result<ModelConfig> config = read_config(json);
    if (!config) {
        return std::move(config).error().while_doing("read config.json");
    }
    return config;
}

std::string hf_config_text(const ModelConfig& config, std::string_view dtype) {
    const auto token = [](std::optional<std::int64_t> id) {
        return id ? nlohmann::ordered_json(*id) : nlohmann::ordered_json(nullptr);
    };
    nlohmann::ordered_json json;
    json["architectures"] = {config.family->hf_architecture};
    json["model_type"] = config.family->hf_model_type;
    json["vocab_size"] = config.vocab;
    json["hidden_size"] = config.hidden;
    json["intermediate_size"] = config.ffn;
    json["num_hidden_layers"] = config.layers;
    json["num_attention_heads"] = config.heads;
    json["num_key_value_heads"] = config.kv_heads;
    json["head_dim"] = config.head_dim;
    json["hidden_act"] = "silu";
    json["max_position_embeddings"] = config.max_positions;
    json["rms_norm_eps"] = config.norm_epsilon;
    json["rope_theta"] = config.rope_theta;
    json["rope_scaling"] = nullptr;
    if (!config.family->attention_bias) {
        json["attention_bias"] = false;  // a family with q, k, v biases has no such key
        json["mlp_bias"] = false;
    }
    json["attention_dropout"] = 0.0;
    json["tie_word_embeddings"] = config.tied_embeddings;
    json["bos_token_id"] = token(config.bos_id);
    json["eos_token_id"] = token(config.eos_id);
    json["pad_token_id"] = token(config.pad_id);
    json["torch_dtype"] = dtype;
    return json.dump(2) + "\n";
}

}  // namespace nexa::models
