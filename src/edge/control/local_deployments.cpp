// SPDX-License-Identifier: Apache-2.0
#include "edge/control/local_deployments.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "edge/local/local_request.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kColumns =
    "SELECT id, status, created_ms, details FROM local_deployments ";

json::object describe(const store::Row& row) {
  json::object deployment{{"deploymentId", row.text(0)},
                          {"status", row.text(1)},
                          {"createdOn", base::to_iso8601(base::from_epoch_millis(row.integer(2)))}};
  if (const auto details = row.optional_text(3)) {
    deployment["deploymentStatusDetails"] = base::parse_json(*details, "saved details");
  }
  return deployment;
}

json::array to_array(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

bool was_cancelled(const fleet::DeploymentOutcome& outcome) {
  return std::ranges::find(outcome.details.error_stack, "DEPLOYMENT_INTERRUPTED") !=
         outcome.details.error_stack.end();
}

std::string status_of(const fleet::DeploymentOutcome& outcome) {
  if (outcome.status == fleet::JobStatus::in_progress) return "IN_PROGRESS";
  if (outcome.status == fleet::JobStatus::succeeded) return "SUCCEEDED";
  return was_cancelled(outcome) ? "CANCELED" : "FAILED";
}

Error unknown(const std::string& id) {
  return {ErrorCode::not_found, "there is no local deployment '" + id + "' on this device"};
}

}  // namespace

void LocalDeployments::create(const json::object& request, IdDone done) {
  try {
    static_cast<void>(read_local_request(request));
  } catch (const Error&) {
    return done("", std::current_exception());
  }
  const std::string id = base::random_uuid();
  writer_.run(
      [id, document = local_document(request),
       now = base::to_epoch_millis(clock_.now())](store::Transaction& transaction) {
        const std::int64_t waiting =
            transaction.query_one("SELECT count(*) FROM local_deployments WHERE status = 'QUEUED'")
                .value()
                .integer(0);
        if (waiting >= kMostWaiting) {
          throw Error(ErrorCode::resource_exhausted,
                      std::to_string(waiting) + " local deployments wait already");
        }
        transaction.execute(
            "INSERT INTO local_deployments (id, status, created_ms, document) "
            "VALUES ($1, 'QUEUED', $2, $3)",
            {id, now, document});
        transaction.execute(
            "DELETE FROM local_deployments WHERE status NOT IN ('QUEUED', 'IN_PROGRESS') AND "
            "number <= (SELECT max(number) FROM local_deployments) - $1",
            {kKept});
      },
      [this, alive = alive_, id, done = std::move(done)](const std::exception_ptr& error) {
        done(id, error);
        if (*alive && !error) go_on();
      });
}

void LocalDeployments::list(Done done) {
  const auto found = std::make_shared<json::array>();
  writer_.run(
      [found](store::Transaction& transaction) {
        for (const store::Row& row :
             transaction.query(std::string(kColumns) + "ORDER BY number DESC")) {
          found->push_back(describe(row));
        }
      },
      [found, done = std::move(done)](const std::exception_ptr& error) {
        done({{"localDeployments", std::move(*found)}}, error);
      });
}

void LocalDeployments::find(const std::string& id, Done done) {
  const auto found = std::make_shared<json::object>();
  writer_.run(
      [found, id](store::Transaction& transaction) {
        const auto row = transaction.query_one(std::string(kColumns) + "WHERE id = $1", {id});
        if (!row) throw unknown(id);
        *found = describe(*row);
      },
      [found, done = std::move(done)](const std::exception_ptr& error) {
        done({{"deployment", std::move(*found)}}, error);
      });
}

void LocalDeployments::cancel(const std::string& id, Done done) {
  if (engine_.cancel_own(local_job_id(id))) {
    return done({{"message", "the deployment ends before anything was changed"}}, nullptr);
  }
  writer_.run(
      [id](store::Transaction& transaction) {
        const auto row =
            transaction.query_one("SELECT status FROM local_deployments WHERE id = $1", {id});
        if (!row) throw unknown(id);
        if (row->text(0) != "QUEUED") {
          throw Error(ErrorCode::failed_precondition,
                      row->text(0) == "IN_PROGRESS"
                          ? "components are being changed: it is too late to cancel it"
                          : "the deployment is over: " + row->text(0));
        }
        transaction.execute("UPDATE local_deployments SET status = 'CANCELED' WHERE id = $1", {id});
      },
      [done = std::move(done)](const std::exception_ptr& error) {
        done({{"message", "the deployment had not begun"}}, error);
      });
}

void LocalDeployments::go_on() {
  if (engine_.busy()) return;
  const auto next = std::make_shared<std::optional<fleet::Job>>();
  writer_.run(
      [next](store::Transaction& transaction) {
        const auto row = transaction.query_one(
            "SELECT id, document, created_ms FROM local_deployments WHERE status = 'QUEUED' "
            "ORDER BY number LIMIT 1");
        if (row) *next = fleet::Job{local_job_id(row->text(0)), row->integer(2), row->text(1)};
      },
      [this, alive = alive_, next](const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
        if (*alive && *next) engine_.offer(**next);
      });
}

void LocalDeployments::record(store::Transaction& transaction, const std::string& job_id,
                              const fleet::DeploymentOutcome& outcome) {
  store::SqlValue details;
  if (outcome.status != fleet::JobStatus::in_progress) {
    details =
        base::to_text(json::object{{"detailedDeploymentStatus", outcome.details.detailed_status},
                                   {"deploymentErrorStack", to_array(outcome.details.error_stack)},
                                   {"deploymentErrorTypes", to_array(outcome.details.error_types)},
                                   {"deploymentFailureCause", outcome.details.failure_cause}});
  }
  transaction.execute("UPDATE local_deployments SET status = $1, details = $2 WHERE id = $3",
                      {status_of(outcome), details, local_deployment_id(job_id)});
}

}  // namespace andon::edge
