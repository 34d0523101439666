// SPDX-License-Identifier: Apache-2.0
#include "recipe/deployment_document.hpp"

#include <array>
#include <utility>

#include "base/error.hpp"
#include "recipe/member_reader.hpp"
#include "recipe/semver.hpp"

namespace andon::recipe {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array kFailureHandling{std::pair{"ROLLBACK"sv, FailureHandling::rollback},
                                      std::pair{"DO_NOTHING"sv, FailureHandling::do_nothing}};
constexpr std::array kUpdateActions{
    std::pair{"NOTIFY_COMPONENTS"sv, UpdateAction::notify_components},
    std::pair{"SKIP_NOTIFY_COMPONENTS"sv, UpdateAction::skip_notify_components}};

template <typename Table, typename Value>
std::string_view name_of(const Table& table, Value value) {
  for (const auto& [name, candidate] : table) {
    if (candidate == value) return name;
  }
  return {};
}

ConfigurationUpdate read_update(const json::value& value, const std::string& place,
                                Problems& problems) {
  const MemberReader reader(value, place, problems);
  ConfigurationUpdate update;
  if (const auto* merge = reader.object("merge")) update.merge = *merge;
  if (const auto* reset = reader.array("reset")) {
    for (std::size_t i = 0; i < reset->size(); ++i) {
      const auto where = reader.place("reset") + "/" + std::to_string(i);
      const auto* text = (*reset)[i].if_string();
      if (text == nullptr) {
        problems.push_back({where, "must be a JSON pointer"});
        continue;
      }
      try {
        static_cast<void>(base::split_pointer(*text));
        update.reset.emplace_back(*text);
      } catch (const base::Error& error) {
        problems.push_back({where, error.message()});
      }
    }
  }
  return update;
}

RunWith read_run_with(const json::value& value, const std::string& place, Problems& problems) {
  const MemberReader reader(value, place, problems);
  RunWith run_with;
  run_with.posix_user = reader.text("posixUser").value_or("");
  run_with.windows_user = reader.text("windowsUser").value_or("");
  if (const auto* limits = reader.find("systemResourceLimits")) {
    const MemberReader members(*limits, reader.place("systemResourceLimits"), problems);
    run_with.memory_kib = members.integer("memory");
    run_with.cpus = members.number("cpus");
    if (run_with.memory_kib && *run_with.memory_kib <= 0) {
      members.problem("memory", "must be a positive number of kilobytes");
    }
    if (run_with.cpus && !(*run_with.cpus > 0)) {
      members.problem("cpus", "must be a positive number");
    }
  }
  return run_with;
}

ComponentDeployment read_component(const json::value& value, const std::string& place,
                                   Problems& problems) {
  const MemberReader reader(value, place, problems);
  ComponentDeployment component;
  component.version = reader.required_text("version");
  try {
    static_cast<void>(VersionRange::parse(component.version));
  } catch (const base::Error& error) {
    reader.problem("version", error.message());
  }
  if (const auto* update = reader.find("configurationUpdate")) {
    component.configuration_update =
        read_update(*update, reader.place("configurationUpdate"), problems);
  }
  if (const auto* run_with = reader.find("runWith")) {
    component.run_with = read_run_with(*run_with, reader.place("runWith"), problems);
  }
  return component;
}

std::optional<std::chrono::seconds> read_timeout(const MemberReader& reader) {
  const auto seconds = reader.integer("timeout");
  if (!seconds) return std::nullopt;
  if (*seconds < 0 || *seconds > 0x7FFF'FFFF) {
    reader.problem("timeout", "must be a number of seconds from 0 to 2147483647");
    return std::nullopt;
  }
  return std::chrono::seconds(*seconds);
}

void read_policies(const MemberReader& reader, DeploymentDocument& document, Problems& problems) {
  document.failure_handling =
      reader.choice("failureHandlingPolicy", kFailureHandling).value_or(document.failure_handling);
  if (const auto* policy = reader.find("componentUpdatePolicy")) {
    const MemberReader members(*policy, reader.place("componentUpdatePolicy"), problems);
    document.update_timeout = read_timeout(members).value_or(document.update_timeout);
    document.update_action =
        members.choice("action", kUpdateActions).value_or(document.update_action);
  }
  if (const auto* policy = reader.find("configurationValidationPolicy")) {
    const MemberReader members(*policy, reader.place("configurationValidationPolicy"), problems);
    document.validation_timeout = read_timeout(members).value_or(document.validation_timeout);
  }
}

json::object component_json(const ComponentDeployment& component) {
  json::object out{{"version", component.version}};
  const auto& update = component.configuration_update;
  if (!update.empty()) {
    json::object update_out;
    if (update.merge) update_out["merge"] = *update.merge;
    if (!update.reset.empty()) {
      json::array pointers;
      for (const auto& pointer : update.reset) pointers.emplace_back(pointer);
      update_out["reset"] = std::move(pointers);
    }
    out["configurationUpdate"] = std::move(update_out);
  }
  if (component.run_with) {
    const auto& run_with = *component.run_with;
    json::object run_with_out;
    if (!run_with.posix_user.empty()) run_with_out["posixUser"] = run_with.posix_user;
    if (!run_with.windows_user.empty()) run_with_out["windowsUser"] = run_with.windows_user;
    json::object limits;
    if (run_with.memory_kib) limits["memory"] = *run_with.memory_kib;
    if (run_with.cpus) limits["cpus"] = *run_with.cpus;
    if (!limits.empty()) run_with_out["systemResourceLimits"] = std::move(limits);
    out["runWith"] = std::move(run_with_out);
  }
  return out;
}

}  // namespace

DeploymentDocumentCheck check_deployment_document(const json::value& value) {
  DeploymentDocumentCheck check;
  const MemberReader reader(value, "", check.problems);
  DeploymentDocument document;
  document.deployment_id = reader.text("deploymentId").value_or("");
  document.deployment_name = reader.text("deploymentName").value_or("");
  document.configuration_arn = reader.text("configurationArn").value_or("");
  document.parent_target_arn = reader.text("parentTargetArn").value_or("");
  document.on_behalf_of = reader.text("onBehalfOf").value_or("");
  document.creation_timestamp_ms = reader.integer("creationTimestamp").value_or(0);
  if (const auto* components = reader.object("components")) {
    for (const auto& member : *components) {
      const auto place = reader.place("components") + base::join_pointer({member.key()});
      document.components.emplace(member.key(),
                                  read_component(member.value(), place, check.problems));
    }
  }
  read_policies(reader, document, check.problems);
  if (const auto* capabilities = reader.array("requiredCapabilities")) {
    for (const auto& capability : *capabilities) {
      if (const auto* text = capability.if_string()) {
        document.required_capabilities.emplace_back(*text);
      } else {
        reader.problem("requiredCapabilities", "must be a list of texts");
      }
    }
  }
  if (check.problems.empty()) check.document = std::move(document);
  return check;
}

DeploymentDocument read_deployment_document(const json::value& value) {
  auto check = check_deployment_document(value);
  throw_if_any(check.problems, "the deployment document");
  return *std::move(check.document);
}

DeploymentDocument parse_deployment_document(std::string_view text) {
  return read_deployment_document(
      base::parse_json(text, "the deployment document", {.max_bytes = 1U << 20U}));
}

json::object to_json(const DeploymentDocument& document) {
  json::object out{{"deploymentId", document.deployment_id}, {"schemaDate", "2021-05-17"}};
  if (!document.deployment_name.empty()) out["deploymentName"] = document.deployment_name;
  out["configurationArn"] = document.configuration_arn;
  if (!document.parent_target_arn.empty()) out["parentTargetArn"] = document.parent_target_arn;
  if (!document.on_behalf_of.empty()) out["onBehalfOf"] = document.on_behalf_of;
  out["creationTimestamp"] = document.creation_timestamp_ms;
  json::object components;
  for (const auto& [name, component] : document.components) {
    components[name] = component_json(component);
  }
  out["components"] = std::move(components);
  out["failureHandlingPolicy"] = name_of(kFailureHandling, document.failure_handling);
  out["componentUpdatePolicy"] =
      json::object{{"timeout", document.update_timeout.count()},
                   {"action", name_of(kUpdateActions, document.update_action)}};
  out["configurationValidationPolicy"] =
      json::object{{"timeout", document.validation_timeout.count()}};
  if (!document.required_capabilities.empty()) {
    json::array capabilities;
    for (const auto& capability : document.required_capabilities) {
      capabilities.emplace_back(capability);
    }
    out["requiredCapabilities"] = std::move(capabilities);
  }
  return out;
}

std::string target_of(std::string_view configuration_arn) {
  constexpr std::string_view kMark = ":configuration:";
  const auto mark = configuration_arn.find(kMark);
  if (mark == std::string_view::npos) return std::string(configuration_arn);
  const auto target = configuration_arn.substr(mark + kMark.size());
  return std::string(target.substr(0, target.rfind(':')));
}

}  // namespace andon::recipe
