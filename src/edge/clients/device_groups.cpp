// SPDX-License-Identifier: Apache-2.0
#include "edge/clients/device_groups.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "edge/ipc/access_control.hpp"

namespace andon::edge {
namespace {

using base::JsonReader;

constexpr std::size_t kMostGroups = 100;
constexpr std::size_t kMostStatements = 100;  // of one policy
constexpr std::size_t kMostTexts = 100;       // of one statement
constexpr std::size_t kMostTextBytes = 1024;
constexpr std::size_t kMostDocumentBytes = 20U << 10U;  // as IoT policies have at most
constexpr std::string_view kFormat = "2021-03-05";
constexpr std::string_view kThingName = "${iot:Connection.Thing.ThingName}";

// What of MQTT a policy can be about: how andon's broker calls it.
struct MqttAction {
  std::string_view operation;
  std::string_view resource;
  std::string_view action;
  std::string_view kind;
};
constexpr std::array<MqttAction, 4> kMqttActions{{
    {"mqtt:connect", "mqtt:clientId:", "iot:Connect", "client/"},
    {"mqtt:publish", "mqtt:topic:", "iot:Publish", "topic/"},
    {"mqtt:publish", "mqtt:topic:", "iot:RetainPublish", "topic/"},
    {"mqtt:subscribe", "mqtt:topicfilter:", "iot:Subscribe", "topicfilter/"},
}};

constexpr std::array<std::pair<std::string_view, bool>, 2> kEffects{
    {{"ALLOW", false}, {"DENY", true}}};

void check_operation(const JsonReader& statement, const std::string& text) {
  if (text.empty() || text.size() > kMostTextBytes) {
    statement.fail("operations", "each has 1 to 1024 bytes");
  }
}

// `${...}` other than the escapes stands for what nobody knows.
void check_variables(const JsonReader& statement, std::string_view text) {
  for (std::size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at)) {
    const std::string_view rest = text.substr(at);
    const bool is_known = rest.starts_with(kThingName) || rest.starts_with("${*}") ||
                          rest.starts_with("${?}") || rest.starts_with("${$}");
    if (!is_known) {
      statement.fail("resources", "has a variable other than " + std::string(kThingName) +
                                      ", ${*}, ${?} and ${$} in \"" + std::string(text) + "\"");
    }
    at += 2;
  }
}

void check_resource(const JsonReader& statement, const std::string& text) {
  if (text.empty() || text.size() > kMostTextBytes) {
    statement.fail("resources", "each has 1 to 1024 bytes");
  }
  check_variables(statement, text);
  // "mqtt:*" says neither whether it is about topics nor about filters.
  const std::size_t star = text.find('*');
  if (text == "*" || star == std::string::npos) return;
  for (const MqttAction& one : kMqttActions) {
    if (star < one.resource.size() && one.resource.starts_with(text.substr(0, star))) {
      statement.fail("resources", "has a wildcard before the end of \"" +
                                      std::string(one.resource) + "\" in \"" + text +
                                      "\": begin with that, or say \"*\" alone");
    }
  }
}

std::string with_thing(std::string_view resource, const std::string& thing) {
  std::string text(resource);
  for (std::size_t at = text.find(kThingName); at != std::string::npos;
       at = text.find(kThingName, at + thing.size())) {
    text.replace(at, kThingName.size(), thing);
  }
  return text;
}

// In an IoT policy '?' is a wildcard, too; here it is a character.
std::string as_iot_pattern(std::string_view text) {
  std::string pattern;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("${?}")) {
      pattern += "${?}";
      at += 3;
    } else if (text[at] == '?') {
      pattern += "${?}";
    } else {
      pattern += text[at];
    }
  }
  return pattern;
}

bool names(const std::vector<std::string>& operations, std::string_view operation) {
  return std::ranges::any_of(operations, [operation](const std::string& one) {
    return resource_matches(one, operation, ResourceForm::plain);
  });
}

// Those that are about the action.
json::array arns_of(const std::vector<std::string>& resources, const MqttAction& action) {
  json::array arns;
  for (const std::string& text : resources) {
    const bool is_any = text == "*";
    if (!is_any && !text.starts_with(action.resource)) continue;
    std::string arn(kLocalRealm);
    arn.append(action.kind);
    arn += is_any ? "*" : as_iot_pattern(std::string_view(text).substr(action.resource.size()));
    arns.push_back(json::value(arn));
  }
  return arns;
}

}  // namespace

DeviceGroups::DeviceGroups(const json::object& device_groups) {
  const JsonReader all(device_groups, "deviceGroups");
  if (const auto format = all.optional_string("formatVersion"); format && *format != kFormat) {
    all.fail("formatVersion", "must be " + std::string(kFormat));
  }
  const JsonReader policies = all.child_or_empty("policies");
  const JsonReader definitions = all.child_or_empty("definitions");
  if (policies.object().size() > kMostGroups) all.fail("policies", "are more than 100");
  if (definitions.object().size() > kMostGroups) all.fail("definitions", "are more than 100");
  for (const auto& member : policies.object()) {
    if (member.value().is_object() && member.value().get_object().size() > kMostStatements) {
      policies.fail(member.key(), "has more than 100 statements");
    }
    add_policy(std::string(member.key()), JsonReader(member.value(), policies.place(member.key())));
  }
  for (const auto& member : definitions.object()) {
    add_group(JsonReader(member.value(), definitions.place(member.key())));
  }
  for (const auto& [name, document] : iot_policies()) {
    if (document.size() > kMostDocumentBytes) policies.fail(name, "has more than 20 KiB");
  }
}

void DeviceGroups::add_policy(const std::string& name, const base::JsonReader& policy) {
  std::vector<Statement>& statements = policies_[name];
  for (const auto& member : policy.object()) {
    const JsonReader statement(member.value(), policy.place(member.key()));
    Statement read;
    read.is_deny = statement.choice("effect", kEffects).value_or(false);
    read.operations = statement.strings("operations", kMostTexts + 1);
    read.resources = statement.strings("resources", kMostTexts + 1);
    if (read.operations.size() > kMostTexts || read.resources.size() > kMostTexts) {
      policy.fail(member.key(), "has more than 100 operations or resources");
    }
    for (const std::string& text : read.operations) check_operation(statement, text);
    for (const std::string& text : read.resources) check_resource(statement, text);
    statements.push_back(std::move(read));
  }
}

void DeviceGroups::add_group(const base::JsonReader& group) {
  const std::string policy = group.required_text("policyName");
  if (!policies_.contains(policy)) {
    group.fail("policyName", "names \"" + policy + "\", which is not among policies");
  }
  const std::string rule = group.required_text("selectionRule");
  try {
    groups_.push_back({query::SearchQuery::parse(rule), policy});
  } catch (const base::Error& error) {
    group.fail("selectionRule", error.message());
  }
  for (const std::string& field : groups_.back().rule.fields()) {
    if (field == "thingName") continue;
    group.fail("selectionRule", "asks for \"" + field + "\"; there is thingName alone");
  }
}

std::vector<std::string> DeviceGroups::policies_of(const std::string& thing) const {
  std::vector<std::string> names;
  for (const Group& group : groups_) {
    const bool is_in = group.rule.matches([&thing](const std::string& field) {
      return field == "thingName" ? std::vector<std::string>{thing} : std::vector<std::string>{};
    });
    if (is_in && std::ranges::find(names, group.policy) == names.end()) {
      names.push_back(group.policy);
    }
  }
  return names;
}

bool DeviceGroups::allows(const std::string& thing, std::string_view operation,
                          std::string_view resource) const {
  bool is_allowed = false;
  for (const std::string& policy : policies_of(thing)) {
    for (const Statement& statement : policies_.at(policy)) {
      if (!names(statement.operations, operation)) continue;
      const bool fits = std::ranges::any_of(statement.resources, [&](const std::string& one) {
        return resource_matches(with_thing(one, thing), resource, ResourceForm::plain);
      });
      if (fits && statement.is_deny) return false;
      is_allowed = is_allowed || fits;
    }
  }
  return is_allowed;
}

std::map<std::string, std::string> DeviceGroups::iot_policies() const {
  std::map<std::string, std::string> documents;
  for (const auto& [name, statements] : policies_) {
    json::array all;
    for (const Statement& statement : statements) {
      for (const MqttAction& one : kMqttActions) {
        if (!names(statement.operations, one.operation)) continue;
        json::array resources = arns_of(statement.resources, one);
        if (resources.empty()) continue;
        all.push_back(json::object{{"Effect", statement.is_deny ? "Deny" : "Allow"},
                                   {"Action", one.action},
                                   {"Resource", std::move(resources)}});
      }
    }
    // Who may subscribe gets what comes.
    all.push_back(json::object{{"Effect", "Allow"}, {"Action", "iot:Receive"}, {"Resource", "*"}});
    documents[name] =
        base::to_text(json::object{{"Version", "2012-10-17"}, {"Statement", std::move(all)}});
  }
  return documents;
}

}  // namespace andon::edge
