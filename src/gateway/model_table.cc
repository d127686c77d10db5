// SPDX-License-Identifier: Apache-2.0
#include "gateway/model_table.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/near_name.h"

namespace nexa::gateway {

namespace {

constexpr std::string_view kOwner = "nexa";

bool may_use(const Caller& caller, const ServedModel& model) {
    const std::string& project = model.spec().project_id;
    return caller.may_use_all || project.empty() || project == caller.project_id;
}

bool is_ready(const ServedModel& model) {
    return model.state() == ServingState::kReady;
}

/// Whether `a` is the one to be asked of two that have one name.
bool is_better(const ServedModel& a, const ServedModel& b) {
    const auto rank = [](const ServedModel& model) {
        return std::tuple(is_ready(model), model.spec().created, model.spec().deployment_id);
    };
    return rank(a) > rank(b);
}

Error unknown_model(std::string_view name, std::span<const std::string_view> usable) {
    Error error =
        Error::not_found("the model '{}' does not exist, or your key may not use it", name)
            .at("model");
    if (const auto near = nearest(name, usable)) {
        return std::move(error).hint(fmt::format("did you mean '{}'?", *near));
    }
    return std::move(error).hint("GET /v1/models lists what there is");
}

}  // namespace

ModelRow row_of(const ServedModel& model) {
    const ModelSpec& spec = model.spec();
    return {
        .id = spec.name,
        .created = spec.created,
        .owned_by = spec.project_id.empty() ? std::string(kOwner) : spec.project_id,
    };
}

void ModelTable::add(Model model) {
    const Lock lock(mutex_);
    std::string id = model->spec().deployment_id;
    models_.insert_or_assign(std::move(id), std::move(model));
}

ModelTable::Model ModelTable::remove(const std::string& deployment_id) {
    const Lock lock(mutex_);
    auto node = models_.extract(deployment_id);
    return node.empty() ? nullptr : std::move(node.mapped());
}

std::vector<ModelTable::Model> ModelTable::all() const {
    const Lock lock(mutex_);
    std::vector<Model> models;
    models.reserve(models_.size());
    for (const auto& [id, model] : models_) {
        models.push_back(model);
    }
    return models;
}

Result<ModelTable::Model> ModelTable::find(std::string_view name, const Caller& caller) const {
    const std::vector<Model> models = all();
    Model best;
    std::vector<std::string_view> usable;
    for (const Model& model : models) {
        if (!may_use(caller, *model)) {
            continue;
        }
        if (model->spec().deployment_id == name) {
            return model;
        }
        usable.push_back(model->spec().name);
        if (model->spec().name == name && (!best || is_better(*model, *best))) {
            best = model;
        }
    }
    if (!best) {
        return unknown_model(name, usable);
    }
    return best;
}

std::vector<ModelRow> ModelTable::list(const Caller& caller) const {
    std::map<std::string, ModelRow> by_name;
    for (const Model& model : all()) {
        if (!may_use(caller, *model) || !is_ready(*model)) {
            continue;
        }
        ModelRow row = row_of(*model);
        const auto found = by_name.find(row.id);
        if (found == by_name.end() || found->second.created < row.created) {
            std::string name = row.id;
            by_name.insert_or_assign(std::move(name), std::move(row));
        }
    }
    std::vector<ModelRow> rows;
    rows.reserve(by_name.size());
    for (auto& [name, row] : by_name) {
        rows.push_back(std::move(row));
    }
    return rows;
}

ModelTable::Counts ModelTable::counts() const {
    Counts counts;
    for (const Model& model : all()) {
        switch (model->state()) {
            case ServingState::kLoading:
                ++counts.loading;
                break;
            case ServingState::kReady:
                ++counts.ready;
                break;
            case ServingState::kFailed:
                ++counts.failed;
                counts.down += model->is_down() ? 1 : 0;
                break;
        }
    }
    return counts;
}

}  // namespace nexa::gateway
