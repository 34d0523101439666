// SPDX-License-Identifier: Apache-2.0
// Leases, and what is taken up after somebody's end.
#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "workflow/drive/driver.hpp"

namespace andon::workflow {
namespace {

constexpr std::chrono::seconds kLease{60};
constexpr std::chrono::seconds kRenewal{15};

}  // namespace

void Driver::run() {
  parts_.database.read([](store::Transaction& tx) {
    for (const char* sql : {"SELECT max(id) FROM executions", "SELECT max(queued) FROM tasks"}) {
      const auto row = tx.query_one(sql);
      if (row && !row->is_null(0)) numbers_begin_above(row->integer(0));
    }
  });
  if (options_.alone) {
    parts_.database.write([](store::Transaction& tx) { tx.execute("DELETE FROM workers"); });
  }
  renew_lease();
  timers_.run();
}

void Driver::renew_lease() {
  try {
    const std::int64_t now = base::to_epoch_millis(parts_.clock.now());
    const std::int64_t until = now + std::chrono::milliseconds(kLease).count();
    parts_.commits.write([&](store::Transaction& tx) {
      tx.execute(
          "INSERT INTO workers (id, lease_ms) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET "
          "lease_ms = excluded.lease_ms",
          {owner_, until});
      tx.execute("DELETE FROM workers WHERE lease_ms < $1", {now});
    });
    take_over();
  } catch (const std::exception& error) {
    base::log_error("the lease of executions was not renewed",
                    {{"error", std::string(error.what())}});
  }
  timers_.at(parts_.clock.now() + kRenewal, [this] { pool_.post([this] { renew_lease(); }); });
}

// What belongs to nobody who lives.
void Driver::take_over() {
  std::vector<std::pair<std::int64_t, bool>> orphans;
  std::vector<std::string> stops;
  bool has_orphans = false;
  parts_.database.read([&](store::Transaction& tx) {
    has_orphans = tx.query_one(
                        "SELECT 1 FROM executions WHERE owner IS NOT NULL AND owner NOT IN "
                        "(SELECT id FROM workers) LIMIT 1")
                      .has_value();
  });
  const bool is_first = !std::exchange(has_looked_, true);
  if (!has_orphans && !is_first) return;
  parts_.commits.write([&](store::Transaction& tx) {
    orphans.clear();
    stops.clear();
    for (const auto& row :
         tx.query("SELECT id, resumes FROM executions WHERE owner IS NOT NULL AND owner NOT IN "
                  "(SELECT id FROM workers)")) {
      orphans.emplace_back(row.integer(0), row.integer(1) != 0);
    }
    tx.execute(
        "UPDATE executions SET owner = $1 WHERE owner IS NOT NULL AND owner NOT IN (SELECT id FROM "
        "workers)",
        {owner_});
    for (const auto& row : tx.query("SELECT arn FROM stops")) stops.push_back(row.text(0));
  });
  if (!orphans.empty()) base::log_info("executions taken up", {{"count", orphans.size()}});
  for (const auto& [id, resumes] : orphans) {
    pool_.post([this, id = id, resumes = resumes] { recover(id, resumes); });
  }
  carry_out_stops(stops);
}

void Driver::recover(std::int64_t id, bool resumes) {
  const auto row = parts_.executions.find(id);
  if (!row || row->status != asl::Status::running) return;
  for (const TaskRow& task : parts_.executions.tasks(id)) carry_out(*row, task);
  if (resumes) post(id, asl::Resume{});
}

}  // namespace andon::workflow
