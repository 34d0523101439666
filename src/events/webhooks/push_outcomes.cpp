// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/push_outcomes.hpp"

#include <algorithm>
#include <array>

#include "base/error/error.hpp"

namespace andon::events {
namespace {

using store::Row;
using store::Transaction;
using Kind = PushOutcome::Kind;

constexpr std::string_view kTables = R"sql(
CREATE TABLE webhook_taken (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  webhook TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  forge TEXT NOT NULL,
  peer TEXT NOT NULL,
  event_id TEXT NOT NULL,
  event TEXT NOT NULL,
  delivery TEXT NOT NULL,
  repository TEXT NOT NULL,
  ref TEXT NOT NULL,
  revision TEXT NOT NULL
);
CREATE INDEX webhook_taken_webhook ON webhook_taken (webhook, id);
CREATE TABLE webhook_refusals (
  webhook TEXT NOT NULL,
  kind TEXT NOT NULL,            -- REFUSED, REPEATED, MALFORMED, NO_ROOM
  pushes BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,         -- of the last one, as what follows
  reason TEXT NOT NULL,
  forge TEXT NOT NULL,
  peer TEXT NOT NULL,
  PRIMARY KEY (webhook, kind)
) WITHOUT ROWID;
)sql";

constexpr std::array kKinds = {
    std::pair{Kind::taken, std::string_view("TAKEN")},
    std::pair{Kind::refused, std::string_view("REFUSED")},
    std::pair{Kind::repeated, std::string_view("REPEATED")},
    std::pair{Kind::malformed, std::string_view("MALFORMED")},
    std::pair{Kind::no_room, std::string_view("NO_ROOM")},
};

Kind kind_of(std::string_view text) {
  const auto* const found =
      std::ranges::find(kKinds, text, [](const auto& one) { return one.second; });
  if (found == kKinds.end()) {
    throw base::Error(base::ErrorCode::data_corrupted,
                      "a stored outcome of a webhook is of kind '" + std::string(text) + "'");
  }
  return found->first;
}

PushOutcome taken_of(const Row& row) {
  return {.kind = Kind::taken,
          .at = base::from_epoch_millis(row.integer(0)),
          .reason = {},
          .forge = row.text(1),
          .from = row.text(2),
          .event_id = row.text(3),
          .event = row.text(4),
          .delivery = row.text(5),
          .repository = row.text(6),
          .ref = row.text(7),
          .commit = row.text(8)};
}

PushOutcome refusal_of(const Row& row) {
  return {.kind = kind_of(row.text(0)),
          .at = base::from_epoch_millis(row.integer(2)),
          .count = row.integer(1),
          .reason = row.text(3),
          .forge = row.text(4),
          .from = row.text(5)};
}

}  // namespace

std::string_view to_string(Kind kind) {
  return std::ranges::find(kKinds, kind, [](const auto& one) { return one.first; })->second;
}

PushOutcomes::PushOutcomes(store::Database& database) : database_(database) {
  database_.migrate("webhook outcomes", {{"0001-outcomes", kTables}});
}

void PushOutcomes::add_taken(Transaction& tx, const std::string& webhook,
                             const PushOutcome& outcome) {
  tx.execute(
      "INSERT INTO webhook_taken (webhook, at_ms, forge, peer, event_id, event, delivery, "
      "repository, ref, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
      {webhook, base::to_epoch_millis(outcome.at), outcome.forge, outcome.from, outcome.event_id,
       outcome.event, outcome.delivery, outcome.repository, outcome.ref, outcome.commit});
  tx.execute(
      "DELETE FROM webhook_taken WHERE webhook = $1 AND id <= (SELECT id FROM webhook_taken WHERE "
      "webhook = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
      {webhook, kKept});
}

void PushOutcomes::merge(Noted& into, const std::string& webhook, const PushOutcome& outcome) {
  const auto [known, is_new] = into.try_emplace({webhook, outcome.kind}, outcome);
  if (is_new) return;
  const std::int64_t count = known->second.count + outcome.count;
  if (outcome.at >= known->second.at) known->second = outcome;
  known->second.count = count;
}

void PushOutcomes::note(const std::string& webhook, const PushOutcome& outcome) {
  const std::lock_guard lock(mutex_);
  merge(noted_, webhook, outcome);
}

void PushOutcomes::keep() {
  Noted noted;
  {
    const std::lock_guard lock(mutex_);
    noted.swap(noted_);
  }
  if (noted.empty()) return;
  try {
    database_.write([&](Transaction& tx) {
      for (const auto& [key, one] : noted) {
        // It may have been removed since.
        tx.execute(
            "INSERT INTO webhook_refusals (webhook, kind, pushes, at_ms, reason, forge, peer) "
            "SELECT $1, $2, $3, $4, $5, $6, $7 WHERE EXISTS (SELECT 1 FROM webhooks WHERE name = "
            "$1) ON CONFLICT (webhook, kind) DO UPDATE SET pushes = pushes + excluded.pushes, "
            "at_ms = excluded.at_ms, reason = excluded.reason, forge = excluded.forge, peer = "
            "excluded.peer",
            {key.first, std::string(to_string(key.second)), one.count,
             base::to_epoch_millis(one.at), one.reason, one.forge, one.from});
      }
    });
  } catch (...) {
    // The disk may be full for a while.
    const std::lock_guard lock(mutex_);
    for (const auto& [key, one] : noted) merge(noted_, key.first, one);
    throw;
  }
}

void PushOutcomes::forget(Transaction& tx, const std::string& webhook) {
  tx.execute("DELETE FROM webhook_taken WHERE webhook = $1", {webhook});
  tx.execute("DELETE FROM webhook_refusals WHERE webhook = $1", {webhook});
  const std::lock_guard lock(mutex_);
  std::erase_if(noted_, [&](const auto& one) { return one.first.first == webhook; });
}

std::vector<PushOutcome> PushOutcomes::list(const std::string& webhook, std::size_t limit) {
  keep();
  std::vector<PushOutcome> all = database_.read([&](Transaction& tx) {
    std::vector<PushOutcome> found;
    for (const Row& row :
         tx.query("SELECT at_ms, forge, peer, event_id, event, delivery, repository, ref, revision "
                  "FROM webhook_taken WHERE webhook = $1 ORDER BY id DESC",
                  {webhook})) {
      found.push_back(taken_of(row));
    }
    for (const Row& row : tx.query("SELECT kind, pushes, at_ms, reason, forge, peer FROM "
                                   "webhook_refusals WHERE webhook = $1 ORDER BY kind",
                                   {webhook})) {
      found.push_back(refusal_of(row));
    }
    return found;
  });
  std::ranges::stable_sort(all, std::ranges::greater(), &PushOutcome::at);
  if (all.size() > limit) all.resize(limit);
  return all;
}

}  // namespace andon::events
