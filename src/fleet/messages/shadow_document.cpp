// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/shadow_document.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "fleet/messages/job_message.hpp"

namespace andon::fleet {

using base::Error;
using base::ErrorCode;

json::object make_desired(std::string_view document, JobStatus wanted) {
  return {{"fleetConfig", document}, {"desiredStatus", to_string(wanted)}};
}

json::object to_json(const ShadowReport& report) {
  return {{"fleetConfigurationArnForStatus", report.configuration_arn},
          {"status", to_string(report.outcome.status)},
          {"statusDetails", to_json(report.outcome.details)}};
}

std::optional<ShadowReport> read_shadow_report(const json::object& reported) {
  const base::JsonReader reader(reported, "state.reported");
  const auto arn = reader.optional_string("fleetConfigurationArnForStatus");
  const auto text = reader.optional_string("status");
  if (!arn || !text) return std::nullopt;
  const auto status = parse_job_status(*text);
  if (!status || *status == JobStatus::queued || *status == JobStatus::timed_out) {
    throw Error(ErrorCode::invalid_argument, "state.reported.status: \"" + cut_text(*text, 64) +
                                                 "\" is not a status that a device reports");
  }
  ShadowReport report{*arn, {*status, {}}};
  if (const json::object* object = reader.optional_object("statusDetails")) {
    report.outcome.details =
        read_deployment_details(base::JsonReader(*object, "state.reported.statusDetails"));
  }
  return report;
}

ShadowUpdate read_shadow_update(const json::object& request) {
  const base::JsonReader reader(request, "shadow");
  const json::object* reported = reader.child("state").optional_object("reported");
  if (reported == nullptr) {
    throw Error(ErrorCode::invalid_argument, "state.reported: is missing");
  }
  return {*reported, reader.optional_integer("version")};
}

json::object make_shadow(json::object state, std::int64_t version, base::Timestamp now) {
  return {{"state", std::move(state)}, {"version", version}, {"timestamp", to_job_seconds(now)}};
}

json::object make_shadow_rejection(int code, std::string_view message, base::Timestamp now) {
  return {{"code", code}, {"message", message}, {"timestamp", to_job_seconds(now)}};
}

}  // namespace andon::fleet
