// SPDX-License-Identifier: Apache-2.0
// How the log is written and cut; how it is read is in audit_query.cpp.
#include "control/audit/audit_log.hpp"

#include <algorithm>
#include <array>
#include <future>
#include <iterator>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "control/audit/audit_anchor.hpp"
#include "control/audit/schema.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using SteadyClock = std::chrono::steady_clock;

constexpr std::array kBoundsSeconds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                    0.05,   0.1,   0.25,   0.5,   1.0,  2.5};
constexpr std::size_t kBatch = 512;
constexpr std::int64_t kCutRows = 2000;  // in one commit
// Down to so much of the room at once, so that not each commit has to cut.
constexpr std::int64_t kCutTo = 95;
constexpr std::int64_t kPercent = 100;
constexpr std::chrono::minutes kBetweenCuts{1};
constexpr std::chrono::minutes kBetweenAnchors{1};
constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::size_t kMostKeys = 20'000;
constexpr std::chrono::days kKeysKept{400};

store::Database& migrated(store::Database& database) {
  migrate_audit_schema(database);
  return database;
}

AuditEvent server_event(base::Timestamp now, std::string_view operation) {
  return {.time = now,
          .via = std::string(audit_via::kServer),
          .principal = "server",
          .name = "server",
          .service = "andon",
          .operation = std::string(operation)};
}

Error cannot_write(const std::string& problem) {
  return {ErrorCode::unavailable, "the audit log cannot be written (" + problem +
                                      "): nothing is changed unless it is recorded; reads go on"};
}

AuditEntry append(store::Transaction& tx, AuditHead& head, const AuditEvent& event) {
  AuditEntry entry{.sequence = head.last_sequence + 1, .event = event, .content = {}, .hash = {}};
  entry.content = to_content(entry.sequence, event);
  entry.hash = entry_hash(head.last_hash, entry.content);
  // As it will be read again, so that both are one.
  const AuditEvent kept = read_content(entry.content);
  const std::int64_t time = to_stored(kept.time);
  tx.execute(
      "INSERT INTO audit_entries (sequence, time_ms, operation, content, hash) "
      "VALUES ($1, $2, $3, $4, $5)",
      {entry.sequence, time, kept.operation, entry.content, entry.hash});
  for (const std::string& resource : kept.resources) {
    tx.execute(
        "INSERT INTO audit_resources (resource, time_ms, sequence) VALUES ($1, $2, $3) "
        "ON CONFLICT DO NOTHING",
        {resource, time, entry.sequence});
  }
  head.last_sequence = entry.sequence;
  head.last_hash = entry.hash;
  head.bytes += stored_bytes(entry.content);
  return entry;
}

}  // namespace

AuditLog::Counts::Counts() : seconds(kBoundsSeconds) {}

AuditLog::AuditLog(store::Database& database, const base::Clock& clock, AuditOptions options)
    : database_(migrated(database)), clock_(clock), options_(std::move(options)) {
  const AuditHead now = head();
  if (!options_.anchor_file.empty()) {
    const auto anchor = read_audit_anchor(options_.anchor_file, options_.key);
    if (anchor && anchor->last_sequence > now.last_sequence) {
      throw Error(ErrorCode::data_corrupted,
                  "the audit log ends with entry " + std::to_string(now.last_sequence) +
                      ", but this server has had entry " + std::to_string(anchor->last_sequence) +
                      " ('" + options_.anchor_file.string() +
                      "'): its end was removed; restore a backup");
    }
    if (anchor) anchored_sequence_ = anchor->last_sequence;
  }
  const auto work = [this] {
    const std::lock_guard lock(stepping_);
    return step();
  };
  worker_.emplace("audit log", work, options_.limits.gathering);
}

AuditLog::~AuditLog() {
  flush();
  worker_.reset();
  try {
    keep_anchor(head());
  } catch (const Error& error) {
    base::log_error("the audit log's anchor was not written", {{"reason", error.message()}});
  }
}

void AuditLog::require_writable() {
  if (!problem().empty()) {
    // With room again nobody has to wait for the next attempt.
    const std::lock_guard lock(stepping_);
    try {
      if (!problem().empty()) step();
    } catch (const Error&) {
      throw cannot_write(problem());
    }
  }
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= options_.limits.waiting) {
    throw cannot_write(std::to_string(waiting_.size()) + " entries wait for the disk");
  }
}

std::string AuditLog::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

// Changes have twice the room: reads are left out before any change is.
void AuditLog::add(Waiting waiting) {
  const std::lock_guard lock(mutex_);
  const bool is_waited_for = static_cast<bool>(waiting.done);
  const std::size_t most = options_.limits.waiting * (is_waited_for ? 2 : 1);
  if (waiting_.size() >= most) {
    if (is_waited_for) throw cannot_write("no room for more entries that wait for the disk");
    ++counts_.lost;
    ++lost_unsaid_;
    return;
  }
  waiting_.push_back(std::move(waiting));
  ++taken_;
}

void AuditLog::submit(AuditEvent event, Done done) {
  add({std::move(event), std::move(done)});
  worker_->wake();
}

void AuditLog::write(AuditEvent event) {
  std::promise<void> recorded;
  submit(std::move(event), [&recorded](const std::exception_ptr& failure) {
    if (failure) {
      recorded.set_exception(failure);
    } else {
      recorded.set_value();
    }
  });
  recorded.get_future().get();
}

void AuditLog::note(AuditEvent event) {
  add({std::move(event), nullptr});
}

void AuditLog::note_refusal(AuditEvent event) {
  {
    const std::lock_guard lock(mutex_);
    const bool is_known = !event.principal.empty();
    if (!refusals_.take(is_known ? RefusalLimits::Who::known : RefusalLimits::Who::unknown,
                        is_known ? event.principal : event.address, SteadyClock::now())) {
      ++counts_.over_rate;
      return;
    }
  }
  note(std::move(event));
}

void AuditLog::flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = taken_;
  const std::uint64_t failures = failures_;
  if (settled_ >= wanted) return;
  lock.unlock();
  worker_->wake();
  lock.lock();
  settled_changed_.wait(lock, [&] { return settled_ >= wanted || failures_ > failures; });
}

AuditLog::Counts AuditLog::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts = counts_;
  counts.waiting = waiting_.size();
  counts.is_writable = problem_.empty();
  return counts;
}

// Pushing to a deque's end leaves its elements where they are, and nobody else takes any out.
std::vector<AuditLog::Waiting*> AuditLog::next_batch() {
  const std::lock_guard lock(mutex_);
  if (const auto left_out = refusals_.left_out(SteadyClock::now())) {
    AuditEvent event = server_event(clock_.now(), "RefusalsNotRecorded");
    event.access = AuditAccess::read;
    event.outcome = AuditOutcome::denied;
    event.count = left_out->count;
    event.resources = left_out->sources;
    waiting_.push_back({std::move(event), nullptr});
    ++taken_;
  }
  if (lost_unsaid_ > 0 && problem_.empty() && waiting_.size() < options_.limits.waiting) {
    AuditEvent event = server_event(clock_.now(), "ReadsNotRecorded");
    event.access = AuditAccess::read;
    event.outcome = AuditOutcome::error;
    event.count = std::exchange(lost_unsaid_, 0);
    waiting_.push_back({std::move(event), nullptr});
    ++taken_;
  }
  std::vector<Waiting*> batch;
  for (Waiting& one : waiting_) {
    if (batch.size() == kBatch) break;
    batch.push_back(&one);
  }
  return batch;
}

bool AuditLog::step() {
  const auto batch = next_batch();
  const auto begun = SteadyClock::now();
  if (batch.empty() && begun - cut_ < kBetweenCuts) return false;
  std::vector<AuditEntry> written;
  try {
    written = commit(batch);
  } catch (...) {
    cut_ = {};
    key_minutes_.clear();
    settle(0, std::current_exception());
    throw;
  }
  {
    const std::chrono::duration<double> took = SteadyClock::now() - begun;
    const std::lock_guard lock(mutex_);
    counts_.recorded += written.size();
    counts_.seconds.observe(took.count());
  }
  settle(batch.size(), nullptr);
  if (options_.on_recorded) {
    for (const AuditEntry& entry : written) options_.on_recorded(entry);
  }
  if (begun - anchored_ >= kBetweenAnchors) {
    anchored_ = begun;
    keep_anchor(head());
  }
  return batch.size() == kBatch;
}

std::vector<AuditEntry> AuditLog::commit(const std::vector<Waiting*>& batch) {
  std::vector<AuditEntry> written;
  database_.write([&](store::Transaction& tx) {
    written.clear();
    AuditHead head = load_head(tx, options_.key);
    const std::int64_t before = head.last_sequence;
    for (const Waiting* one : batch) written.push_back(append(tx, head, one->event));
    const std::int64_t first = head.first_sequence;
    cut(tx, head, written);
    if (head.last_sequence != before || head.first_sequence != first) {
      store_head(tx, head, options_.key);
    }
    note_key_uses(tx, batch);
  });
  return written;
}

// The oldest, where they are too old or take too much room.
void AuditLog::cut(store::Transaction& tx, AuditHead& head, std::vector<AuditEntry>& written) {
  const bool is_full = head.bytes > options_.limits.total_bytes;
  const auto now = SteadyClock::now();
  if (!is_full && now - cut_ < kBetweenCuts) return;
  cut_ = now;
  const std::int64_t oldest = to_stored(clock_.now() - options_.limits.keep);
  const std::int64_t most =
      is_full ? options_.limits.total_bytes / kPercent * kCutTo : options_.limits.total_bytes;
  std::int64_t gone = 0;
  for (const store::Row& row : tx.query(
           "SELECT sequence, time_ms, content, hash FROM audit_entries ORDER BY sequence LIMIT $1",
           {kCutRows})) {
    if (row.integer(1) >= oldest && head.bytes <= most) break;
    // The newest stays, and with it the chain.
    if (row.integer(0) >= head.last_sequence) break;
    head.bytes -= stored_bytes(row.text(2));
    head.hash_before = row.text(3);
    gone = row.integer(0);
  }
  if (gone == 0) return;
  tx.execute("DELETE FROM audit_entries WHERE sequence <= $1", {gone});
  tx.execute("DELETE FROM audit_resources WHERE sequence <= $1", {gone});
  tx.execute("DELETE FROM access_key_uses WHERE time_ms < $1",
             {to_stored(clock_.now() - kKeysKept)});
  AuditEvent event = server_event(clock_.now(), "ForgetAuditEntries");
  event.detail = "entries " + std::to_string(head.first_sequence) + " to " + std::to_string(gone);
  head.first_sequence = gone + 1;
  written.push_back(append(tx, head, event));
}

void AuditLog::note_key_uses(store::Transaction& tx, const std::vector<Waiting*>& batch) {
  if (key_minutes_.size() > kMostKeys) key_minutes_.clear();
  for (const Waiting* one : batch) {
    const AuditEvent& event = one->event;
    if (event.principal.empty() || event.via != audit_via::kApi ||
        !event.access_key_id.starts_with("AKIA")) {
      continue;
    }
    const std::int64_t time = to_stored(event.time);
    std::int64_t& minute = key_minutes_[event.access_key_id];
    if (minute == time / kMinuteMs) continue;
    minute = time / kMinuteMs;
    tx.execute(
        "INSERT INTO access_key_uses (key_id, time_ms, service, region) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (key_id) DO UPDATE SET time_ms = excluded.time_ms, "
        "service = excluded.service, region = excluded.region",
        {event.access_key_id, time, event.service, event.region});
  }
}

void AuditLog::settle(std::size_t count, const std::exception_ptr& failure) {
  std::vector<Done> told;
  std::exception_ptr said = failure;
  {
    const std::lock_guard lock(mutex_);
    if (failure) {
      ++failures_;
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& error) {
        problem_ = error.what();
      }
      said = std::make_exception_ptr(Error(ErrorCode::unavailable,
                                           "the change was made, but its entry in the audit log is "
                                           "not on the disk yet (" +
                                               problem_ + ")"));
      // The entries stay, and are tried on; who waits is told.
      for (Waiting& one : waiting_) {
        if (one.done) told.push_back(std::exchange(one.done, nullptr));
      }
    } else {
      problem_.clear();
      for (std::size_t i = 0; i < count; ++i) {
        if (waiting_.front().done) told.push_back(std::move(waiting_.front().done));
        waiting_.pop_front();
      }
      settled_ += count;
    }
  }
  settled_changed_.notify_all();
  for (const Done& done : told) done(said);
}

void AuditLog::keep_anchor(const AuditHead& head) {
  if (options_.anchor_file.empty() || head.last_sequence == anchored_sequence_) return;
  write_audit_anchor(options_.anchor_file, head, options_.key);
  anchored_sequence_ = head.last_sequence;
}

}  // namespace andon::control
