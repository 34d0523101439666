// SPDX-License-Identifier: Apache-2.0
// The half of IotJobs that keeps templates.
#include "base/error/error.hpp"
#include "control/jobs/iot_jobs.hpp"
#include "control/jobs/job_rows.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kColumns =
    "id, document, document_source, description, configuration, created_ms";

JobTemplate read_template(const store::Row& row, const IotJobs& jobs) {
  return {row.text(0),
          jobs.template_arn(row.text(0)),
          {row.text(1), row.text(2), row.text(3), stored_object(row.text(4))},
          stored_time(row.integer(5))};
}

}  // namespace

JobTemplate IotJobs::create_template(const std::string& id, const JobPlan& plan) {
  check_job_id(id, "jobTemplateId");
  (void)check_plan(plan);
  return database_.write([&](store::Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM iot_job_templates WHERE id = $1", {id})) {
      throw Error(ErrorCode::already_exists, "job template \"" + id + "\" exists already");
    }
    if (tx.query_one("SELECT COUNT(*) FROM iot_job_templates")->integer(0) >= kMostJobTemplates) {
      throw Error(ErrorCode::resource_exhausted, "there are 100 job templates already");
    }
    tx.execute(
        "INSERT INTO iot_job_templates (id, document, document_source, description, "
        "configuration, created_ms) VALUES ($1, $2, $3, $4, $5, $6)",
        {id, plan.document, plan.document_source, plan.description,
         base::to_text(plan.configuration), to_stored(clock_.now())});
    return read_template(
        *tx.query_one("SELECT " + std::string(kColumns) + " FROM iot_job_templates WHERE id = $1",
                      {id}),
        *this);
  });
}

std::optional<JobTemplate> IotJobs::find_template(const std::string& id) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<JobTemplate> {
    const auto row = tx.query_one(
        "SELECT " + std::string(kColumns) + " FROM iot_job_templates WHERE id = $1", {id});
    if (!row) return std::nullopt;
    return read_template(*row, *this);
  });
}

Page<JobTemplate> IotJobs::list_templates(const PageRequest& page) const {
  Page<JobTemplate> result;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row :
         tx.query("SELECT " + std::string(kColumns) +
                      " FROM iot_job_templates WHERE id > $1 ORDER BY id LIMIT $2",
                  {page.after, static_cast<std::int64_t>(page.limit + 1)})) {
      if (result.items.size() == page.limit) {
        result.next = result.items.back().id;
        return;
      }
      result.items.push_back(read_template(row, *this));
    }
  });
  return result;
}

void IotJobs::remove_template(const std::string& id) {
  database_.write([&](store::Transaction& tx) {
    if (tx.execute("DELETE FROM iot_job_templates WHERE id = $1", {id}) == 0) {
      throw Error(ErrorCode::not_found, "there is no job template \"" + id + "\"");
    }
    tx.execute("DELETE FROM tags WHERE arn = $1", {template_arn(id)});
  });
}

}  // namespace andon::control
