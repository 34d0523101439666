// SPDX-License-Identifier: Apache-2.0
#include "control/deployments/deployment_shadow.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "control/deployments/device_jobs.hpp"
#include "control/deployments/job_executions.hpp"
#include "control/shared/arn.hpp"
#include "control/shared/outbox.hpp"
#include "control/shared/sql_text.hpp"
#include "fleet/names/topic.hpp"

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

// Devices ignore an answer whose token differs.
void put_token(json::object& payload, const json::object& request) {
  if (const json::value* token = request.if_contains("clientToken")) {
    payload["clientToken"] = *token;
  }
}

ShadowReply rejected(int code, std::string_view message, const json::object& request,
                     base::Timestamp now) {
  json::object payload = fleet::make_shadow_rejection(code, message, now);
  put_token(payload, request);
  return {false, std::move(payload)};
}

}  // namespace

void set_desired_deployment(store::Transaction& tx, const std::string& thing,
                            const std::string& document, JobStatus wanted, base::Timestamp now) {
  StoredShadow shadow = find_shadow(tx, thing).value_or(StoredShadow{});
  ++shadow.version;
  shadow.desired = fleet::make_desired(document, wanted);
  store_shadow(tx, thing, shadow, now);
}

void set_reported_status(store::Transaction& tx, const std::string& thing,
                         const fleet::ShadowReport& report, base::Timestamp now) {
  std::optional<StoredShadow> shadow = find_shadow(tx, thing);
  if (!shadow) return;
  ++shadow->version;
  for (const auto& member : fleet::to_json(report)) {
    shadow->reported[member.key()] = member.value();
  }
  store_shadow(tx, thing, *shadow, now);
}

std::optional<json::object> read_shadow(store::Transaction& tx, const std::string& thing,
                                        base::Timestamp now) {
  std::optional<StoredShadow> shadow = find_shadow(tx, thing);
  if (!shadow) return std::nullopt;
  return fleet::make_shadow(
      {{"desired", std::move(shadow->desired)}, {"reported", std::move(shadow->reported)}},
      shadow->version, now);
}

DeploymentShadow::DeploymentShadow(store::Database& database, Outbox& outbox,
                                   const base::Clock& clock)
    : database_(database), outbox_(outbox), clock_(clock) {}

ShadowReply DeploymentShadow::get(const std::string& thing, const json::object& request) const {
  std::optional<json::object> shadow;
  database_.read([&](store::Transaction& tx) { shadow = read_shadow(tx, thing, clock_.now()); });
  if (!shadow) {
    return rejected(404,
                    "No shadow exists with name: '" + std::string(fleet::kDeploymentShadow) + "'",
                    request, clock_.now());
  }
  put_token(*shadow, request);
  return {true, std::move(*shadow)};
}

ShadowReply DeploymentShadow::update(const std::string& thing, const json::object& request) {
  ShadowReply reply;
  bool job_ended = false;
  try {
    const fleet::ShadowUpdate update = fleet::read_shadow_update(request);
    const auto report = fleet::read_shadow_report(update.reported);
    database_.write([&](store::Transaction& tx) {
      const base::Timestamp now = clock_.now();
      std::optional<StoredShadow> shadow = find_shadow(tx, thing);
      if (!shadow) {
        reply = rejected(404, "there is no deployment for this thing", request, now);
        return;
      }
      if (update.version && *update.version != shadow->version) {
        reply = rejected(409, "Version conflict", request, now);
        return;
      }
      ++shadow->version;
      for (const auto& member : update.reported) {
        if (member.value().is_null()) {
          shadow->reported.erase(member.key());
        } else {
          shadow->reported[member.key()] = member.value();
        }
      }
      store_shadow(tx, thing, *shadow, now);
      const auto configuration =
          report ? parse_configuration_arn(report->configuration_arn) : std::nullopt;
      if (configuration && configuration->target.key() == "thing/" + thing) {
        const auto row =
            tx.query_one("SELECT id FROM deployments WHERE target = $1 AND revision = $2",
                         {configuration->target.key(), configuration->revision});
        auto execution = row ? find_execution(tx, row->text(0), thing) : std::nullopt;
        if (execution && may_move(execution->status, report->outcome.status)) {
          execution->status = report->outcome.status;
          execution->status_details = fleet::to_job_details(report->outcome.details);
          change_execution(tx, *execution, now);
          job_ended = is_terminal(execution->status);
          if (job_ended) Outbox::append(tx, kJobsChanged, thing, now);
        }
      }
      reply.payload = fleet::make_shadow({{"reported", update.reported}}, shadow->version, now);
      put_token(reply.payload, request);
    });
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    return rejected(400, error.message(), request, clock_.now());
  }
  if (job_ended) outbox_.wake();
  return reply;
}

}  // namespace andon::control
