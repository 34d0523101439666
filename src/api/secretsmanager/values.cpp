// SPDX-License-Identifier: Apache-2.0
// Values of secrets, their versions and stages.
#include <exception>

#include "api/secretsmanager/rows.hpp"
#include "api/table/service_errors.hpp"
#include "base/error/error.hpp"

namespace andon::api::secrets {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostStages = 20;
constexpr std::size_t kMostStageBytes = 256;
constexpr std::size_t kMostBatch = 20;

json::value put(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  const auto value = read_value(input);
  if (!value) {
    throw Error(ErrorCode::invalid_argument,
                "You must provide either SecretString or SecretBinary.");
  }
  const auto stages = text_list(input, "VersionStages");
  for (const std::string& stage : stages) {
    if (stage.empty() || stage.size() > kMostStageBytes) {
      throw Error(ErrorCode::invalid_argument, "VersionStages: each has 1 to 256 characters");
    }
  }
  return told(service.secrets.put(id_of(input), *value, read_token(input), stages));
}

json::value get(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  return told(service.secrets.get(id_of(input), maybe_text(input, "VersionId"),
                                  maybe_text(input, "VersionStage")));
}

json::value move_stage(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  return told(service.secrets.move_stage(id_of(input), *maybe_text(input, "VersionStage"),
                                         maybe_text(input, "RemoveFromVersionId"),
                                         maybe_text(input, "MoveToVersionId")));
}

json::value versions(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  const auto found =
      service.secrets.versions(id_of(input),
                               flag(input, "IncludeDeprecated") ? control::Secrets::Which::all
                                                                : control::Secrets::Which::staged,
                               read_page(input, 100));
  json::array told;
  for (const control::SecretVersion& version : found.page.items) {
    json::object one{{"VersionId", version.id},
                     {"CreatedDate", base::to_epoch_seconds(version.created)}};
    if (!version.stages.empty()) one["VersionStages"] = to_array(version.stages);
    if (version.accessed) one["LastAccessedDate"] = base::to_epoch_seconds(*version.accessed);
    told.push_back(std::move(one));
  }
  json::object output{{"Versions", std::move(told)}, {"ARN", found.arn}, {"Name", found.name}};
  put_next(output, found.page.next);
  return output;
}

// One of a batch: its content in `values`, or why not in `errors`.
void get_one(const Service& service, const Caller& caller, const std::string& id,
             json::array& values, json::array& errors) {
  const auto fail = [&](std::string_view code, std::string_view message) {
    errors.push_back(json::object{{"SecretId", id}, {"ErrorCode", code}, {"Message", message}});
  };
  try {
    const json::object input{{"SecretId", id}};
    const Operation operation{.service = "secretsmanager",
                              .name = "GetSecretValue",
                              .protocol = Protocol::aws_json_1_1,
                              .method = {},
                              .path = {},
                              .success_status = 200,
                              .handler = {}};
    if (const auto refused = service.authorizer.refusal(caller, operation, input)) {
      fail("AccessDeniedException", *refused);
      return;
    }
    values.push_back(told(service.secrets.get(id, {}, {})));
  } catch (const Error& error) {
    const ServiceError told = translate("secretsmanager", error);
    fail(told.code(), told.what());
  }
}

json::value get_batch(const Service& service, const OperationContext& context) {
  const json::object& input = context.input;
  std::vector<std::string> ids = text_list(input, "SecretIdList");
  const auto filters = read_filters(input);
  if (ids.empty() == filters.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "BatchGetSecretValue: give either SecretIdList or Filters");
  }
  json::object output;
  if (!filters.empty()) {
    const auto page = service.secrets.list({.filters = filters},
                                           read_page(input, static_cast<std::int64_t>(kMostBatch)));
    for (const control::Secret& secret : page.items) ids.push_back(secret.arn);
    put_next(output, page.next);
  }
  json::array values;
  json::array errors;
  for (const std::string& id : ids) get_one(service, context.caller, id, values, errors);
  output["SecretValues"] = std::move(values);
  output["Errors"] = std::move(errors);
  return output;
}

}  // namespace

std::vector<Operation> value_rows(const Service& service) {
  const MemberRule id = id_rule();
  const MemberRule stage = text("VersionStage", 1, 256);
  const auto version = [](std::string_view name) { return text(name, 32, 64); };
  return {
      row(service, "PutSecretValue",
          with_value({id, list_rule("VersionStages", 1, static_cast<std::int64_t>(kMostStages))}),
          put),
      row(service, "GetSecretValue", {id, version("VersionId"), stage}, get),
      row(service, "UpdateSecretVersionStage",
          {id, needed(stage), version("RemoveFromVersionId"), version("MoveToVersionId")},
          move_stage),
      row(service, "ListSecretVersionIds", with_page({id, flag_rule("IncludeDeprecated")}, 100),
          versions),
      row(service, "BatchGetSecretValue",
          with_page({list_rule("SecretIdList", 1, static_cast<std::int64_t>(kMostBatch)),
                     list_rule("Filters", 0, 10)},
                    static_cast<std::int64_t>(kMostBatch)),
          get_batch)};
}

}  // namespace andon::api::secrets
