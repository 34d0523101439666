// SPDX-License-Identifier: Apache-2.0
// Room: audit. Who did what, on what, and what came of it: a log that is only added to. Each
// entry's hash covers its content and the hash before it, and the head of the chain is signed
// (audit_chain.hpp), so that who verifies (audit_check.hpp) finds a changed byte, a removed entry
// and a cut end, each with its place.
//
// A change is on the disk before its answer goes out: write() and submit() end when it is; many
// share a commit. What changes nothing (note()) follows within a second, and a crash may lose it.
// Where the disk takes nothing, changes are to be refused (require_writable()) and reads go on;
// entries wait in memory, bounded, and what is then left out is counted in an entry.
// Bounded by age and bytes: the oldest go, the chain goes on from the hash of the last that went.
//
// One writes at a time, a thread of its own as a rule. Any thread may call; another process may add
// to the same database between two commits. Errors are base::Error.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/metrics/histogram.hpp"
#include "base/os/file.hpp"
#include "control/audit/audit_chain.hpp"
#include "control/audit/refusal_limits.hpp"
#include "control/audit/types.hpp"
#include "control/shared/background_worker.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct AuditOptions {
  std::string key;  // that the head is signed with
  AuditLimits limits = {};
  // Beside the database: the head as it was lately, so that a database that was put back to an
  // earlier state is found. Empty: none.
  base::fs::path anchor_file = {};
  // Told of each entry once it is on the disk, in order, by whoever writes. Must not block.
  std::function<void(const AuditEntry&)> on_recorded = {};
};

class AuditLog {
 public:
  // Null: it is on the disk. Called by whoever writes: short, throws nothing.
  using Done = std::function<void(std::exception_ptr)>;

  // `database` is the log's own; its schema is brought up to date. Throws data_corrupted where the
  // head is not this server's, or behind the anchor.
  AuditLog(store::Database& database, const base::Clock& clock, AuditOptions options);
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;
  // Writes what waits, as far as the disk takes it.
  ~AuditLog();

  // Before a change: throws unavailable while entries cannot be written, which is tried now.
  void require_writable();
  // Of a change. `done` says whether the entry is on the disk; where it is not yet, it is tried on.
  void submit(AuditEvent event, Done done);
  // The same for who waits. Throws unavailable where it is not on the disk.
  void write(AuditEvent event);
  // Of what has changed nothing.
  void note(AuditEvent event);
  // Of what was refused; beyond RefusalLimits it is counted only.
  void note_refusal(AuditEvent event);
  // Waits until all that was given before is on the disk, or could not be written.
  void flush();

  [[nodiscard]] AuditPage list(const AuditRead& wanted) const;
  [[nodiscard]] std::optional<AuditEntry> find(std::int64_t sequence) const;
  // Of an AKIA... key, to the minute; temporary ones are not remembered.
  [[nodiscard]] std::optional<KeyUse> last_use(const std::string& access_key_id) const;
  [[nodiscard]] AuditHead head() const;
  [[nodiscard]] base::Timestamp now() const { return clock_.now(); }
  [[nodiscard]] const std::string& key() const { return options_.key; }
  [[nodiscard]] const base::fs::path& anchor_file() const { return options_.anchor_file; }
  [[nodiscard]] const store::Database& database() const { return database_; }

  struct Counts {
    Counts();
    std::uint64_t recorded = 0;
    std::uint64_t over_rate = 0;  // refusals without an entry of their own
    std::uint64_t lost = 0;       // reads for which there was no room while the disk took nothing
    std::uint64_t waiting = 0;
    bool is_writable = true;
    base::Histogram seconds;  // of commits
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Waiting {
    AuditEvent event;
    Done done;
  };
  void add(Waiting waiting);
  bool step();
  [[nodiscard]] std::string problem() const;
  [[nodiscard]] std::vector<Waiting*> next_batch();
  [[nodiscard]] std::vector<AuditEntry> commit(const std::vector<Waiting*>& batch);
  void cut(store::Transaction& tx, AuditHead& head, std::vector<AuditEntry>& written);
  void note_key_uses(store::Transaction& tx, const std::vector<Waiting*>& batch);
  void settle(std::size_t count, const std::exception_ptr& failure);
  void keep_anchor(const AuditHead& head);

  store::Database& database_;
  const base::Clock& clock_;
  const AuditOptions options_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable settled_changed_;
  std::deque<Waiting> waiting_;
  std::uint64_t taken_ = 0;    // entries that were ever given
  std::uint64_t settled_ = 0;  // of those, written
  std::uint64_t failures_ = 0;
  std::string problem_;  // why nothing can be written; empty: it can
  std::uint64_t lost_unsaid_ = 0;
  RefusalLimits refusals_;
  Counts counts_;
  std::mutex stepping_;  // one writes at a time; guards what follows
  std::unordered_map<std::string, std::int64_t> key_minutes_;  // when a use was last written
  std::chrono::steady_clock::time_point anchored_{};
  std::chrono::steady_clock::time_point cut_{};
  std::int64_t anchored_sequence_ = 0;
  std::optional<BackgroundWorker> worker_;  // last: it uses all of the above
};

}  // namespace andon::control
