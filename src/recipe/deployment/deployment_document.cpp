// SPDX-License-Identifier: Apache-2.0
#include "recipe/deployment/deployment_document.hpp"

#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "recipe/reader/member_reader.hpp"
#include "recipe/version/semver.hpp"

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

// Nested deeper, it would not be read in the messages that carry the document.
constexpr std::size_t kMaxMergeDepth = 20;
constexpr std::size_t kMaxRequestComponents = 256;
constexpr std::size_t kMaxComponentName = 128;

// Where the two forms differ.
struct Form {
  Strictness strictness;
  KeyCase key_case;
  std::string_view version;
  std::string_view timeout;
  std::int64_t longest_timeout;  // seconds
};
constexpr Form kRequest{Strictness::request, KeyCase::exact, "componentVersion", "timeoutInSeconds",
                        2'592'000};
constexpr Form kDevice{Strictness::device, KeyCase::any, "version", "timeout", 0x7FFF'FFFF};

// One document being read.
class DeploymentReader {
 public:
  DeploymentReader(const Form& form, Problems& problems) : form_(form), problems_(problems) {}

  [[nodiscard]] DeploymentDocument read(const json::value& value) const {
    const MemberReader reader = members(value, "");
    DeploymentDocument document;
    if (const auto* components = reader.optional_object("components")) {
      read_components(*components, reader, document);
    }
    if (form_.strictness == Strictness::device) {
      read_identity(reader, document);
      read_policies(reader, document);
      read_capabilities(reader, document);
    } else if (const auto* policies = reader.find("deploymentPolicies")) {
      read_policies(members(*policies, reader.place("deploymentPolicies")), document);
    }
    return document;
  }

 private:
  [[nodiscard]] MemberReader members(const json::value& value, std::string place) const {
    return {value, std::move(place), problems_, form_.key_case};
  }

  void read_components(const json::object& components, const MemberReader& reader,
                       DeploymentDocument& document) const {
    const bool is_request = form_.strictness == Strictness::request;
    if (is_request && components.size() > kMaxRequestComponents) {
      return reader.problem("components", "more than 256");
    }
    for (const auto& member : components) {
      const std::string name(member.key());
      if (is_request && (name.empty() || name.size() > kMaxComponentName)) {
        reader.problem("components", "a component's name must have 1 to 128 characters");
        continue;
      }
      const auto place = reader.place("components") + base::join_pointer({name});
      document.components.emplace(name, read_component(members(member.value(), place)));
    }
  }

  [[nodiscard]] ComponentDeployment read_component(const MemberReader& reader) const {
    ComponentDeployment component;
    component.version = reader.required_text(form_.version);
    try {
      static_cast<void>(VersionRange::parse(component.version));
    } catch (const base::Error& error) {
      reader.problem(form_.version,
                     "\"" + component.version +
                         "\" is not a version or a range of versions: " + error.message());
    }
    if (const auto* update = reader.find("configurationUpdate")) {
      component.configuration_update =
          read_update(members(*update, reader.place("configurationUpdate")));
    }
    if (const auto* run_with = reader.find("runWith")) {
      component.run_with = read_run_with(members(*run_with, reader.place("runWith")));
    }
    return component;
  }

  [[nodiscard]] ConfigurationUpdate read_update(const MemberReader& reader) const {
    ConfigurationUpdate update;
    if (form_.strictness == Strictness::request) {
      update.merge = read_merge_text(reader);
    } else if (const auto* merge = reader.optional_object("merge")) {
      update.merge = *merge;
    }
    const auto* reset = reader.optional_array("reset");
    if (reset == nullptr) return update;
    for (std::size_t i = 0; i < reset->size(); ++i) {
      const auto where = reader.place("reset") + "/" + std::to_string(i);
      const auto* text = (*reset)[i].if_string();
      if (text == nullptr) {
        problems_.push_back({where, "must be a JSON pointer"});
        continue;
      }
      try {
        static_cast<void>(base::split_pointer(*text));
        update.reset.emplace_back(*text);
      } catch (const base::Error& error) {
        problems_.push_back({where, error.message()});
      }
    }
    return update;
  }

  [[nodiscard]] static std::optional<json::object> read_merge_text(const MemberReader& reader) {
    const auto merge = reader.optional_string("merge");
    if (!merge) return std::nullopt;
    try {
      json::value value = base::parse_json(*merge, "text", {.max_depth = kMaxMergeDepth});
      if (value.is_object()) return std::move(value.get_object());
      reader.problem("merge", "must be a JSON object as text");
    } catch (const base::Error& error) {
      reader.problem("merge", "is not valid JSON (" + error.message() + ")");
    }
    return std::nullopt;
  }

  [[nodiscard]] RunWith read_run_with(const MemberReader& reader) const {
    RunWith run_with;
    run_with.posix_user = reader.optional_string("posixUser").value_or("");
    run_with.windows_user = reader.optional_string("windowsUser").value_or("");
    const auto* limits = reader.find("systemResourceLimits");
    if (limits == nullptr) return run_with;
    const MemberReader inner = members(*limits, reader.place("systemResourceLimits"));
    run_with.limits = {inner.optional_integer("memory"), inner.optional_number("cpus")};
    if (run_with.limits.memory_kib && *run_with.limits.memory_kib <= 0) {
      inner.problem("memory", "must be a positive number of kilobytes");
    }
    if (run_with.limits.cpus && !(*run_with.limits.cpus > 0)) {
      inner.problem("cpus", "must be a positive number");
    }
    return run_with;
  }

  [[nodiscard]] std::optional<std::chrono::seconds> read_timeout(const MemberReader& reader) const {
    const auto seconds = reader.optional_integer(form_.timeout);
    if (!seconds) return std::nullopt;
    if (*seconds < 0 || *seconds > form_.longest_timeout) {
      reader.problem(form_.timeout, "must be a number of seconds from 0 to " +
                                        std::to_string(form_.longest_timeout));
      return std::nullopt;
    }
    return std::chrono::seconds(*seconds);
  }

  void read_policies(const MemberReader& reader, DeploymentDocument& document) const {
    document.failure_handling = reader.choice("failureHandlingPolicy", kFailureHandling)
                                    .value_or(document.failure_handling);
    if (const auto* policy = reader.find("componentUpdatePolicy")) {
      const MemberReader inner = members(*policy, reader.place("componentUpdatePolicy"));
      document.update_timeout = read_timeout(inner).value_or(document.update_timeout);
      document.update_action =
          inner.choice("action", kUpdateActions).value_or(document.update_action);
    }
    if (const auto* policy = reader.find("configurationValidationPolicy")) {
      const MemberReader inner = members(*policy, reader.place("configurationValidationPolicy"));
      document.validation_timeout = read_timeout(inner).value_or(document.validation_timeout);
    }
  }

  static void read_identity(const MemberReader& reader, DeploymentDocument& document) {
    document.deployment_id = reader.optional_string("deploymentId").value_or("");
    document.deployment_name = reader.optional_string("deploymentName").value_or("");
    document.configuration_arn = reader.optional_string("configurationArn").value_or("");
    document.parent_target_arn = reader.optional_string("parentTargetArn").value_or("");
    document.on_behalf_of = reader.optional_string("onBehalfOf").value_or("");
    document.creation_timestamp_ms = reader.optional_integer("creationTimestamp").value_or(0);
  }

  static void read_capabilities(const MemberReader& reader, DeploymentDocument& document) {
    const auto* capabilities = reader.optional_array("requiredCapabilities");
    if (capabilities == nullptr) return;
    for (const auto& capability : *capabilities) {
      if (const auto* text = capability.if_string()) {
        document.required_capabilities.emplace_back(*text);
      } else {
        reader.problem("requiredCapabilities", "must be a list of texts");
      }
    }
  }

  const Form& form_;
  Problems& problems_;
};

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
    if (!run_with.limits.empty()) run_with_out["systemResourceLimits"] = to_json(run_with.limits);
    out["runWith"] = std::move(run_with_out);
  }
  return out;
}

}  // namespace

ResourceLimits parse_resource_limits(const base::JsonReader& reader) {
  const ResourceLimits limits{reader.optional_integer("memory"), reader.optional_number("cpus")};
  if ((limits.memory_kib && *limits.memory_kib <= 0) || (limits.cpus && !(*limits.cpus > 0))) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      reader.where() + ": memory (KiB) and cpus must be positive");
  }
  return limits;
}

json::object to_json(const ResourceLimits& limits) {
  json::object out;
  if (limits.memory_kib) out["memory"] = *limits.memory_kib;
  if (limits.cpus) out["cpus"] = *limits.cpus;
  return out;
}

DeploymentDocument parse_deployment(const json::value& value, Strictness strictness,
                                    Problems& problems) {
  const Form& form = strictness == Strictness::request ? kRequest : kDevice;
  return DeploymentReader(form, problems).read(value);
}

DeploymentDocument parse_deployment_document(std::string_view text) {
  Problems problems;
  DeploymentDocument document =
      parse_deployment(base::parse_json(text, "the deployment document", {.max_bytes = 1U << 20U}),
                       Strictness::device, problems);
  throw_if_any(problems, "the deployment document");
  return document;
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

}  // namespace andon::recipe
