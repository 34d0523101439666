// SPDX-License-Identifier: Apache-2.0
#include "control/alarms/reject_rates.hpp"

#include <algorithm>

#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::string_view kRejected = "NG";

}  // namespace

void RejectRates::read_new(base::Timestamp now) {
  results_.read([&](store::Transaction& tx) {
    if (last_id_ < 0) {
      const auto before = tx.query_one(
          "SELECT id FROM results WHERE stored_ms < $1 ORDER BY stored_ms DESC LIMIT 1",
          {to_stored(now - kWindow)});
      last_id_ = before ? before->integer(0) : 0;
    }
    const auto newest = tx.query_one("SELECT max(id) FROM results", {});
    const std::int64_t until = newest ? newest->optional_integer(0).value_or(0) : 0;
    if (until <= last_id_) return;
    for (const store::Row& row :
         tx.query("SELECT thing, stored_ms / 60000, count(*), sum(verdict = $3) FROM results "
                  "WHERE id > $1 AND id <= $2 AND verdict <> '' GROUP BY 1, 2",
                  {last_id_, until, std::string(kRejected)})) {
      std::deque<Minute>& minutes = things_[row.text(0)];
      const std::int64_t minute = row.integer(1);
      auto at = std::ranges::find(minutes, minute, &Minute::minute);
      if (at == minutes.end()) at = minutes.insert(minutes.end(), {.minute = minute, .rate = {}});
      at->rate.judged += row.integer(2);
      at->rate.rejected += row.integer(3);
    }
    last_id_ = until;
  });
}

std::map<std::string, RejectRate> RejectRates::count(base::Timestamp now) {
  read_new(now);
  const std::int64_t oldest = to_stored(now - kWindow) / kMinuteMs;
  std::map<std::string, RejectRate> rates;
  for (auto& [thing, minutes] : things_) {
    std::erase_if(minutes, [&](const Minute& one) { return one.minute < oldest; });
    for (const Minute& one : minutes) {
      rates[thing].judged += one.rate.judged;
      rates[thing].rejected += one.rate.rejected;
    }
  }
  std::erase_if(things_, [](const auto& one) { return one.second.empty(); });
  return rates;
}

}  // namespace andon::control
