// SPDX-License-Identifier: Apache-2.0
// What a component may do over IPC: the `accessControl` of its configuration. Nothing is allowed
// that no policy names. Values; pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "recipe/reader/problem.hpp"

namespace andon::edge {

namespace json = base::json;

constexpr std::string_view kPubSubService = "aws.greengrass.ipc.pubsub";
constexpr std::string_view kMqttProxyService = "aws.greengrass.ipc.mqttproxy";

// One resource of a policy against one that is asked for. `*` stands for any text, `${*}`, `${?}`
// and `${$}` for the character itself. With `mqtt`, `+` and `#` of the policy work as in topic
// filters, also on a filter that is asked for ("a/#" covers "a/+/b"; "a/+" does not cover "a/#").
enum class ResourceForm { plain, mqtt };
[[nodiscard]] bool resource_matches(std::string_view policy, std::string_view resource,
                                    ResourceForm form);

class AccessControl {
 public:
  AccessControl() = default;  // allows nothing
  // `value` is the configuration's accessControl, recipe variables replaced; null allows nothing.
  // A malformed policy is a problem and allows nothing; the others count.
  AccessControl(const json::value& value, recipe::Problems& problems);

  // `operation` with its prefix: "aws.greengrass#PublishToIoTCore".
  [[nodiscard]] bool allows(std::string_view service, std::string_view operation,
                            std::string_view resource) const;

 private:
  struct Policy {
    std::string service;
    std::vector<std::string> operations;
    std::vector<std::string> resources;
  };
  std::vector<Policy> policies_;
};

}  // namespace andon::edge
