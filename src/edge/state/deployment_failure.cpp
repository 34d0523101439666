// SPDX-License-Identifier: Apache-2.0
#include "edge/state/deployment_failure.hpp"

#include <algorithm>
#include <utility>

#include "base/json/json_reader.hpp"
#include "recipe/recipe/recipe_parser.hpp"
#include "recipe/recipe/resolve.hpp"
#include "wire/http/http_client.hpp"

namespace andon::edge {
namespace {

using base::ErrorCode;
using Texts = std::vector<std::string>;

struct Codes {
  Texts stack;
  Texts types;
};

Codes codes_of(recipe::ResolutionError::Kind kind) {
  using Kind = recipe::ResolutionError::Kind;
  switch (kind) {
    case Kind::no_version:
      return {{"NO_AVAILABLE_COMPONENT_VERSION", "COMPONENT_VERSION_REQUIREMENTS_NOT_MET"},
              {"REQUEST_ERROR"}};
    case Kind::requirements_not_met:
      return {{"COMPONENT_VERSION_REQUIREMENTS_NOT_MET"}, {"REQUEST_ERROR"}};
    case Kind::circular:
      return {{"COMPONENT_CIRCULAR_DEPENDENCY_ERROR"}, {"REQUEST_ERROR"}};
    case Kind::bad_answer:
      return {{"CLOUD_API_ERROR", "RESOLVE_COMPONENT_CANDIDATES_BAD_RESPONSE"},
              {"CLOUD_SERVICE_ERROR"}};
    case Kind::too_large:
      return {{"DEPLOYMENT_DOCUMENT_SIZE_EXCEEDED"}, {"REQUEST_ERROR"}};
  }
  return {{}, {"UNKNOWN_ERROR"}};
}

Codes codes_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::unavailable:
    case ErrorCode::deadline_exceeded:
      return {{"NETWORK_ERROR"}, {"NETWORK_ERROR"}};
    case ErrorCode::permission_denied:
    case ErrorCode::unauthenticated:
      return {{"CLOUD_API_ERROR", "ACCESS_DENIED"}, {"PERMISSION_ERROR"}};
    case ErrorCode::not_found:
      return {{"CLOUD_API_ERROR", "RESOURCE_NOT_FOUND"}, {"CLOUD_SERVICE_ERROR"}};
    case ErrorCode::resource_exhausted:
      return {{"IO_ERROR", "DISK_SPACE_CRITICAL"}, {"DEVICE_ERROR"}};
    case ErrorCode::data_corrupted:
      return {{"IO_ERROR", "LOCAL_RECIPE_CORRUPTED"}, {"DEVICE_ERROR"}};
    case ErrorCode::cancelled:
      return {{"DEPLOYMENT_INTERRUPTED"}, {"NONE"}};
    case ErrorCode::invalid_argument:
      return {{"DEPLOYMENT_DOCUMENT_NOT_VALID"}, {"REQUEST_ERROR"}};
    default:
      return {{}, {"NUCLEUS_ERROR"}};
  }
}

json::array to_array(const Texts& texts) {
  return json::array(texts.begin(), texts.end());
}

FailureReport make_report(std::string cause, Codes codes) {
  Texts stack{"DEPLOYMENT_FAILURE"};
  stack.insert(stack.end(), codes.stack.begin(), codes.stack.end());
  return {std::move(cause), std::move(stack), std::move(codes.types), false};
}

}  // namespace

DeploymentFailure::DeploymentFailure(ErrorCode code, std::string message, Texts codes, Texts types)
    : base::Error(code, std::move(message)), codes_(std::move(codes)), types_(std::move(types)) {}

json::object to_json(const FailureReport& report) {
  return {{"cause", report.cause},
          {"errorStack", to_array(report.error_stack)},
          {"errorTypes", to_array(report.error_types)},
          {"rejected", report.rejected}};
}

FailureReport parse_failure_report(const json::value& value) {
  const base::JsonReader reader(value, "failure report");
  return {reader.string("cause"), reader.strings("errorStack"), reader.strings("errorTypes"),
          reader.optional_bool("rejected").value_or(false)};
}

std::vector<std::string> network_codes(const base::Error& error) {
  const auto* const transfer = dynamic_cast<const wire::TransferError*>(&error);
  if (transfer == nullptr) return {"NETWORK_ERROR"};
  const bool is_tls = transfer->stage() == wire::TransferError::Stage::tls_handshake;
  return {"NETWORK_ERROR", is_tls ? "TLS_HANDSHAKE_FAILURE" : "HTTP_REQUEST_ERROR"};
}

recipe::Recipe read_recipe(std::string_view text, const std::string& whose) {
  recipe::RecipeCheck check = recipe::check_recipe(text);
  if (check.recipe) return *std::move(check.recipe);
  Texts codes{"COMPONENT_PACKAGE_LOADING_ERROR", "RECIPE_PARSE_ERROR"};
  const bool is_dependency =
      std::ranges::any_of(check.problems, [](const recipe::Problem& problem) {
        return problem.place.starts_with("/ComponentDependencies");
      });
  if (is_dependency) codes.emplace_back("COMPONENT_DEPENDENCY_NOT_VALID");
  throw DeploymentFailure(
      ErrorCode::invalid_argument,
      "the recipe of " + whose + " is not valid: " + recipe::to_text(check.problems),
      std::move(codes), {"COMPONENT_RECIPE_ERROR"});
}

FailureReport report_of(const std::exception& error) {
  if (const auto* known = dynamic_cast<const DeploymentFailure*>(&error)) {
    return make_report(known->message(), {known->codes(), known->types()});
  }
  if (const auto* resolution = dynamic_cast<const recipe::ResolutionError*>(&error)) {
    return make_report(resolution->message(), codes_of(resolution->kind()));
  }
  if (const auto* transfer = dynamic_cast<const wire::TransferError*>(&error)) {
    return make_report(transfer->message(), {network_codes(*transfer), {"NETWORK_ERROR"}});
  }
  if (const auto* general = dynamic_cast<const base::Error*>(&error)) {
    return make_report(general->message(), codes_of(general->code()));
  }
  return make_report(std::string("unexpected error: ") + error.what(), {{}, {"NUCLEUS_ERROR"}});
}

FailureReport rejection(std::string cause, std::string code, std::string type) {
  return {std::move(cause), {"DEPLOYMENT_REJECTED", std::move(code)}, {std::move(type)}, true};
}

}  // namespace andon::edge
