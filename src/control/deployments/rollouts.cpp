// SPDX-License-Identifier: Apache-2.0
#include "control/deployments/rollouts.hpp"

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "control/deployments/job_executions.hpp"
#include "control/deployments/rollout_rules.hpp"
#include "control/deployments/standing.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

constexpr std::size_t kStep = 200;  // a write transaction of some ten milliseconds
constexpr std::chrono::minutes kSlowestPace{1};

void close(store::Transaction& tx, const std::string& deployment_id) {
  tx.execute("DELETE FROM rollouts WHERE deployment_id = $1", {deployment_id});
}

struct OpenRollout {
  std::string deployment_id;
  Target target;
  std::string behalf;  // the target's own key, or that of its parent
  std::string position;
  fleet::JobConfiguration configuration;
  fleet::RolloutPace pace;
};

// A pace that lies further ahead than one thing a minute can set it was kept before the clock was
// set back.
fleet::RolloutPace current_pace(std::int64_t next_ms, base::Timestamp now) {
  const base::Timestamp next = stored_time(next_ms);
  return {next > now + kSlowestPace ? now : next};
}

bool bring(store::Transaction& tx, const OpenRollout& open, std::size_t limit,
           base::Timestamp now) {
  const fleet::RolloutRate& rate = open.configuration.rate;
  fleet::JobCounts counts;
  if (rate.is_limited()) {
    counts = count_executions(tx, open.deployment_id);
    limit = fleet::may_start(rate, counts, open.pace, now, limit);
    if (limit == 0) return false;
  }
  // One more than are taken says whether there is a next step.
  std::vector<std::string> things = things_after(tx, open.target, open.position, limit + 1);
  const bool is_last = things.size() <= limit;
  if (!is_last) things.pop_back();
  const Standing standing(tx, open.behalf);
  std::size_t started = 0;
  for (const std::string& thing : things) {
    if (!standing.is_for(tx, open.deployment_id, thing)) continue;
    // Nothing for who has it already: a device that joined the group meanwhile.
    if (!insert_execution(tx, open.deployment_id, thing, now)) continue;
    cancel_superseded(tx, open.deployment_id, open.behalf, thing, now);
    Outbox::append(tx, kJobsChanged, thing, now);
    ++started;
  }
  if (is_last) {
    close(tx, open.deployment_id);
    return true;
  }
  const fleet::RolloutPace pace = fleet::after_starting(rate, counts, open.pace, now, started);
  tx.execute("UPDATE rollouts SET position = $2, next_ms = $3 WHERE deployment_id = $1",
             {open.deployment_id, things.back(), to_stored(pace.next)});
  return false;
}

// After a sub-deployment, what the parent's group has comes back; a deployment that was replaced
// has nothing behind it.
enum class Behind { nothing, parent };

bool take_back(store::Transaction& tx, const std::string& deployment_id, const std::string& reason,
               Behind behind, std::size_t limit, base::Timestamp now) {
  const std::vector<std::string> things = cancel_executions(tx, deployment_id, reason, limit, now);
  for (const std::string& thing : things) {
    if (behind == Behind::parent) (void)settle_memberships(tx, thing, now);
    Outbox::append(tx, kJobsChanged, thing, now);
  }
  if (things.size() >= limit) return false;
  close(tx, deployment_id);
  return true;
}

}  // namespace

void open_rollout(store::Transaction& tx, const std::string& deployment_id,
                  std::string_view reason) {
  tx.execute(
      "INSERT INTO rollouts (deployment_id, position, reason) VALUES ($1, '', $2) "
      "ON CONFLICT (deployment_id) DO UPDATE SET reason = excluded.reason",
      {deployment_id, std::string(reason)});
}

bool step_rollout(store::Transaction& tx, const std::string& deployment_id, std::size_t limit,
                  base::Timestamp now) {
  const auto row = tx.query_one(
      "SELECT r.position, r.reason, d.state, d.target, d.behalf, d.job_configuration, "
      "r.next_ms FROM rollouts r "
      "JOIN deployments d ON d.id = r.deployment_id WHERE r.deployment_id = $1",
      {deployment_id});
  if (!row) return true;
  if (row->text(2) != "CURRENT") {
    const bool is_sub = row->text(3) != row->text(4);
    return take_back(tx, deployment_id, row->text(1),
                     is_sub && row->text(2) == "CANCELED" ? Behind::parent : Behind::nothing, limit,
                     now);
  }
  const std::optional<Target> target = parse_target_key(row->text(3));
  if (!target) {
    throw base::Error(base::ErrorCode::data_corrupted, "a stored deployment has no known target");
  }
  return bring(tx,
               {.deployment_id = deployment_id,
                .target = *target,
                .behalf = row->text(4),
                .position = row->text(0),
                .configuration = stored_job_configuration(row->text(5)),
                .pace = current_pace(row->integer(6), now)},
               limit, now);
}

Rollouts::Rollouts(store::Database& database, const base::Clock& clock)
    : database_(database), clock_(clock) {}

bool Rollouts::step() {
  std::optional<store::Row> open;
  const std::int64_t now = to_stored(clock_.now());
  database_.read([&](store::Transaction& tx) {
    // A device whose old job is replaced hears of both in one message, so new ones come first.
    // CROSS JOIN: from the few rollouts to their deployments, and not the other way.
    open = tx.query_one(
        "SELECT r.deployment_id FROM rollouts r "
        "CROSS JOIN deployments d ON d.id = r.deployment_id "
        "WHERE d.state <> 'CURRENT' OR r.next_ms <= $1 OR r.next_ms > $2 "
        "ORDER BY d.state <> 'CURRENT', d.created_ms, d.id LIMIT 1",
        {now, now + std::chrono::milliseconds(kSlowestPace).count()});
  });
  if (!open) return false;
  database_.write(
      [&](store::Transaction& tx) { step_rollout(tx, open->text(0), kStep, clock_.now()); });
  return true;
}

}  // namespace andon::control
