// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/mutex.h"
#include "core/result.h"
#include "gateway/keys.h"
#include "gateway/served_model.h"
#include "gateway/text_reply.h"

namespace nexa::gateway {

/// Every model that this gateway is to serve. Thread-safe; never blocks for long.
class ModelTable {
public:
    using Model = std::shared_ptr<ServedModel>;

    /// An id that is there already is replaced.
    void add(Model model);
    /// The model, if there was one of that id.
    Model remove(const std::string& deployment_id);
    std::vector<Model> all() const;

    /// The model that `caller` means by `name`: its name, or its deployment's id. Of several of one
    /// name the newest that is ready, else the newest. Errors: kNotFound at "model", with the near
    /// name among those that the caller may use; other projects' models are not found.
    Result<Model> find(std::string_view name, const Caller& caller) const;
    /// Those that are ready and that `caller` may use, by name; each name once.
    std::vector<ModelRow> list(const Caller& caller) const;

    struct Counts {
        std::size_t loading = 0;
        std::size_t ready = 0;
        std::size_t failed = 0;
        std::size_t down = 0;  ///< of those failed: see ServedModel::is_down()
    };
    Counts counts() const;

private:
    mutable Mutex mutex_;
    std::map<std::string, Model, std::less<>> models_ NEXA_GUARDED_BY(mutex_);
};

/// As /v1/models shows it.
ModelRow row_of(const ServedModel& model);

}  // namespace nexa::gateway
