// SPDX-License-Identifier: Apache-2.0
#include "control/deployment_shadow.hpp"

#include <utility>

#include "base/error.hpp"
#include "control/arn.hpp"
#include "control/device_jobs.hpp"
#include "control/job_executions.hpp"
#include "control/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

struct StoredShadow {
  std::int64_t version = 0;
  json::object desired;
  json::object reported;
};

std::optional<StoredShadow> find_shadow(store::Transaction& tx, const std::string& thing) {
  const auto row = tx.query_one(
      "SELECT version, desired, reported FROM deployment_shadows WHERE thing = $1", {thing});
  if (!row) return std::nullopt;
  return StoredShadow{row->integer(0), stored_object(row->text(1)), stored_object(row->text(2))};
}

void store_shadow(store::Transaction& tx, const std::string& thing, const StoredShadow& shadow,
                  base::Timestamp now) {
  tx.execute(
      "INSERT INTO deployment_shadows (thing, version, desired, reported, updated_ms) "
      "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (thing) DO UPDATE SET "
      "version = excluded.version, desired = excluded.desired, reported = excluded.reported, "
      "updated_ms = excluded.updated_ms",
      {thing, shadow.version, base::to_text(shadow.desired), base::to_text(shadow.reported),
       to_stored(now)});
}

ShadowReply rejected(int code, std::string_view message, const json::object& request,
                     base::Timestamp now) {
  json::object payload{{"code", code}, {"message", message}, {"timestamp", to_job_seconds(now)}};
  if (const json::value* token = request.if_contains("clientToken"))
    payload["clientToken"] = *token;
  return {false, std::move(payload)};
}

// What the device reports as the update of a job; nothing where it is not about one.
struct ReportedJob {
  std::string configuration_arn;
  JobUpdate update;
};
std::optional<ReportedJob> read_report(const json::object& reported) {
  const base::JsonReader reader(reported, "state.reported");
  const auto arn = reader.optional_string("fleetConfigurationArnForStatus");
  const auto text = reader.optional_string("status");
  if (!arn || !text) return std::nullopt;
  const auto status = parse_job_status(*text);
  if (!status || *status == JobStatus::queued || *status == JobStatus::timed_out) {
    throw Error(ErrorCode::invalid_argument,
                "state.reported.status: \"" + *text + "\" is not a status that a device reports");
  }
  ReportedJob job{*arn, {*status, {}, {}}};
  if (const json::object* object = reader.optional_object("statusDetails")) {
    const base::JsonReader details(*object, "state.reported.statusDetails");
    const auto copy = [&](std::string_view from, std::string_view to) {
      const auto value = details.optional_string(from);
      if (value && !value->empty()) job.update.status_details[std::string(to)] = *value;
    };
    copy("detailedStatus", kDetailedStatus);
    copy("failureCause", kFailureCause);
    const auto copy_list = [&](std::string_view from, std::string_view to) {
      const json::array* list = details.optional_array(from);
      if (list && !list->empty()) job.update.status_details[std::string(to)] = base::to_text(*list);
    };
    copy_list("errorStack", kErrorStack);
    copy_list("errorTypes", kErrorTypes);
  }
  return job;
}

}  // namespace

void set_desired_deployment(store::Transaction& tx, const std::string& thing,
                            const std::string& document, std::string_view desired_status,
                            base::Timestamp now) {
  StoredShadow shadow = find_shadow(tx, thing).value_or(StoredShadow{});
  ++shadow.version;
  shadow.desired = {{"fleetConfig", document}, {"desiredStatus", desired_status}};
  store_shadow(tx, thing, shadow, now);
}

void set_reported_status(store::Transaction& tx, const std::string& thing,
                         const json::object& reported, base::Timestamp now) {
  std::optional<StoredShadow> shadow = find_shadow(tx, thing);
  if (!shadow) return;
  ++shadow->version;
  for (const auto& member : reported) shadow->reported[member.key()] = member.value();
  store_shadow(tx, thing, *shadow, now);
}

std::optional<json::object> read_shadow(store::Transaction& tx, const std::string& thing,
                                        base::Timestamp now) {
  std::optional<StoredShadow> shadow = find_shadow(tx, thing);
  if (!shadow) return std::nullopt;
  return json::object{
      {"state",
       {{"desired", std::move(shadow->desired)}, {"reported", std::move(shadow->reported)}}},
      {"version", shadow->version},
      {"timestamp", to_job_seconds(now)}};
}

DeploymentShadow::DeploymentShadow(store::Database& database, DeviceJobs& jobs,
                                   const base::Clock& clock)
    : database_(database), jobs_(jobs), clock_(clock) {}

ShadowReply DeploymentShadow::get(const std::string& thing, const json::object& request) const {
  std::optional<json::object> shadow;
  database_.read([&](store::Transaction& tx) { shadow = read_shadow(tx, thing, clock_.now()); });
  if (!shadow) {
    return rejected(404, "No shadow exists with name: '" + std::string(kDeploymentShadow) + "'",
                    request, clock_.now());
  }
  if (const json::value* token = request.if_contains("clientToken")) {
    (*shadow)["clientToken"] = *token;
  }
  return {true, std::move(*shadow)};
}

ShadowReply DeploymentShadow::update(const std::string& thing, const json::object& request) {
  ShadowReply reply;
  bool job_ended = false;
  try {
    const base::JsonReader reader(request, "shadow");
    const json::object* reported = reader.child("state").optional_object("reported");
    if (reported == nullptr) {
      throw Error(ErrorCode::invalid_argument, "state.reported: is missing");
    }
    const auto expected = reader.optional_integer("version");
    const std::optional<ReportedJob> job = read_report(*reported);
    database_.write([&](store::Transaction& tx) {
      const base::Timestamp now = clock_.now();
      std::optional<StoredShadow> shadow = find_shadow(tx, thing);
      if (!shadow) {
        reply = rejected(404, "there is no deployment for this thing", request, now);
        return;
      }
      if (expected && *expected != shadow->version) {
        reply = rejected(409, "Version conflict", request, now);
        return;
      }
      ++shadow->version;
      for (const auto& member : *reported) {
        if (member.value().is_null()) {
          shadow->reported.erase(member.key());
        } else {
          shadow->reported[member.key()] = member.value();
        }
      }
      store_shadow(tx, thing, *shadow, now);
      const auto configuration =
          job ? parse_configuration_arn(job->configuration_arn) : std::nullopt;
      if (configuration && configuration->target.key() == "thing/" + thing) {
        const auto row =
            tx.query_one("SELECT id FROM deployments WHERE target = $1 AND revision = $2",
                         {configuration->target.key(), configuration->revision});
        auto execution = row ? find_execution(tx, row->text(0), thing) : std::nullopt;
        if (execution && may_move(execution->status, job->update.status)) {
          execution->status = job->update.status;
          execution->status_details = job->update.status_details;
          change_execution(tx, *execution, now);
          job_ended = is_terminal(execution->status);
        }
      }
      reply.payload = {{"state", {{"reported", *reported}}},
                       {"version", shadow->version},
                       {"timestamp", to_job_seconds(now)}};
      if (const json::value* token = request.if_contains("clientToken")) {
        reply.payload["clientToken"] = *token;
      }
    });
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    return rejected(400, error.message(), request, clock_.now());
  }
  if (job_ended) jobs_.notify(thing);
  return reply;
}

}  // namespace andon::control
