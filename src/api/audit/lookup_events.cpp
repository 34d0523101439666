// SPDX-License-Identifier: Apache-2.0
// cloudtrail:LookupEvents (model 2013-11-01) and the records of CloudTrail (version 1.08).
#include <chrono>
#include <cmath>
#include <utility>

#include "api/audit/audit.hpp"
#include "api/constraints/constraints.hpp"
#include "api/table/members.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/number.hpp"

namespace andon::api {
namespace {

using control::AuditAccess;
using control::AuditEntry;
using control::AuditEvent;
using control::AuditLog;

constexpr std::int64_t kMostResults = 50;
constexpr std::int64_t kMostValue = 2000;
constexpr double kMillis = 1000;
constexpr double kLatest = 253'402'300'799;  // the end of the year 9999
constexpr std::string_view kDomain = ".amazonaws.com";

ServiceError wrong_attribute(const std::string& message) {
  return {400, "InvalidLookupAttributesException", message};
}

std::optional<std::int64_t> read_time(const json::object& input, std::string_view key) {
  const base::JsonReader reader(input, "", {.separator = ": "});
  const auto seconds = reader.optional_number(key);
  if (!seconds) return std::nullopt;
  if (!(*seconds >= 0 && *seconds <= kLatest)) {
    throw ServiceError(400, "InvalidTimeRangeException",
                       std::string(key) + ": must be seconds since 1970");
  }
  return static_cast<std::int64_t>(std::floor(*seconds * kMillis));
}

// The one attribute that AWS allows, in the filter; the id of an event by itself.
std::optional<std::string> read_attribute(const json::object& input, control::AuditFilter& filter) {
  const json::value* list = input.if_contains("LookupAttributes");
  if (list == nullptr || list->is_null() || list->as_array().empty()) return std::nullopt;
  if (list->as_array().size() > 1) {
    throw wrong_attribute("LookupAttributes: can hold one attribute only");
  }
  const auto* attribute = list->as_array().front().if_object();
  if (attribute == nullptr) throw wrong_attribute("LookupAttributes: must hold objects");
  check_members(*attribute,
                {rules::needed(rules::text("AttributeKey", 1, kMostValue)),
                 rules::needed(rules::text("AttributeValue", 1, kMostValue))},
                "InvalidLookupAttributesException");
  const std::string key = required_text(*attribute, "AttributeKey");
  std::string value = required_text(*attribute, "AttributeValue");
  if (key == "EventId") return value;
  if (key == "EventName") {
    filter.operation = std::move(value);
  } else if (key == "Username") {
    filter.who = std::move(value);
  } else if (key == "ResourceName") {
    filter.resource = std::move(value);
  } else if (key == "EventSource") {
    if (value.ends_with(kDomain)) value.resize(value.size() - kDomain.size());
    filter.service = std::move(value);
  } else if (key == "AccessKeyId") {
    filter.access_key_id = std::move(value);
  } else if (key == "ReadOnly") {
    if (value != "true" && value != "false") {
      throw wrong_attribute("AttributeValue: of ReadOnly must be true or false");
    }
    filter.access = value == "true" ? AuditAccess::read : AuditAccess::write;
  } else {
    throw wrong_attribute("AttributeKey: '" + key.substr(0, 100) +
                          "' is none that this server knows: EventId, EventName, EventSource, "
                          "Username, ResourceName (an ARN), AccessKeyId, ReadOnly");
  }
  return std::nullopt;
}

std::optional<AuditEntry> find_event(const AuditLog& log, const std::string& id) {
  const std::size_t dash = id.rfind('-');
  if (dash == std::string::npos) return std::nullopt;
  const auto sequence = base::parse_int64(id.substr(dash + 1), 16);
  if (!sequence) return std::nullopt;
  auto entry = log.find(*sequence);
  if (!entry || entry->event_id() != id) return std::nullopt;
  return entry;
}

std::string source_of(const AuditEvent& event) {
  return event.service == "andon" ? "andon" : event.service + std::string(kDomain);
}

json::object identity_of(const AuditEvent& event, const std::string& account) {
  const auto type = [&]() -> std::string_view {
    if (event.principal.starts_with("role/")) return "AssumedRole";
    if (event.principal.starts_with("user/")) return "IAMUser";
    if (event.principal == "operator") return "Root";
    return "Unknown";
  };
  json::object identity{{"type", type()}, {"accountId", account}};
  put_unless_empty(identity, "principalId", event.principal);
  put_unless_empty(identity, "arn", event.principal_arn);
  put_unless_empty(identity, "accessKeyId", event.access_key_id);
  put_unless_empty(identity, "userName", event.name);
  return identity;
}

std::string cloudtrail_record(const AuditEntry& entry, const fleet::Arns& arns) {
  const AuditEvent& event = entry.event;
  const std::string& account = arns.account();
  const auto time = std::chrono::floor<std::chrono::seconds>(event.time);
  std::string when = base::to_iso8601(time);
  when.replace(when.find('.'), std::string::npos, "Z");
  json::object record{{"eventVersion", "1.08"},
                      {"userIdentity", identity_of(event, account)},
                      {"eventTime", when},
                      {"eventSource", source_of(event)},
                      {"eventName", event.operation},
                      {"awsRegion", event.region.empty() ? arns.region() : event.region}};
  put_unless_empty(record, "sourceIPAddress", event.address);
  put_unless_empty(record, "userAgent", event.user_agent);
  put_unless_empty(record, "errorCode", event.error_code);
  put_unless_empty(record, "requestID", event.request_id);
  record["eventID"] = entry.event_id();
  record["readOnly"] = event.access == AuditAccess::read;
  json::array resources;
  for (const std::string& resource : event.resources) {
    resources.emplace_back(json::object{{"accountId", account}, {"ARN", resource}});
  }
  record["resources"] = std::move(resources);
  record["eventType"] = "AwsApiCall";
  record["recipientAccountId"] = account;
  json::object more{{"sequence", entry.sequence},
                    {"hash", entry.hash},
                    {"via", event.via},
                    {"outcome", control::to_string(event.outcome)}};
  put_unless_empty(more, "session", event.session);
  put_unless_empty(more, "madeAccessKeyId", event.made_access_key_id);
  put_unless_empty(more, "decision", event.decision);
  put_unless_empty(more, "detail", event.detail);
  if (event.count != 1) more["count"] = event.count;
  record["additionalEventData"] = std::move(more);
  return base::to_text(record);
}

json::object described(const AuditEntry& entry, const fleet::Arns& arns) {
  const AuditEvent& event = entry.event;
  json::object told{{"EventId", entry.event_id()},
                    {"EventName", event.operation},
                    {"ReadOnly", event.access == AuditAccess::read ? "true" : "false"},
                    {"EventTime", base::to_epoch_seconds(event.time)},
                    {"EventSource", source_of(event)}};
  put_unless_empty(told, "AccessKeyId", event.access_key_id);
  put_unless_empty(told, "Username", event.session.empty() ? event.name : event.session);
  json::array resources;
  for (const std::string& resource : event.resources) {
    resources.emplace_back(json::object{{"ResourceName", resource}});
  }
  told["Resources"] = std::move(resources);
  told["CloudTrailEvent"] = cloudtrail_record(entry, arns);
  return told;
}

json::value lookup_events(const AuditLog& log, const fleet::Arns& arns, const json::object& input) {
  check_members(input, {rules::list_rule("LookupAttributes")}, "InvalidLookupAttributesException");
  check_members(input, {rules::number("MaxResults", 1, kMostResults)},
                "InvalidMaxResultsException");
  check_members(input, {rules::text("NextToken", 0, kMostValue)}, "InvalidNextTokenException");
  control::AuditRead wanted{.limit = static_cast<std::size_t>(
                                optional_number(input, "MaxResults").value_or(kMostResults))};
  const auto id = read_attribute(input, wanted.filter);
  if (const auto from = read_time(input, "StartTime")) wanted.filter.from_ms = *from;
  if (const auto until = read_time(input, "EndTime")) wanted.filter.until_ms = *until + 1;
  if (wanted.filter.from_ms >= wanted.filter.until_ms) {
    throw ServiceError(400, "InvalidTimeRangeException", "StartTime: is later than EndTime");
  }
  json::array events;
  if (id) {
    const auto entry = find_event(log, *id);
    if (entry) events.push_back(described(*entry, arns));
    return json::object{{"Events", std::move(events)}};
  }
  if (const auto token = maybe_text(input, "NextToken"); token && !token->empty()) {
    wanted.place = read_audit_token(*token);
    if (!wanted.place) {
      throw ServiceError(400, "InvalidNextTokenException",
                         "NextToken: is not one that this operation gave");
    }
  }
  const control::AuditPage found = log.list(wanted);
  for (const AuditEntry& entry : found.entries) events.push_back(described(entry, arns));
  json::object output{{"Events", std::move(events)}};
  if (found.next) output["NextToken"] = to_audit_token(*found.next);
  return output;
}

}  // namespace

Operation lookup_events_operation(const AuditLog& log, const fleet::Arns& arns) {
  return {"cloudtrail",
          "LookupEvents",
          Protocol::aws_json_1_1,
          "",
          "",
          200,
          [&log, &arns](const OperationContext& context) -> json::value {
            return lookup_events(log, arns, context.input);
          }};
}

}  // namespace andon::api
