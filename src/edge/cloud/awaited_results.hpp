// SPDX-License-Identifier: Apache-2.0
// Rows of the spool that the broker has and that not all consumers have stored yet: what is done to
// them in the database. Inside of PublishSpool, within the caller's transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/sql/database.hpp"

namespace andon::edge {

// Whose word it takes before a result is forgotten; nothing: no server has said so far. With none
// of them it is enough that a subscriber has it.
using ResultConsumers = std::optional<std::vector<std::string>>;

[[nodiscard]] ResultConsumers read_result_consumers(store::Transaction& transaction);
void write_result_consumers(store::Transaction& transaction, const ResultConsumers& consumers);

struct RemovedRows {
  std::vector<std::int64_t> ids;
  std::uint64_t bytes = 0;
};

// A consumer has stored messages with these digests. What all of `wanted` have now goes.
[[nodiscard]] RemovedRows note_stored(store::Transaction& transaction, const std::string& consumer,
                                      const std::vector<std::string>& digests,
                                      const ResultConsumers& wanted);
// `wanted` has changed: what is waited for no longer goes.
[[nodiscard]] RemovedRows remove_satisfied(store::Transaction& transaction,
                                           const ResultConsumers& wanted);

struct Stale {
  std::vector<std::int64_t> ids;  // will be sent again
  bool has_more = false;          // others wait, stale or not
};
// The oldest that were sent at `sent_before` or earlier, or that the clock says will be, are to be
// sent again.
[[nodiscard]] Stale send_stale_again(store::Transaction& transaction, std::int64_t sent_before,
                                     std::int64_t now, std::int64_t most);

}  // namespace andon::edge
