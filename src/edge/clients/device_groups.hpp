// SPDX-License-Identifier: Apache-2.0
// `deviceGroups` of aws.greengrass.clientdevices.Auth: which client devices are in a group (a rule
// in the language of fleet indexing, over thingName), and what the policy of the group lets them
// do. A device in several groups has what any of them allows; DENY goes before ALLOW; who is in no
// group may nothing. Values; pure; any thread.
//
// The broker's module decides by the same policies, as documents of IoT policies.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "query/search/search_query.hpp"

namespace andon::edge {

namespace json = base::json;

// What the ARNs of the documents begin with.
inline constexpr std::string_view kLocalRealm = "arn:aws:iot:local:000000000000:";

class DeviceGroups {
 public:
  DeviceGroups() = default;  // nobody may anything
  // The member `deviceGroups` of the component's configuration. Throws invalid_argument naming what
  // is wrong, and where.
  explicit DeviceGroups(const json::object& device_groups);

  // Of the groups that the thing is in, each once.
  [[nodiscard]] std::vector<std::string> policies_of(const std::string& thing) const;
  // "mqtt:publish" on "mqtt:topic:a/b"; any other operation of the policies on any other resource.
  [[nodiscard]] bool allows(const std::string& thing, std::string_view operation,
                            std::string_view resource) const;

  // Each policy that has to do with MQTT, by its name; its variable is the principal's fact
  // kThingNameFact.
  [[nodiscard]] std::map<std::string, std::string> iot_policies() const;

 private:
  struct Statement {
    bool is_deny = false;
    std::vector<std::string> operations;
    std::vector<std::string> resources;
  };
  struct Group {
    query::SearchQuery rule;
    std::string policy;
  };
  void add_policy(const std::string& name, const base::JsonReader& policy);
  void add_group(const base::JsonReader& group);

  std::vector<Group> groups_;
  std::map<std::string, std::vector<Statement>> policies_;
};

inline constexpr std::string_view kThingNameFact = "iot:Connection.Thing.ThingName";

}  // namespace andon::edge
