// SPDX-License-Identifier: Apache-2.0
#include "control/deployments.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/id.hpp"
#include "control/deployment_check.hpp"
#include "control/deployment_request.hpp"
#include "control/deployment_shadow.hpp"
#include "control/device_jobs.hpp"
#include "control/job_executions.hpp"
#include "control/membership.hpp"
#include "control/request_tokens.hpp"
#include "control/sql_text.hpp"
#include "trust/digest.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kColumns =
    "d.id, d.target, d.revision, d.name, d.parent_target_arn, d.state, d.request, d.created_ms, "
    "(SELECT MAX(o.revision) FROM deployments o WHERE o.target = d.target)";

DeploymentStatus aggregate(store::Transaction& tx, const std::string& id) {
  std::int64_t pending = 0;
  std::int64_t failed = 0;
  std::int64_t succeeded = 0;
  for (const store::Row& row : tx.query(
           "SELECT status, COUNT(*) FROM job_executions WHERE job_id = $1 GROUP BY status", {id})) {
    const auto status = parse_job_status(row.text(0));
    if (!status) throw Error(ErrorCode::data_corrupted, "a stored job has no known status");
    if (!is_terminal(*status)) {
      pending += row.integer(1);
    } else if (*status == JobStatus::succeeded) {
      succeeded += row.integer(1);
    } else if (*status != JobStatus::canceled) {  // those have left the group
      failed += row.integer(1);
    }
  }
  if (pending > 0) return DeploymentStatus::active;
  if (failed > 0) return DeploymentStatus::failed;
  return succeeded > 0 ? DeploymentStatus::completed : DeploymentStatus::active;
}

Deployment read_deployment(store::Transaction& tx, const store::Row& row, const Arns& arns) {
  Deployment deployment;
  deployment.id = row.text(0);
  deployment.target_arn = arns.target(row.text(1));
  deployment.revision = row.integer(2);
  deployment.name = row.text(3);
  deployment.parent_target_arn = row.text(4);
  deployment.request = stored_object(row.text(6));
  deployment.created = stored_time(row.integer(7));
  deployment.is_latest = row.integer(8) == deployment.revision;
  const std::string& state = row.text(5);
  if (state == "CANCELED") {
    deployment.status = DeploymentStatus::canceled;
  } else if (state == "INACTIVE") {
    deployment.status = DeploymentStatus::inactive;
  } else {
    deployment.status = aggregate(tx, deployment.id);
  }
  return deployment;
}

std::optional<Deployment> find_deployment(store::Transaction& tx, const std::string& id,
                                          const Arns& arns) {
  const auto row =
      tx.query_one("SELECT " + std::string(kColumns) + " FROM deployments d WHERE d.id = $1", {id});
  if (!row) return std::nullopt;
  return read_deployment(tx, *row, arns);
}

Deployment require_deployment(store::Transaction& tx, const std::string& id, const Arns& arns) {
  std::optional<Deployment> deployment = find_deployment(tx, id, arns);
  if (!deployment) throw Error(ErrorCode::not_found, "there is no deployment " + id);
  return std::move(*deployment);
}

// The one before is over; answers the devices that were still at it.
std::vector<std::string> supersede(store::Transaction& tx, const std::string& target,
                                   base::Timestamp now) {
  std::vector<std::string> things;
  for (const store::Row& row :
       tx.query("SELECT id FROM deployments WHERE target = $1 AND state = 'CURRENT'", {target})) {
    const auto stopped = cancel_executions(
        tx, row.text(0), "a newer deployment to the same target took its place", now);
    things.insert(things.end(), stopped.begin(), stopped.end());
  }
  tx.execute("UPDATE deployments SET state = 'INACTIVE' WHERE target = $1 AND state = 'CURRENT'",
             {target});
  return things;
}

std::int64_t next_revision(store::Transaction& tx, const std::string& target) {
  tx.execute(
      "INSERT INTO deployment_targets (target, last_revision) VALUES ($1, 1) "
      "ON CONFLICT (target) DO UPDATE SET last_revision = deployment_targets.last_revision + 1",
      {target});
  const auto row =
      tx.query_one("SELECT last_revision FROM deployment_targets WHERE target = $1", {target});
  return row->integer(0);
}

void insert(store::Transaction& tx, const DeploymentRequest& request,
            const recipe::DeploymentDocument& document, std::int64_t revision,
            const std::string& document_text, base::Timestamp now) {
  store::SqlValue timeout;
  if (request.in_progress_timeout) {
    timeout = std::int64_t{
        std::chrono::duration_cast<std::chrono::milliseconds>(*request.in_progress_timeout)
            .count()};
  }
  tx.execute(
      "INSERT INTO deployments (id, target, revision, name, parent_target_arn, state, request, "
      "document, timeout_ms, created_ms) "
      "VALUES ($1, $2, $3, $4, $5, 'CURRENT', $6, $7, $8, $9)",
      {document.deployment_id, request.target.key(), revision, document.deployment_name,
       request.parent_target_arn, base::to_text(request.shown), document_text, timeout,
       to_stored(now)});
  for (const auto& [name, component] : document.components) {
    tx.execute(
        "INSERT INTO deployment_components (deployment_id, name, version) VALUES ($1, $2, $3)",
        {document.deployment_id, name, component.version});
  }
}

}  // namespace

std::string_view to_string(DeploymentStatus status) {
  switch (status) {
    case DeploymentStatus::active:
      return "ACTIVE";
    case DeploymentStatus::completed:
      return "COMPLETED";
    case DeploymentStatus::canceled:
      return "CANCELED";
    case DeploymentStatus::failed:
      return "FAILED";
    case DeploymentStatus::inactive:
      return "INACTIVE";
  }
  throw Error(ErrorCode::internal, "a deployment status has no name");
}

Deployments::Deployments(store::Database& database, DeviceJobs& jobs, const base::Clock& clock,
                         Arns arns)
    : database_(database), jobs_(jobs), clock_(clock), arns_(std::move(arns)) {}

Deployment Deployments::create(const json::object& input) {
  const DeploymentRequest request = parse_deployment_request(input);
  const RequestToken token{"CreateDeployment", request.client_token.value_or(""),
                           trust::sha256_hex(base::to_text(input))};
  const std::string target = request.target.key();
  Deployment made;
  std::vector<std::string> to_notify;
  database_.write([&](store::Transaction& tx) {
    const base::Timestamp now = clock_.now();
    if (request.client_token) {
      if (const auto id = find_result(tx, token, now)) {
        if (auto earlier = find_deployment(tx, *id, arns_)) {
          made = std::move(*earlier);
          return;
        }
      }
    }
    check_deployment(tx, request);

    const std::int64_t revision = next_revision(tx, target);
    recipe::DeploymentDocument document = request.document;
    document.deployment_id = base::random_uuid();
    document.deployment_name =
        request.name.empty() ? "Deployment for " + request.target.name : request.name;
    document.configuration_arn = arns_.configuration(target, revision);
    document.parent_target_arn = request.parent_target_arn;
    document.creation_timestamp_ms = to_stored(now);
    const std::string document_text = base::to_text(recipe::to_json(document));
    const std::vector<std::string> things = things_of(tx, request.target);
    check_document_size(tx, things, document.deployment_id, document_text);

    to_notify = supersede(tx, target, now);
    insert(tx, request, document, revision, document_text, now);
    for (const std::string& thing : things) {
      queue_execution(tx, document.deployment_id, thing, now);
      to_notify.push_back(thing);
    }
    if (request.target.kind == Target::Kind::thing) {
      set_desired_deployment(tx, request.target.name, document_text, "SUCCEEDED", now);
    }
    if (request.client_token) remember_result(tx, token, document.deployment_id, now);
    made = *find_deployment(tx, document.deployment_id, arns_);
  });
  std::sort(to_notify.begin(), to_notify.end());
  to_notify.erase(std::unique(to_notify.begin(), to_notify.end()), to_notify.end());
  for (const std::string& thing : to_notify) jobs_.notify(thing);
  if (request.target.kind == Target::Kind::thing && !to_notify.empty()) {
    jobs_.notify_shadow(request.target.name);
  }
  return made;
}

std::optional<Deployment> Deployments::find(const std::string& id) const {
  std::optional<Deployment> deployment;
  database_.read([&](store::Transaction& tx) { deployment = find_deployment(tx, id, arns_); });
  return deployment;
}

Page<Deployment> Deployments::list(const DeploymentFilter& filter, const PageRequest& page) const {
  Page<Deployment> result;
  std::string target;
  if (!filter.target_arn.empty()) {
    const auto parsed = parse_target_arn(filter.target_arn);
    if (!parsed) {
      throw Error(ErrorCode::invalid_argument,
                  "targetArn: must be the ARN of a thing or a thing group");
    }
    target = parsed->key();
  }
  const auto [before_ms, before_id] = read_time_key(page.after);
  database_.read([&, before = before_ms, id = before_id](store::Transaction& tx) {
    const std::int64_t only_latest =
        filter.history == DeploymentFilter::History::latest_only ? 1 : 0;
    for (const store::Row& row :
         tx.query("SELECT " + std::string(kColumns) +
                      " FROM deployments d WHERE ($1 = '' OR d.target = $1) "
                      "AND ($2 = '' OR d.parent_target_arn = $2) "
                      "AND ($3 = 0 OR d.revision = "
                      "(SELECT MAX(l.revision) FROM deployments l WHERE l.target = d.target)) "
                      "AND (d.created_ms < $4 OR (d.created_ms = $4 AND d.id < $5)) "
                      "ORDER BY d.created_ms DESC, d.id DESC LIMIT $6",
                  {target, filter.parent_target_arn, only_latest, before, id,
                   static_cast<std::int64_t>(page.limit + 1)})) {
      if (result.items.size() == page.limit) {
        const Deployment& last = result.items.back();
        result.next = time_key(to_stored(last.created), last.id);
        break;
      }
      result.items.push_back(read_deployment(tx, row, arns_));
    }
  });
  return result;
}

void Deployments::cancel(const std::string& id) {
  std::vector<std::string> things;
  std::optional<std::string> shadow_of;
  database_.write([&](store::Transaction& tx) {
    const base::Timestamp now = clock_.now();
    const Deployment deployment = require_deployment(tx, id, arns_);
    if (deployment.status != DeploymentStatus::active) {
      throw Error(ErrorCode::conflict, "deployment " + id + " is " +
                                           std::string(to_string(deployment.status)) +
                                           " and cannot be canceled any more");
    }
    things = cancel_executions(tx, id, "canceled by the operator", now);
    tx.execute("UPDATE deployments SET state = 'CANCELED' WHERE id = $1", {id});
    const auto target = parse_target_arn(deployment.target_arn);
    if (target->kind == Target::Kind::thing) {
      const auto row = tx.query_one("SELECT document FROM deployments WHERE id = $1", {id});
      set_desired_deployment(tx, target->name, row->text(0), "CANCELED", now);
      shadow_of = target->name;
    }
  });
  for (const std::string& thing : things) jobs_.notify(thing);
  if (shadow_of) jobs_.notify_shadow(*shadow_of);
}

void Deployments::remove(const std::string& id) {
  database_.write([&](store::Transaction& tx) {
    const Deployment deployment = require_deployment(tx, id, arns_);
    if (deployment.status == DeploymentStatus::active) {
      throw Error(ErrorCode::conflict,
                  "deployment " + id + " is ACTIVE; cancel it before deleting it");
    }
    tx.execute("DELETE FROM deployments WHERE id = $1", {id});
    tx.execute("DELETE FROM tags WHERE arn = $1", {arns_.deployment(id)});
  });
}

}  // namespace andon::control
