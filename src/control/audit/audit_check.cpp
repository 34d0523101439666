// SPDX-License-Identifier: Apache-2.0
#include "control/audit/audit_check.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/error/error.hpp"
#include "control/audit/audit_anchor.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;

constexpr std::size_t kMostProblems = 100;
constexpr std::int64_t kStep = 500;

// Walks over entries in their order and compares each with the one before.
class Walk {
 public:
  Walk(store::Transaction& tx, AuditCheck& check, std::int64_t expected, std::string hash_before)
      : tx_(tx), check_(check), expected_(expected), hash_before_(std::move(hash_before)) {}

  void look_at(const store::Row& row) {
    const std::int64_t sequence = row.integer(0);
    if (sequence > expected_) {
      missing(expected_, sequence - 1, "removed");
      is_after_gap_ = true;
    }
    const std::string& content = row.text(3);
    const std::string& hash = row.text(4);
    if (entry_hash(hash_before_, content) != hash && !is_after_gap_) {
      problem(sequence,
              "does not fit its hash and the hash of the entry before: one of the two was changed");
    }
    is_after_gap_ = false;
    look_at_columns(row);
    expected_ = sequence + 1;
    hash_before_ = hash;
    ++check_.verified;
  }

  void end(const AuditHead& head) {
    if (expected_ <= head.last_sequence) {
      missing(expected_, head.last_sequence, "cut off at the end");
    } else if (hash_before_ != head.last_hash) {
      problem(head.last_sequence, "is not the last one that the signed head names");
    }
  }

  void problem(std::int64_t sequence, const std::string& what) {
    if (check_.problems.size() >= kMostProblems) return;
    check_.problems.push_back({sequence, "entry " + std::to_string(sequence) + " " + what});
  }
  [[nodiscard]] std::int64_t expected() const { return expected_; }

 private:
  void missing(std::int64_t from, std::int64_t to, const char* how) {
    if (check_.problems.size() >= kMostProblems) return;
    const bool is_one = from == to;
    check_.problems.push_back(
        {from, (is_one ? "entry " + std::to_string(from) + " is"
                       : "entries " + std::to_string(from) + " to " + std::to_string(to) + " are") +
                   " missing: " + how});
  }

  // What the indices lead by says what the content says.
  void look_at_columns(const store::Row& row) {
    const std::int64_t sequence = row.integer(0);
    try {
      const AuditEvent event = read_content(row.text(3));
      if (to_stored(event.time) != row.integer(1) || event.operation != row.text(2)) {
        return problem(sequence, "is listed with another time or operation than it has");
      }
      const auto told =
          tx_.query_one("SELECT count(*) FROM audit_resources WHERE sequence = $1", {sequence});
      std::vector<std::string> resources = event.resources;
      std::ranges::sort(resources);
      resources.erase(std::unique(resources.begin(), resources.end()), resources.end());
      if (told->integer(0) != std::ssize(resources)) {
        return problem(sequence, "is listed with other resources than it has");
      }
      for (const std::string& resource : resources) {
        if (!tx_.query_one("SELECT 1 FROM audit_resources WHERE resource = $1 AND time_ms = $2 "
                           "AND sequence = $3",
                           {resource, row.integer(1), sequence})) {
          return problem(sequence, "is not listed with its resource " + resource);
        }
      }
    } catch (const Error&) {
      problem(sequence, "cannot be read: its content was changed");
    }
  }

  store::Transaction& tx_;
  AuditCheck& check_;
  std::int64_t expected_;
  std::string hash_before_;
  bool is_after_gap_ = false;
};

void compare_with_anchor(store::Transaction& tx, const AuditHead& head,
                         const std::optional<AuditHead>& anchor, Walk& walk) {
  if (!anchor) return;
  if (anchor->last_sequence > head.last_sequence) {
    return walk.problem(anchor->last_sequence,
                        "was recorded and is not there: the log was put back to an earlier state");
  }
  if (anchor->last_sequence < head.first_sequence) return;
  const auto row =
      tx.query_one("SELECT hash FROM audit_entries WHERE sequence = $1", {anchor->last_sequence});
  if (row && row->text(0) != anchor->last_hash) {
    walk.problem(anchor->last_sequence,
                 "is another one than was recorded: the log was written anew");
  }
}

}  // namespace

AuditVerifier::Step AuditVerifier::step(std::int64_t from, std::int64_t limit) const {
  // Before the database, which must not be behind it.
  std::optional<AuditHead> anchor;
  std::string anchor_problem;
  if (!anchor_file_.empty()) {
    try {
      anchor = read_audit_anchor(anchor_file_, key_);
    } catch (const Error& error) {
      anchor_problem = error.message();
    }
  }
  return database_.read([&](store::Transaction& tx) {
    Step step;
    AuditCheck& check = step.check;
    if (!anchor_problem.empty()) check.problems.push_back({0, anchor_problem});
    AuditHead head;
    try {
      head = load_head(tx, key_);
    } catch (const Error& error) {
      check.problems.push_back({0, error.message()});
      check.is_at_end = true;
      return step;
    }
    check.first = head.first_sequence;
    check.last = head.last_sequence;
    check.last_hash = head.last_hash;
    const bool is_beginning = from <= head.first_sequence;
    std::string before = head.hash_before;
    std::int64_t expected = head.first_sequence;
    if (!is_beginning) {
      const auto row =
          tx.query_one("SELECT hash FROM audit_entries WHERE sequence = $1", {from - 1});
      // It was looked at just now, so somebody takes entries away at this moment.
      before = row ? row->text(0) : std::string();
      expected = from;
    }
    Walk walk(tx, check, expected, std::move(before));
    if (is_beginning) {
      if (const auto stray = tx.query_one(
              "SELECT sequence FROM audit_entries WHERE sequence < $1 ORDER BY sequence LIMIT 1",
              {head.first_sequence})) {
        walk.problem(stray->integer(0), "is older than the first one that the signed head names");
      }
    }
    std::int64_t after = expected - 1;
    while (check.verified < limit) {
      const auto rows = tx.query(
          "SELECT sequence, time_ms, operation, content, hash FROM audit_entries "
          "WHERE sequence > $1 ORDER BY sequence LIMIT $2",
          {after, std::min(kStep, limit - check.verified)});
      if (rows.empty()) {
        check.is_at_end = true;
        break;
      }
      for (const store::Row& row : rows) walk.look_at(row);
      after = walk.expected() - 1;
    }
    if (check.is_at_end) {
      walk.end(head);
      compare_with_anchor(tx, head, anchor, walk);
    } else {
      step.next = walk.expected();
    }
    return step;
  });
}

AuditCheck AuditVerifier::all() const {
  constexpr std::int64_t kAtOnce = 5000;
  AuditCheck sum;
  std::int64_t from = 0;
  do {
    Step one = step(from, kAtOnce);
    if (from == 0) sum.first = one.check.first;
    sum.verified += one.check.verified;
    sum.last = one.check.last;
    sum.last_hash = one.check.last_hash;
    sum.is_at_end = one.check.is_at_end;
    for (AuditProblem& problem : one.check.problems) {
      if (sum.problems.size() < kMostProblems) sum.problems.push_back(std::move(problem));
    }
    from = one.next;
  } while (from != 0);
  return sum;
}

}  // namespace andon::control
