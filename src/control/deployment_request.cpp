// SPDX-License-Identifier: Apache-2.0
#include "control/deployment_request.hpp"

#include <functional>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "control/request_tokens.hpp"
#include "recipe/semver.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;

constexpr std::size_t kMaxComponents = 256;

// Runs one check after the other and keeps what each of them finds wrong.
class Problems {
 public:
  void check(const std::function<void()>& read) {
    try {
      read();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::invalid_argument) throw;
      if (!text_.empty()) text_ += "; ";
      text_ += error.message();
    }
  }
  void throw_if_any() const {
    if (!text_.empty()) throw Error(ErrorCode::invalid_argument, text_);
  }

 private:
  std::string text_;
};

[[noreturn]] void refuse(const std::string& place, const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, place + ": " + problem);
}

recipe::ConfigurationUpdate read_update(const JsonReader& reader) {
  recipe::ConfigurationUpdate update;
  if (const auto merge = reader.optional_string("merge")) {
    const std::string place = reader.where() + ".merge";
    json::value value;
    try {
      value = base::parse_json(*merge, "text");
    } catch (const Error& error) {
      refuse(place, "is not valid JSON (" + error.message() + ")");
    }
    if (!value.is_object()) refuse(place, "must be a JSON object as text");
    update.merge = std::move(value.get_object());
  }
  if (const json::array* reset = reader.optional_array("reset")) {
    for (std::size_t i = 0; i < reset->size(); ++i) {
      const std::string place = reader.where() + ".reset[" + std::to_string(i) + "]";
      if (!(*reset)[i].is_string()) refuse(place, "must be text");
      const std::string pointer((*reset)[i].get_string());
      try {
        (void)base::split_pointer(pointer);
      } catch (const Error& error) {
        refuse(place, error.message());
      }
      update.reset.push_back(pointer);
    }
  }
  return update;
}

recipe::RunWith read_run_with(const JsonReader& reader) {
  recipe::RunWith run_with;
  run_with.posix_user = reader.optional_string("posixUser").value_or("");
  run_with.windows_user = reader.optional_string("windowsUser").value_or("");
  if (const json::object* object = reader.optional_object("systemResourceLimits")) {
    const JsonReader limits(*object, reader.where() + ".systemResourceLimits");
    run_with.memory_kib = limits.optional_integer("memory");
    run_with.cpus = limits.optional_number("cpus");
    if (run_with.memory_kib.value_or(0) < 0) refuse(limits.where() + ".memory", "is negative");
    if (run_with.cpus.value_or(0) < 0) refuse(limits.where() + ".cpus", "is negative");
  }
  return run_with;
}

recipe::ComponentDeployment read_component(const JsonReader& reader) {
  recipe::ComponentDeployment component;
  component.version = reader.string("componentVersion");
  try {
    (void)recipe::VersionRange::parse(component.version);
    if (component.version.empty()) throw Error(ErrorCode::invalid_argument, "");
  } catch (const Error&) {
    refuse(reader.where() + ".componentVersion", "\"" + component.version + "\" is not a version");
  }
  if (const json::object* update = reader.optional_object("configurationUpdate")) {
    component.configuration_update =
        read_update(JsonReader(*update, reader.where() + ".configurationUpdate"));
  }
  if (const json::object* run_with = reader.optional_object("runWith")) {
    component.run_with = read_run_with(JsonReader(*run_with, reader.where() + ".runWith"));
  }
  return component;
}

void read_components(const JsonReader& request, Problems& problems, DeploymentRequest& read) {
  const json::object* components = request.optional_object("components");
  if (components == nullptr) return;
  if (components->size() > kMaxComponents) {
    problems.check([] { refuse("components", "more than 256"); });
    return;
  }
  for (const auto& member : *components) {
    const std::string name(member.key());
    problems.check([&] {
      if (name.empty() || name.size() > 128) {
        refuse("components", "a component's name must have 1 to 128 characters");
      }
      const JsonReader reader(member.value(), "components[\"" + name + "\"]");
      read.document.components.emplace(name, read_component(reader));
    });
  }
}

std::chrono::seconds read_timeout(const JsonReader& policy) {
  const std::int64_t seconds = policy.optional_integer("timeoutInSeconds").value_or(60);
  if (seconds < 0 || seconds > 2'592'000) {
    refuse(policy.where() + ".timeoutInSeconds", "must be between 0 and 2592000");
  }
  return std::chrono::seconds(seconds);
}

void read_policies(const JsonReader& policies, recipe::DeploymentDocument& document) {
  const std::string handling =
      policies.optional_string("failureHandlingPolicy").value_or("ROLLBACK");
  if (handling == "DO_NOTHING") {
    document.failure_handling = recipe::FailureHandling::do_nothing;
  } else if (handling != "ROLLBACK") {
    refuse(policies.where() + ".failureHandlingPolicy", "must be ROLLBACK or DO_NOTHING");
  }
  if (const json::object* object = policies.optional_object("componentUpdatePolicy")) {
    const JsonReader update(*object, policies.where() + ".componentUpdatePolicy");
    const std::string action = update.optional_string("action").value_or("NOTIFY_COMPONENTS");
    if (action == "SKIP_NOTIFY_COMPONENTS") {
      document.update_action = recipe::UpdateAction::skip_notify_components;
    } else if (action != "NOTIFY_COMPONENTS") {
      refuse(update.where() + ".action", "must be NOTIFY_COMPONENTS or SKIP_NOTIFY_COMPONENTS");
    }
    document.update_timeout = read_timeout(update);
  }
  if (const json::object* object = policies.optional_object("configurationValidationPolicy")) {
    document.validation_timeout =
        read_timeout(JsonReader(*object, policies.where() + ".configurationValidationPolicy"));
  }
}

json::object show_policies(const recipe::DeploymentDocument& document) {
  const bool rolls_back = document.failure_handling == recipe::FailureHandling::rollback;
  const bool notifies = document.update_action == recipe::UpdateAction::notify_components;
  return {{"failureHandlingPolicy", rolls_back ? "ROLLBACK" : "DO_NOTHING"},
          {"componentUpdatePolicy",
           {{"timeoutInSeconds", document.update_timeout.count()},
            {"action", notifies ? "NOTIFY_COMPONENTS" : "SKIP_NOTIFY_COMPONENTS"}}},
          {"configurationValidationPolicy",
           {{"timeoutInSeconds", document.validation_timeout.count()}}}};
}

void read_job_configuration(const JsonReader& configuration, DeploymentRequest& read) {
  for (const std::string_view member : {"jobExecutionsRolloutConfig", "abortConfig"}) {
    const json::object* object = configuration.optional_object(member);
    if (object != nullptr && !object->empty()) {
      refuse(configuration.where() + "." + std::string(member),
             "this server sends a deployment to all devices at once; leave it out and deploy to "
             "smaller groups one after the other");
    }
  }
  const json::object* object = configuration.optional_object("timeoutConfig");
  if (object == nullptr) return;
  const JsonReader timeout(*object, configuration.where() + ".timeoutConfig");
  const auto minutes = timeout.optional_integer("inProgressTimeoutInMinutes");
  if (!minutes) return;
  if (*minutes < 1 || *minutes > 10'080) {
    refuse(timeout.where() + ".inProgressTimeoutInMinutes", "must be between 1 and 10080");
  }
  read.in_progress_timeout = std::chrono::minutes(*minutes);
}

void read_tags(const JsonReader& request, DeploymentRequest& read) {
  const json::object* tags = request.optional_object("tags");
  if (tags == nullptr) return;
  for (const auto& member : *tags) {
    if (!member.value().is_string()) {
      refuse("tags[\"" + std::string(member.key()) + "\"]", "must be text");
    }
    read.tags.emplace(std::string(member.key()), std::string(member.value().get_string()));
  }
}

}  // namespace

DeploymentRequest parse_deployment_request(const json::object& request) {
  DeploymentRequest read;
  Problems problems;
  const JsonReader reader(request, "");
  const auto text = [&](std::string_view key) { return reader.optional_string(key).value_or(""); };
  problems.check([&] {
    const std::string arn = text("targetArn");
    const auto target = parse_target_arn(arn);
    if (!target) {
      refuse("targetArn", "\"" + arn + "\" must be the ARN of a thing or a thing group");
    }
    read.target = *target;
  });
  problems.check([&] {
    read.name = text("deploymentName");
    if (read.name.size() > 256) refuse("deploymentName", "is longer than 256 characters");
  });
  problems.check([&] {
    read.parent_target_arn = text("parentTargetArn");
    if (read.parent_target_arn.empty()) return;
    const auto parent = parse_target_arn(read.parent_target_arn);
    if (!parent || parent->kind != Target::Kind::thing_group) {
      refuse("parentTargetArn", "must be the ARN of a thing group");
    }
  });
  problems.check([&] {
    const std::string token = text("clientToken");
    if (token.empty()) return;
    check_client_token(token);
    read.client_token = token;
  });
  problems.check([&] { read_tags(reader, read); });
  problems.check([&] { read_components(reader, problems, read); });
  problems.check([&] {
    if (const json::object* policies = reader.optional_object("deploymentPolicies")) {
      read_policies(JsonReader(*policies, "deploymentPolicies"), read.document);
    }
  });
  problems.check([&] {
    if (const json::object* configuration = reader.optional_object("iotJobConfiguration")) {
      read_job_configuration(JsonReader(*configuration, "iotJobConfiguration"), read);
    }
  });
  problems.throw_if_any();
  if (const json::object* components = reader.optional_object("components")) {
    read.shown["components"] = *components;
  }
  read.shown["deploymentPolicies"] = show_policies(read.document);
  if (const json::object* configuration = reader.optional_object("iotJobConfiguration")) {
    read.shown["iotJobConfiguration"] = *configuration;
  }
  return read;
}

}  // namespace andon::control
