// SPDX-License-Identifier: Apache-2.0
#include "control/housekeeping/housekeeping.hpp"

#include <exception>

#include "base/log/log.hpp"
#include "control/shared/outbox.hpp"
#include "control/shared/request_tokens.hpp"

namespace andon::control {
namespace {

// An entry whose rows are removed within one transaction of `database`.
template <typename Remove>
std::function<std::int64_t(std::int64_t)> within(store::Database& database, Remove remove) {
  return [&database, remove](std::int64_t limit) {
    std::int64_t removed = 0;
    database.write([&](store::Transaction& tx) { removed = remove(tx, limit); });
    return removed;
  };
}

}  // namespace

Housekeeping::Housekeeping(const Kept& kept, const base::Clock& clock, const Retention& retention) {
  using store::Transaction;
  const auto tokens = [&clock](Transaction& tx, std::int64_t limit) {
    return remove_expired_tokens(tx, clock.now(), limit);
  };
  const auto outbox = [&clock, retention](Transaction& tx, std::int64_t limit) {
    return Outbox::trim(tx, clock.now() - retention.events, limit);
  };
  entries_ = {
      {"client tokens", within(kept.database, tokens)},
      {"enrolment tokens",
       [kept](auto limit) { return kept.enrolment.remove_expired_tokens(limit); }},
      {"claims and certificates that nobody has taken",
       [kept](auto limit) { return kept.provisioner.remove_expired(limit); }},
      {"temporary access keys",
       [kept](auto limit) { return kept.access_keys.remove_expired(limit); }},
      {"multipart uploads",
       [kept, retention](auto limit) {
         return kept.objects.remove_old_uploads(retention.uploads, limit);
       }},
      {"objects by their bucket's lifecycle",
       [kept](auto limit) { return kept.objects.expire(limit); }},
      {"deployments and their jobs",
       [kept, &clock, retention](auto limit) {
         return kept.deployments.remove_history(clock.now() - retention.deployments, limit);
       }},
      {"jobs that are over",
       [kept, &clock, retention](auto limit) {
         return kept.iot_jobs.remove_history(clock.now() - retention.deployments, limit);
       }},
      {"grants of deleted components",
       [kept](auto limit) { return kept.access.remove_useless(limit); }},
      {"outbox", within(kept.database, outbox)},
      {"logs", [kept](auto limit) { return kept.logs.sweep(limit); }},
      {"deleted secrets", [kept](auto limit) { return kept.secrets.purge(limit); }},
      {"sessions of the console", [kept](auto limit) { return kept.sessions.remove_ended(limit); }},
      {"figures of devices", [kept](auto limit) { return kept.telemetry.remove_old(limit); }},
      {"results", [kept](auto limit) { return kept.results.sweep(limit); }},
  };
}

void Housekeeping::run() {
  for (const Entry& entry : entries_) {
    try {
      std::int64_t removed = 0;
      for (std::int64_t step = 0; step < kMostSteps; ++step) {
        const std::int64_t in_step = entry.remove(kStep);
        removed += in_step;
        if (in_step == 0) break;
      }
      if (removed > 0) {
        base::log_info("forgotten, its time was over", {{"what", entry.what}, {"count", removed}});
      }
    } catch (const std::exception& error) {  // the others' time comes all the same
      base::log_error("housekeeping failed; the next run tries again",
                      {{"what", entry.what}, {"error", error.what()}});
    }
  }
}

}  // namespace andon::control
