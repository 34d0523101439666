// SPDX-License-Identifier: Apache-2.0
#include "api/events/own_events.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "api/sagemaker/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_members.hpp"
#include "base/text/number.hpp"
#include "control/shared/own_events.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using control::OutboxEntry;
using events::Event;

constexpr std::size_t kMostData = 248'000;  // of an execution's input and output
constexpr int kSequencerDigits = 16;

json::object object_of(const std::string& text) {
  auto value = base::parse_json(text, "a row of the outbox");
  if (auto* object = value.if_object()) return std::move(*object);
  return {};
}

json::value time_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return nullptr;
  return json::string(base::to_iso8601(base::from_epoch_millis(value->to_number<std::int64_t>())));
}

Event model_event(const OutboxEntry& entry, const fleet::Arns& arns) {
  const std::size_t slash = entry.subject.rfind('/');
  const control::ModelPackageId id{entry.subject.substr(0, slash),
                                   base::parse_int64(entry.subject.substr(slash + 1)).value_or(0)};
  json::object payload = object_of(entry.payload);
  const std::string arn = package_arn(arns, id);
  json::object detail;
  if (const auto* content = payload.if_contains("content");
      content != nullptr && content->is_object()) {
    detail = content->get_object();
  }
  if (id.is_versioned()) {
    detail["ModelPackageGroupName"] = id.name;
    detail["ModelPackageVersion"] = id.version;
    detail["ModelApprovalStatus"] = payload["approval"];
  }
  detail["ModelPackageName"] = entry.subject;
  detail["ModelPackageArn"] = arn;
  detail["ModelPackageStatus"] = "Completed";
  detail["ModelPackageStatusDetails"] = json::object{{"ValidationStatuses", json::array()}};
  detail["CreationTime"] = time_of(payload, "created");
  detail["LastModifiedTime"] = time_of(payload, "modified");
  if (!base::text_at(payload, "approvalDescription").empty()) {
    detail["ApprovalDescription"] = payload["approvalDescription"];
  }
  return {.source = "aws.sagemaker",
          .detail_type = "SageMaker Model Package State Change",
          .resources = {arn},
          .detail = std::move(detail),
          .time = entry.created};
}

// A list that a job's details hold as text.
json::array list_of(const json::object& details, std::string_view key) {
  const std::string text = base::text_at(details, key);
  if (text.empty()) return {};
  try {
    auto value = base::parse_json(text, "a list");
    if (auto* list = value.if_array()) return std::move(*list);
  } catch (const base::Error&) {
    // Some devices send a word.
  }
  return {json::string(text)};
}

Event deployment_event(const OutboxEntry& entry, const fleet::Arns& arns) {
  const json::object payload = object_of(entry.payload);
  const auto* given = payload.if_contains("details");
  const json::object details =
      given != nullptr && given->is_object() ? given->get_object() : json::object();
  const std::string status = base::text_at(payload, "status");
  return {.source = "aws.greengrass",
          .detail_type = "Greengrass V2 Effective Deployment Status Change",
          .resources = {arns.core_device(entry.subject)},
          .detail = {{"deployment-id", base::text_at(payload, "deployment")},
                     {"coreDeviceExecutionStatus", status},
                     {"reason", status == "SUCCEEDED" ? "SUCCESSFUL"
                                : base::text_at(details, "deployment-failure-cause").empty()
                                    ? status
                                    : base::text_at(details, "deployment-failure-cause")},
                     {"statusDetails",
                      json::object{{"errorStack", list_of(details, "deployment-error-stack")},
                                   {"errorTypes", list_of(details, "deployment-error-types")}}}},
          .time = entry.created};
}

Event components_event(const OutboxEntry& entry, const fleet::Arns& arns) {
  return {.source = "aws.greengrass",
          .detail_type = "Greengrass V2 Installed Component Status Change",
          .resources = {arns.core_device(entry.subject)},
          .detail = object_of(entry.payload),
          .time = entry.created};
}

Event device_event(const OutboxEntry& entry, const fleet::Arns& arns) {
  json::object detail = object_of(entry.payload);
  detail["thingName"] = entry.subject;
  return {.source = "andon.devices",
          .detail_type = "Device State Change",
          .resources = {arns.thing(entry.subject)},
          .detail = std::move(detail),
          .time = entry.created};
}

Event alarm_event(const OutboxEntry& entry, const fleet::Arns& arns) {
  json::object detail = object_of(entry.payload);
  if (!entry.subject.empty()) detail["thingName"] = entry.subject;
  return {.source = "andon.alarms",
          .detail_type = "Alarm State Change",
          .resources = entry.subject.empty() ? std::vector<std::string>{}
                                             : std::vector{arns.thing(entry.subject)},
          .detail = std::move(detail),
          .time = entry.created};
}

struct Row {
  std::string_view kind;
  Event (*made)(const OutboxEntry&, const fleet::Arns&);
};
constexpr std::array kRows = {
    Row{control::kModelEvent, model_event}, Row{control::kDeploymentEvent, deployment_event},
    Row{control::kComponentsEvent, components_event}, Row{control::kDeviceEvent, device_event},
    Row{control::kAlarmEvent, alarm_event}};

json::value maybe(const std::optional<std::string>& text) {
  return text ? json::value(json::string(*text)) : json::value();
}

}  // namespace

std::optional<Event> own_event(const OutboxEntry& entry, const fleet::Arns& arns) {
  for (const Row& row : kRows) {
    if (row.kind == entry.kind) return row.made(entry, arns);
  }
  return std::nullopt;
}

std::optional<Event> own_event(const workflow::StatusChange& change) {
  if (!change.execution) return std::nullopt;
  const workflow::Execution& execution = *change.execution;
  const bool is_running = change.status == "RUNNING";
  const std::string output = is_running ? "" : execution.output.value_or("");
  const bool has_data = execution.input.size() + output.size() <= kMostData;
  json::object detail{
      {"executionArn", execution.arn},
      {"stateMachineArn", execution.machine},
      {"name", execution.name},
      {"status", change.status},
      {"startDate", base::to_epoch_millis(execution.started)},
      {"stopDate", is_running ? json::value() : json::value(base::to_epoch_millis(change.at))},
      {"input", has_data ? json::value(json::string(execution.input)) : json::value()},
      {"output", has_data && !is_running ? maybe(execution.output) : json::value()},
      {"inputDetails", json::object{{"included", has_data}}},
      {"outputDetails", is_running || !execution.output
                            ? json::value()
                            : json::value(json::object{{"included", has_data}})},
      {"error", is_running ? json::value() : maybe(execution.error)},
      {"cause", is_running ? json::value() : maybe(execution.cause)}};
  if (!execution.version_arn.empty()) detail["stateMachineVersionArn"] = execution.version_arn;
  if (!execution.alias_arn.empty()) detail["stateMachineAliasArn"] = execution.alias_arn;
  return Event{.source = "aws.states",
               .detail_type = "Step Functions Execution Status Change",
               .resources = {execution.arn},
               .detail = std::move(detail),
               .time = change.at};
}

Event own_event(const store::ObjectChange& change, const fleet::Arns& arns) {
  // Rises from change to change of a key, as text.
  std::string sequencer = std::to_string(change.position);
  sequencer.insert(0,
                   static_cast<std::size_t>(
                       std::max<int>(0, kSequencerDigits - static_cast<int>(sequencer.size()))),
                   '0');
  json::object object{{"key", change.key}, {"sequencer", sequencer}};
  json::object detail{{"version", "0"},
                      {"bucket", json::object{{"name", change.bucket}}},
                      {"request-id", sequencer},
                      {"requester", arns.account()}};
  if (change.is_created) {
    object["size"] = change.size;
    object["etag"] = change.etag;
    // An object of several parts says how many behind its digest.
    detail["reason"] =
        change.etag.find('-') != std::string::npos ? "CompleteMultipartUpload" : "PutObject";
  } else {
    detail["reason"] = "DeleteObject";
    detail["deletion-type"] = "Permanently Deleted";
  }
  detail["object"] = std::move(object);
  return {.source = "aws.s3",
          .detail_type = change.is_created ? "Object Created" : "Object Deleted",
          .resources = {"arn:aws:s3:::" + change.bucket},
          .detail = std::move(detail),
          .time = change.at};
}

}  // namespace andon::api
