// SPDX-License-Identifier: Apache-2.0
// Verifies the audit log: each hash, each number, what stands in columns beside the content, and
// that the chain begins and ends where the signed head says. In steps, beside a server that writes.
// What it can show: that no entry was changed, taken out, put in or cut off by who does not have
// the server's key (credentials/audit.key). Who has that key, or puts database and anchor back to
// an earlier state together, is found only by what left the machine: an export, or syslog.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"
#include "control/audit/audit_chain.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct AuditProblem {
  std::int64_t sequence = 0;  // where
  std::string what;
};

struct AuditCheck {
  std::vector<AuditProblem> problems;  // the first hundred
  std::int64_t verified = 0;           // entries
  std::int64_t first = 0;              // of all that are kept
  std::int64_t last = 0;
  std::string last_hash;
  bool is_at_end = false;
};

// Goes on where the call before ended.
class AuditVerifier {
 public:
  // `anchor_file` as in AuditOptions. Both are kept by reference.
  AuditVerifier(const store::Database& database, std::string_view key,
                const base::fs::path& anchor_file)
      : database_(database), key_(key), anchor_file_(anchor_file) {}

  // From the entry `from` on (0: the first) at most `limit` entries, which are compared with the
  // one before `from`. `next` of the answer is where to go on.
  struct Step {
    AuditCheck check;
    std::int64_t next = 0;  // 0: that was all
  };
  [[nodiscard]] Step step(std::int64_t from, std::int64_t limit) const;
  // All of it.
  [[nodiscard]] AuditCheck all() const;

 private:
  const store::Database& database_;
  std::string_view key_;
  const base::fs::path& anchor_file_;
};

}  // namespace andon::control
