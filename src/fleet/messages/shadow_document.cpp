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

std::optional<DesiredDeployment> read_desired_deployment(std::string_view payload) {
  const json::value value = base::parse_json(payload, "shadow", kFromServer);
  const base::JsonReader shadow(value, "shadow");
  const base::JsonReader state = shadow.child_or_empty("state");
  const base::JsonReader desired = state.child_or_empty("desired");
  const auto document = desired.optional_string("fleetConfig");
  const auto wanted = desired.optional_string("desiredStatus");
  if (!document || !wanted) return std::nullopt;
  DesiredDeployment deployment;
  deployment.document = *document;
  const json::value parsed = base::parse_json(*document, "fleetConfig", kFromServer);
  // Greengrass reads the document's keys in any case.
  deployment.configuration_arn =
      base::JsonReader(parsed, "fleetConfig", {.keys = base::JsonReading::Keys::any_case})
          .required_text("configurationArn");
  deployment.is_cancelled = *wanted == to_string(JobStatus::canceled);
  deployment.version = shadow.optional_integer("version").value_or(0);
  const base::JsonReader reported = state.child_or_empty("reported");
  const auto status = reported.optional_string("status");
  deployment.has_ended =
      status && *status != to_string(JobStatus::in_progress) &&
      reported.optional_string("fleetConfigurationArnForStatus") == deployment.configuration_arn;
  return deployment;
}

json::object make_report_update(const ShadowReport& report) {
  return {{"state", json::object{{"reported", to_json(report)}}}};
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
