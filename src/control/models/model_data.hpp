// SPDX-License-Identifier: Apache-2.0
// Which objects a model package's specification points at. Any thread.
#pragma once

#include <vector>

#include "base/json/fwd.hpp"
#include "control/models/model_registry.hpp"
#include "store/objects/object_store.hpp"

namespace andon::control {

// Looks up every ModelDataUrl and every ModelDataSource.S3DataSource (an object, or all below a
// prefix) of every container in `content` (InferenceSpecification and
// AdditionalInferenceSpecifications) and puts the object's ETag beside it as ModelDataETag. Throws
// invalid_argument naming the member that is wrong, or whose object is not here.
[[nodiscard]] std::vector<ModelData> pin_model_data(base::json::object& content,
                                                    const store::ObjectStore& objects);

}  // namespace andon::control
