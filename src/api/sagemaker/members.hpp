// SPDX-License-Identifier: Apache-2.0
// What SageMaker's operations share: ARNs, filters of lists, tags. Pure; any thread. The readers
// throw invalid_argument naming the member.
#pragma once

#include <string>
#include <string_view>

#include "base/json/json.hpp"
#include "control/models/model_registry.hpp"
#include "control/shared/tags.hpp"
#include "fleet/names/arn.hpp"

namespace andon::api {

namespace json = base::json;

[[nodiscard]] std::string group_arn(const fleet::Arns& arns, const std::string& name);
[[nodiscard]] std::string package_arn(const fleet::Arns& arns, const control::ModelPackageId& id);

// A name, or "arn:aws:sagemaker:...:model-package-group/<name>".
[[nodiscard]] std::string read_group_name(const json::object& input, std::string_view key);
// "<name>", "<name>/<version>", or an ARN of either.
[[nodiscard]] control::ModelPackageId read_package_id(const json::object& input,
                                                      std::string_view key);

[[nodiscard]] std::string read_description(const json::object& input, std::string_view key);
// [{"Key", "Value"}]
[[nodiscard]] control::TagMap read_tags(const json::object& input);

// Seconds since 1970; nothing where it is absent.
[[nodiscard]] std::optional<base::Timestamp> read_time(const json::object& input,
                                                       std::string_view key);
// CreationTimeAfter/Before, NameContains, SortBy, SortOrder.
[[nodiscard]] control::RegistryFilter read_filter(const json::object& input);
// MaxResults and NextToken.
[[nodiscard]] control::PageRequest read_registry_page(const json::object& input);
void put_next_token(json::object& output, const std::optional<std::string>& next);

}  // namespace andon::api
