// SPDX-License-Identifier: Apache-2.0
#include "api/device/broker_refusals.hpp"

#include <array>
#include <string>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"

namespace andon::api {
namespace {

using control::AuditEvent;

constexpr std::size_t kMost = 100;
constexpr base::JsonLimits kLimits{.max_bytes = 1U << 20U, .max_depth = 4};

AuditEvent refused(base::Timestamp time, std::string_view operation) {
  return {.time = time,
          .via = std::string(control::audit_via::kBroker),
          .service = "mqtt",
          .operation = std::string(operation),
          .outcome = control::AuditOutcome::denied};
}

std::string_view operation_of(const std::string& kind) {
  if (kind == "publish") return "Publish";
  if (kind == "subscribe") return "Subscribe";
  return "Connect";
}

AuditEvent read_one(const base::JsonReader& reader, base::Timestamp now) {
  const auto text = [&](std::string_view key) { return reader.optional_string(key).value_or(""); };
  AuditEvent event = refused(now, operation_of(text("kind")));
  event.name = text("principal");
  if (!event.name.empty()) event.principal = "thing/" + event.name;
  if (event.name.empty()) event.name = text("clientId");
  event.address = text("address");
  event.error_code = "NotAuthorized";
  if (const std::string topic = text("topic"); !topic.empty()) {
    event.resources.push_back("topic/" + topic);
  }
  event.detail = text("reason");
  if (const std::string certificate = text("fingerprint"); !certificate.empty()) {
    event.resources.push_back("cert/" + certificate);
  }
  return event;
}

}  // namespace

std::vector<AuditEvent> read_broker_refusals(std::string_view message, base::Timestamp now) {
  std::vector<AuditEvent> events;
  try {
    const base::json::value document = base::parse_json(message, "refusals", kLimits);
    const base::JsonReader reader(document, "");
    for (const base::JsonReader& one : reader.children("refusals")) {
      if (events.size() == kMost) break;
      events.push_back(read_one(one, now));
    }
    const std::int64_t left_out = reader.optional_integer("leftOut").value_or(0);
    if (left_out > 0) {
      AuditEvent event = refused(now, "RefusalsNotRecorded");
      event.count = static_cast<std::uint64_t>(left_out);
      events.push_back(std::move(event));
    }
  } catch (const base::Error&) {
    events.clear();
  }
  return events;
}

}  // namespace andon::api
