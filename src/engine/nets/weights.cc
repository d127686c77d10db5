// SPDX-License-Identifier: Apache-2.0
#include "engine/nets/weights.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include "core/file.h"
#include "models/hf_config.h"

namespace nexa::nets {
namespace {

using models::Dtype;
using models::TensorView;

struct Kind {
    Dtype dtype;
    at::ScalarType scalar;
    std::string_view hf_name;
};

constexpr std::array<Kind, 4> kKinds{{
    {Dtype::kF32, at::kFloat, "float32"},
    {Dtype::kBf16, at::kBFloat16, "bfloat16"},
    {Dtype::kF16, at::kHalf, "float16"},
    {Dtype::kF64, at::kDouble, "float64"},
}};

constexpr std::string_view kTiedHead = "lm_head.weight";

const Kind* kind_of(Dtype dtype) {
    for (const Kind& kind : kKinds) {
        if (kind.dtype == dtype) {
            return &kind;
        }
    }
    return nullptr;
}

std::string shape_text(std::span<const std::int64_t> shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

/// The stored tensor that `parameter` takes its values from.
Result<const TensorView*> match(const models::Safetensors& file, const Parameter& parameter) {
    const TensorView* stored = file.find(parameter.name);
    if (stored == nullptr) {
        return Error::invalid_argument("the weight file has no tensor '{}'", parameter.name);
    }
    const auto sizes = parameter.value.sizes();
    if (!std::ranges::equal(stored->shape, sizes)) {
        return Error::invalid_argument(
            "tensor '{}' has shape {}, the model needs {}",
            parameter.name,
            shape_text(stored->shape),
            shape_text(std::span(sizes.data(), sizes.size()))
        );
    }
    if (kind_of(stored->dtype) == nullptr) {
        return Error::invalid_argument(
            "tensor '{}' is {}, not a float type", parameter.name, to_string(stored->dtype)
        );
    }
    return stored;
}

Status refuse_leftovers(const models::Safetensors& file, const Parameters& parameters) {
    std::set<std::string_view> known{kTiedHead};
    for (const Parameter& parameter : parameters) {
        known.insert(parameter.name);
    }
    for (const TensorView& stored : file.tensors()) {
        // Older exports carry the rotary frequencies, which follow from the config.
        if (!known.contains(stored.name) && !stored.name.ends_with("rotary_emb.inv_freq")) {
            return Error::invalid_argument(
                "the weight file has a tensor '{}' that the model has no place for", stored.name
            );
        }
    }
    return ok();
}

Result<std::string> read_text(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        return Error::not_found("there is no file {}", path.string());
    }
    std::ostringstream text;
    text << in.rdbuf();
    return std::move(text).str();
}

Status write_text(const std::filesystem::path& path, std::string_view text) {
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.close();
    if (!out) {
        return Error::unavailable("cannot write {}", path.string());
    }
    return ok();
}

}  // namespace

Status save_parameters(
    const std::filesystem::path& path, const Parameters& parameters, StoredAs stored_as
) {
    const at::NoGradGuard no_grad;
    const Kind& kind = kKinds[static_cast<std::size_t>(stored_as)];
    std::vector<at::Tensor> converted;
    std::vector<TensorView> views;
    for (const Parameter& parameter : parameters) {
        converted.push_back(parameter.value.detach().to(at::kCPU, kind.scalar).contiguous());
        const at::Tensor& tensor = converted.back();
        views.push_back({
            .name = parameter.name,
            .dtype = kind.dtype,
            .shape = {tensor.sizes().data(), tensor.sizes().size()},
            .bytes = {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()},
        });
    }
    return models::write_safetensors(path, views, {{"format", "pt"}});
}

Status load_parameters(const models::Safetensors& file, const Parameters& parameters) {
    std::vector<const TensorView*> sources;
    for (const Parameter& parameter : parameters) {
        TRY(const TensorView* source, match(file, parameter));
        sources.push_back(source);
    }
    TRY_STATUS(refuse_leftovers(file, parameters));

    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const TensorView& source = *sources[i];
        // Copied first, because a stranger's file need not keep its tensors aligned.
        const at::Tensor stored = at::empty(
            at::IntArrayRef(source.shape.data(), source.shape.size()),
            at::TensorOptions(kind_of(source.dtype)->scalar)
        );
        std::memcpy(stored.mutable_data_ptr(), source.bytes.data(), source.bytes.size());
        at::Tensor value = parameters[i].value;
        value.copy_(stored);
    }
    return ok();
}

Result<Decoder> load_decoder(const std::filesystem::path& folder) {
    TRY(const std::string text, read_text(folder / "config.json"));
    TRY(const models::ModelConfig config, models::parse_hf_config(text));
    TRY(const models::Safetensors file, models::Safetensors::open(folder / "model.safetensors"));
    TRY(Decoder decoder, Decoder::create(config, 0));
    TRY_STATUS(load_parameters(file, decoder.parameters()));
    return decoder;
}

Status write_config(
    const std::filesystem::path& folder, const models::ModelConfig& config, StoredAs stored_as
) {
    const Kind& kind = kKinds[static_cast<std::size_t>(stored_as)];
    return write_text(folder / "config.json", models::hf_config_text(config, kind.hf_name));
}

Status export_decoder(
    const std::filesystem::path& folder, const Decoder& decoder, StoredAs stored_as
) {
    TRY_STATUS(make_folders(folder));
    TRY_STATUS(write_config(folder, decoder.config(), stored_as));
    return save_parameters(folder / "model.safetensors", decoder.parameters(), stored_as);
}

}  // namespace nexa::nets
