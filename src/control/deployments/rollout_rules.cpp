// SPDX-License-Identifier: Apache-2.0
#include "control/deployments/rollout_rules.hpp"

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {

fleet::JobConfiguration stored_job_configuration(const std::string& text) {
  if (text.empty()) return {};
  try {
    const base::json::object stored = stored_object(text);
    return fleet::read_job_configuration(base::JsonReader(stored, "iotJobConfiguration"));
  } catch (const base::Error& error) {
    throw base::Error(base::ErrorCode::data_corrupted, "a stored deployment: " + error.message());
  }
}

fleet::JobCounts count_executions(store::Transaction& tx, const std::string& job_id) {
  fleet::JobCounts counts;
  for (const store::Row& row :
       tx.query("SELECT status, COUNT(*) FROM job_executions WHERE job_id = $1 GROUP BY status",
                {job_id})) {
    if (const auto status = fleet::parse_job_status(row.text(0))) {
      counts.add(*status, row.integer(1));
    }
  }
  return counts;
}

}  // namespace andon::control
