// SPDX-License-Identifier: Apache-2.0
#include "control/deployments/deployments.hpp"

#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/id.hpp"
#include "control/deployments/deployment_end.hpp"
#include "control/deployments/deployment_shadow.hpp"
#include "control/deployments/job_executions.hpp"
#include "control/deployments/rollouts.hpp"
#include "control/requests/deployment_check.hpp"
#include "control/requests/deployment_request.hpp"
#include "control/shared/outbox.hpp"
#include "control/shared/request_tokens.hpp"
#include "control/shared/sql_text.hpp"
#include "control/shared/tags.hpp"
#include "trust/digests/digest.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

// The last four: is there a device that has still to get it, one that has still to finish, one on
// which it failed, one on which it succeeded? Each is one look into an index, however many devices
// there are. Those that are CANCELED have left the group.
constexpr std::string_view kColumns =
    "d.id, d.target, d.revision, d.name, d.parent_target_arn, d.state, d.request, d.created_ms, "
    "d.is_latest, d.ended_reason, "
    "EXISTS (SELECT 1 FROM rollouts r WHERE r.deployment_id = d.id), "
    "EXISTS (SELECT 1 FROM job_executions p WHERE p.job_id = d.id "
    "AND p.status IN ('IN_PROGRESS', 'QUEUED')), "
    "EXISTS (SELECT 1 FROM job_executions f WHERE f.job_id = d.id "
    "AND f.status IN ('FAILED', 'REJECTED', 'TIMED_OUT')), "
    "EXISTS (SELECT 1 FROM job_executions s WHERE s.job_id = d.id AND s.status = 'SUCCEEDED')";

DeploymentStatus aggregate(const store::Row& row) {
  if (row.integer(10) != 0 || row.integer(11) != 0) return DeploymentStatus::active;
  if (row.integer(12) != 0) return DeploymentStatus::failed;
  return row.integer(13) != 0 ? DeploymentStatus::completed : DeploymentStatus::active;
}

Deployment read_deployment(const store::Row& row, const Arns& arns) {
  Deployment deployment;
  deployment.id = row.text(0);
  deployment.target_arn = arns.target(row.text(1));
  deployment.revision = row.integer(2);
  deployment.name = row.text(3);
  deployment.parent_target_arn = row.text(4);
  deployment.request = stored_object(row.text(6));
  deployment.created = stored_time(row.integer(7));
  deployment.is_latest = row.integer(8) != 0;
  deployment.ended_reason = row.text(9);
  const std::string& state = row.text(5);
  if (state == "CANCELED") {
    deployment.status = DeploymentStatus::canceled;
  } else if (state == "INACTIVE") {
    deployment.status = DeploymentStatus::inactive;
  } else {
    deployment.status = aggregate(row);
  }
  return deployment;
}

std::optional<Deployment> find_deployment(store::Transaction& tx, const std::string& id,
                                          const Arns& arns) {
  const auto row =
      tx.query_one("SELECT " + std::string(kColumns) + " FROM deployments d WHERE d.id = $1", {id});
  if (!row) return std::nullopt;
  return read_deployment(*row, arns);
}

Deployment require_deployment(store::Transaction& tx, const std::string& id, const Arns& arns) {
  std::optional<Deployment> deployment = find_deployment(tx, id, arns);
  if (!deployment) throw Error(ErrorCode::not_found, "there is no deployment " + id);
  return std::move(*deployment);
}

// The one before is over, for all devices from now on, and its sub-deployments with it; their
// rollouts tell them one by one. Answers which they were.
std::vector<std::string> supersede(store::Transaction& tx, const std::string& target,
                                   base::Timestamp now) {
  std::vector<std::string> ended;
  for (const store::Row& row : tx.query("SELECT id FROM deployments WHERE state = 'CURRENT' "
                                        "AND (target = $1 OR behalf = $1)",
                                        {target})) {
    tx.execute("UPDATE deployments SET state = 'INACTIVE', ended_ms = $2 WHERE id = $1",
               {row.text(0), to_stored(now)});
    open_rollout(tx, row.text(0), kSuperseded);
    ended.push_back(row.text(0));
  }
  tx.execute("UPDATE deployments SET is_latest = 0 WHERE target = $1 AND is_latest = 1", {target});
  return ended;
}

// Its jobs go with it; the one before, if there is one, is the latest again.
void delete_deployment(store::Transaction& tx, const std::string& id, const Arns& arns) {
  const auto row = tx.query_one("SELECT target, is_latest FROM deployments WHERE id = $1", {id});
  tx.execute("DELETE FROM deployments WHERE id = $1", {id});
  tx.execute("DELETE FROM tags WHERE arn = $1", {arns.deployment(id)});
  if (row && row->integer(1) != 0) {
    tx.execute(
        "UPDATE deployments SET is_latest = 1 WHERE target = $1 AND revision = "
        "(SELECT MAX(o.revision) FROM deployments o WHERE o.target = $1)",
        {row->text(0)});
  }
}

std::string key_of(const std::string& arn, const std::string& member) {
  if (arn.empty()) return {};
  const auto target = parse_target_arn(arn);
  if (!target) {
    throw Error(ErrorCode::invalid_argument,
                member + ": must be the ARN of a thing or a thing group");
  }
  return target->key();
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
  if (const auto allowed = request.job_configuration.in_progress_timeout) {
    timeout = std::int64_t{std::chrono::duration_cast<std::chrono::milliseconds>(*allowed).count()};
  }
  const json::value* configuration = request.shown.if_contains("iotJobConfiguration");
  tx.execute(
      "INSERT INTO deployments (id, target, revision, name, parent_target_arn, state, request, "
      "document, timeout_ms, created_ms, is_latest, job_configuration, behalf) "
      "VALUES ($1, $2, $3, $4, $5, 'CURRENT', $6, $7, $8, $9, 1, $10, $11)",
      {document.deployment_id, request.target.key(), revision, document.deployment_name,
       document.parent_target_arn, base::to_text(request.shown), document_text, timeout,
       to_stored(now), configuration == nullptr ? std::string() : base::to_text(*configuration),
       request.parent.value_or(request.target).key()});
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

Deployments::Deployments(store::Database& database, Outbox& outbox, const base::Clock& clock,
                         Arns arns)
    : database_(database), outbox_(outbox), clock_(clock), arns_(std::move(arns)) {}

Deployment Deployments::create(const json::object& input) {
  const DeploymentRequest request = parse_deployment_request(input);
  const RequestToken token{"CreateDeployment", request.client_token.value_or(""),
                           trust::sha256_hex(base::to_text(input))};
  const std::string target = request.target.key();
  const auto find_earlier = [&](store::Transaction& tx,
                                base::Timestamp now) -> std::optional<Deployment> {
    const auto id = request.client_token ? find_result(tx, token, now) : std::nullopt;
    if (!id) return std::nullopt;
    return find_deployment(tx, *id, arns_);
  };
  std::optional<Deployment> made;
  // What the request asks for is looked up and resolved before the write transaction, which then
  // only sees that it is still there. Somebody deletes components meanwhile: look again.
  constexpr int kAttempts = 5;
  for (int attempt = 0; !made; ++attempt) {
    std::vector<ChosenVersion> chosen;
    database_.read([&](store::Transaction& tx) {
      made = find_earlier(tx, clock_.now());
      if (!made) chosen = check_deployment(tx, request, arns_);
    });
    if (made) return *std::move(made);
    if (attempt == kAttempts) {
      throw Error(ErrorCode::unavailable,
                  "components: they are being deleted while they are deployed; try again");
    }
    database_.write([&](store::Transaction& tx) {
      const base::Timestamp now = clock_.now();
      made = find_earlier(tx, now);
      if (made || !is_still_good(tx, request, chosen)) return;

      const std::int64_t revision = next_revision(tx, target);
      recipe::DeploymentDocument document = request.document;
      document.deployment_id = base::random_uuid();
      document.deployment_name =
          request.name.empty() ? "Deployment for " + request.target.name : request.name;
      document.configuration_arn = arns_.configuration(target, revision);
      if (request.parent) {
        document.parent_target_arn = arns_.target(request.parent->key());
        document.on_behalf_of = document.parent_target_arn;
        document.required_capabilities.emplace_back(recipe::kSubDeployments);
      }
      document.creation_timestamp_ms = to_stored(now);
      const std::string document_text = base::to_text(recipe::to_json(document));
      check_document_size(tx, request.target, document.deployment_id, document_text);

      const std::vector<std::string> ended = supersede(tx, target, now);
      insert(tx, request, document, revision, document_text, now);
      store_tags(tx, arns_.deployment(document.deployment_id), request.tags);
      open_rollout(tx, document.deployment_id, kSuperseded);
      if (step_rollout(tx, document.deployment_id, kFirstStep, now)) {
        // Every device has the new one, so nothing is left of the old one but to close it.
        for (const std::string& id : ended) step_rollout(tx, id, kFirstStep, now);
      }
      if (request.target.kind == Target::Kind::thing) {
        set_desired_deployment(tx, request.target.name, document_text, JobStatus::succeeded, now);
        Outbox::append(tx, kShadowChanged, request.target.name, now);
      }
      if (request.client_token) remember_result(tx, token, document.deployment_id, now);
      made = find_deployment(tx, document.deployment_id, arns_);
    });
  }
  outbox_.wake();
  return *std::move(made);
}

std::optional<Deployment> Deployments::find(const std::string& id) const {
  return database_.read([&](store::Transaction& tx) { return find_deployment(tx, id, arns_); });
}

Page<Deployment> Deployments::list(const DeploymentFilter& filter, const PageRequest& page) const {
  Page<Deployment> result;
  const std::string target = key_of(filter.target_arn, "targetArn");
  const std::string parent = key_of(filter.parent_target_arn, "parentTargetArn");
  const auto [before_ms, before_id] = read_time_key(page.after);
  std::vector<store::SqlValue> values{before_ms, before_id,
                                      static_cast<std::int64_t>(page.limit + 1)};
  std::string where;
  // Each condition that is not asked for would cost the index that answers the others.
  const auto add = [&](std::string_view condition, const std::string& value) {
    values.emplace_back(value);
    where.append(condition).append(std::to_string(values.size())).append(" AND ");
  };
  if (!target.empty()) add("d.target = $", target);
  if (!parent.empty()) add("d.parent_target_arn = $", arns_.target(parent));
  if (filter.history == DeploymentFilter::History::latest_only) where += "d.is_latest = 1 AND ";
  const std::string sql = "SELECT " + std::string(kColumns) + " FROM deployments d WHERE " + where +
                          "(d.created_ms, d.id) < ($1, $2) "
                          "ORDER BY d.created_ms DESC, d.id DESC LIMIT $3";
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row : tx.query(sql, values)) {
      if (result.items.size() == page.limit) {
        const Deployment& last = result.items.back();
        result.next = time_key(to_stored(last.created), last.id);
        break;
      }
      result.items.push_back(read_deployment(row, arns_));
    }
  });
  return result;
}

void Deployments::cancel(const std::string& id) {
  database_.write([&](store::Transaction& tx) {
    const base::Timestamp now = clock_.now();
    const Deployment deployment = require_deployment(tx, id, arns_);
    if (deployment.status != DeploymentStatus::active) {
      throw Error(ErrorCode::conflict, "deployment " + id + " is " +
                                           std::string(to_string(deployment.status)) +
                                           " and cannot be canceled any more");
    }
    end_deployment(tx, id, "canceled by the operator", now);
  });
  outbox_.wake();
}

void Deployments::remove(const std::string& id) {
  database_.write([&](store::Transaction& tx) {
    const Deployment deployment = require_deployment(tx, id, arns_);
    if (deployment.status == DeploymentStatus::active) {
      throw Error(ErrorCode::conflict,
                  "deployment " + id + " is ACTIVE; cancel it before deleting it");
    }
    delete_deployment(tx, id, arns_);
  });
}

std::int64_t Deployments::remove_history(base::Timestamp oldest, std::int64_t limit) {
  std::int64_t removed = 0;
  database_.write([&](store::Transaction& tx) {
    // One that was canceled and is the latest of its target still says what became of it.
    for (const store::Row& row :
         tx.query("SELECT id FROM deployments WHERE ended_ms < $1 "
                  "AND (state = 'INACTIVE' OR is_latest = 0) ORDER BY ended_ms LIMIT $2",
                  {to_stored(oldest), limit})) {
      removed += tx.execute(
          "DELETE FROM job_executions WHERE job_id = $1 AND thing IN "
          "(SELECT thing FROM job_executions WHERE job_id = $1 LIMIT $2)",
          {row.text(0), limit - removed});
      if (removed >= limit) return;  // it may have more
      delete_deployment(tx, row.text(0), arns_);
      if (++removed >= limit) return;
    }
  });
  return removed;
}

}  // namespace andon::control
