// SPDX-License-Identifier: Apache-2.0
// What the files of this room share; part of featurestore.hpp's inside.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/featurestore/featurestore.hpp"
#include "api/table/members.hpp"
#include "base/json/json.hpp"

namespace andon::api::featurestore {

using Parts = std::shared_ptr<const FeatureStoreParts>;
using Work = std::function<json::value(const FeatureStoreParts&, const OperationContext&)>;

[[nodiscard]] std::string group_arn(const fleet::Arns& arns, const std::string& name);
// A name, or the ARN of a feature group.
[[nodiscard]] std::string read_group_name(const json::object& input);
// {Unit, Value} in TtlDuration.
[[nodiscard]] std::optional<features::TimeToLive> read_time_to_live(const json::object& input);
// ResourceNotFound and ResourceInUse, where `work` says that something is not there, or is.
[[nodiscard]] json::value named(const Parts& parts, const Work& work,
                                const OperationContext& context);

[[nodiscard]] std::vector<Operation> group_rows(const Parts& parts);
[[nodiscard]] std::vector<Operation> record_rows(const Parts& parts);

}  // namespace andon::api::featurestore
