// SPDX-License-Identifier: Apache-2.0
#include "control/identity/ending_certificates.hpp"

#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

// Of two that end at once the id decides, so that a thing is named once.
const std::string kEnding =
    " FROM certificates c WHERE c.not_after_ms < $1 AND c.status = 'ACTIVE' AND c.thing IS NOT "
    "NULL "
    "AND NOT EXISTS (SELECT 1 FROM certificates o WHERE o.thing = c.thing AND o.status = 'ACTIVE' "
    "AND (o.not_after_ms, o.id) > (c.not_after_ms, c.id))";

}  // namespace

std::vector<EndingCertificate> ending_certificates(store::Transaction& tx, base::Timestamp before,
                                                   std::size_t most) {
  std::vector<EndingCertificate> all;
  for (const store::Row& row : tx.query("SELECT c.id, c.thing, c.not_after_ms" + kEnding +
                                            " ORDER BY c.not_after_ms, c.id LIMIT $2",
                                        {to_stored(before), static_cast<std::int64_t>(most)})) {
    all.push_back({row.text(0), row.text(1), stored_time(row.integer(2))});
  }
  return all;
}

std::int64_t count_ending_certificates(store::Transaction& tx, base::Timestamp before) {
  return tx.query_one("SELECT count(*)" + kEnding, {to_stored(before)})->integer(0);
}

}  // namespace andon::control
