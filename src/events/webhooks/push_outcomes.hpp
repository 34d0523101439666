// SPDX-License-Identifier: Apache-2.0
// What became of what came to each webhook, for who looks after it: the last pushes that were
// taken, each a row, and of what was not taken how often that was, and why the last time.
//
// Whoever knows a webhook's address can send to it, and send again what he has seen, as often as he
// likes. So what is not taken has one row a webhook and kind, is counted in memory, and is written
// by keep(): a crash forgets what came since. What was taken is written in the transaction that
// takes it. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::events {

struct PushOutcome {
  enum class Kind : std::uint8_t {
    taken,
    refused,    // no good proof
    repeated,   // taken before
    malformed,  // well signed, but no JSON object
    no_room,    // too many events wait
  };
  Kind kind = Kind::taken;
  base::Timestamp at;      // the last time
  std::int64_t count = 1;  // how often; 1 where it was taken
  std::string reason;      // for people; empty where it was taken
  std::string forge;       // github, gitlab, gitea; of what is refused as it says itself, or empty
  std::string from;        // address of who sent it
  // Where it was taken; what the sender says, cut, or empty where he does not.
  std::string event_id = {};
  std::string event = {};
  std::string delivery = {};
  std::string repository = {};
  std::string ref = {};
  std::string commit = {};
};
[[nodiscard]] std::string_view to_string(PushOutcome::Kind kind);  // "TAKEN", "NO_ROOM"

class PushOutcomes {
 public:
  static constexpr std::int64_t kKept = 20;  // that were taken, of a webhook

  explicit PushOutcomes(store::Database& database);

  // Within the transaction that takes it.
  static void add_taken(store::Transaction& tx, const std::string& webhook,
                        const PushOutcome& outcome);
  // What was not taken, of a webhook that is there. Writes nothing.
  void note(const std::string& webhook, const PushOutcome& outcome);
  // Writes what was noted.
  void keep();
  void forget(store::Transaction& tx, const std::string& webhook);
  // Newest first; writes what was noted.
  [[nodiscard]] std::vector<PushOutcome> list(const std::string& webhook, std::size_t limit);

 private:
  // Webhook and kind.
  using Noted = std::map<std::pair<std::string, PushOutcome::Kind>, PushOutcome>;
  static void merge(Noted& into, const std::string& webhook, const PushOutcome& outcome);

  store::Database& database_;
  std::mutex mutex_;  // guards what follows
  Noted noted_;
};

}  // namespace andon::events
