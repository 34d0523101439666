// SPDX-License-Identifier: Apache-2.0
#include "control/requests/deployment_request.hpp"

#include <functional>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "control/shared/request_tokens.hpp"
#include "recipe/reader/problem.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;

// Runs one check after the other and keeps what each of them finds wrong.
class Problems {
 public:
  void check(const std::function<void()>& read) {
    try {
      read();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::invalid_argument) throw;
      add(error.message());
    }
  }
  void add(const std::string& problem) {
    if (!text_.empty()) text_ += "; ";
    text_ += problem;
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

// "/components/com.ex.A/componentVersion" as operators write it:
// components["com.ex.A"].componentVersion
std::string place_in_request(const std::string& pointer) {
  std::string place;
  bool is_name = false;
  for (const std::string& token : base::split_pointer(pointer)) {
    const bool is_index = !token.empty() && token.find_first_not_of("0123456789") == token.npos;
    if (is_name) {
      place += "[\"" + token + "\"]";
    } else if (is_index) {
      place += "[" + token + "]";
    } else {
      place += (place.empty() ? "" : ".") + token;
    }
    is_name = place == "components";
  }
  return place;
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
    const std::string arn = text("parentTargetArn");
    if (arn.empty()) return;
    read.parent = parse_target_arn(arn);
    if (!read.parent || read.parent->kind != Target::Kind::thing_group) {
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
  recipe::Problems found;
  read.document = recipe::parse_deployment(request, recipe::Strictness::request, found);
  for (const recipe::Problem& problem : found) {
    problems.add(place_in_request(problem.place) + ": " + problem.message);
  }
  problems.check([&] {
    const json::object* configuration = reader.optional_object("iotJobConfiguration");
    if (configuration == nullptr) return;
    std::vector<base::JsonProblem> wrong;
    read.job_configuration = fleet::read_job_configuration(
        JsonReader(*configuration, "iotJobConfiguration", {.problems = &wrong}));
    for (const base::JsonProblem& problem : wrong) {
      problems.add(problem.place + ": " + problem.message);
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
