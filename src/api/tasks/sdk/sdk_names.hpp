// SPDX-License-Identifier: Apache-2.0
// How arn:aws:states:::aws-sdk:SERVICE:action spells what a service's own protocol spells
// otherwise: members begin with a capital and runs of capitals are folded (AWS's Java SDK), times
// are text, and a member that holds bytes or text takes any JSON as its compact text. Keys of maps
// are data and stay. Which members are maps, bytes and times is from the services' public models.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json/json.hpp"

namespace andon::api {

struct SdkService {
  std::string_view name;    // in the resource: "greengrassv2"
  std::string_view scope;   // of the operation table: "greengrass"
  std::string_view prefix;  // of its errors: "GreengrassV2"
  bool members_are_lower;   // its own members begin with a small letter
};
// Null for a service that is not here.
[[nodiscard]] const SdkService* find_sdk_service(std::string_view name);

// "describeThing" -> "DescribeThing".
[[nodiscard]] std::string operation_of_action(std::string_view action);

// Parameters of a state as the service's input.
[[nodiscard]] base::json::object from_sdk(const SdkService& service,
                                          const base::json::object& parameters);
// The service's output as the result of a state.
[[nodiscard]] base::json::value to_sdk(const SdkService& service, const base::json::value& output);
[[nodiscard]] std::string to_sdk_name(std::string_view member);

// "ResourceNotFound" -> "SageMaker.ResourceNotFoundException".
[[nodiscard]] std::string sdk_error_name(std::string_view prefix, std::string_view code);
[[nodiscard]] std::string sdk_cause(std::string_view message, std::string_view prefix, int status,
                                    std::string_view request_id);

}  // namespace andon::api
