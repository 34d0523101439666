// SPDX-License-Identifier: Apache-2.0
// How entries hang together: an entry's hash is SHA-256 over the hash before it (hex) and its
// content; the head says between which hashes the chain stands, and is signed (HMAC-SHA-256) with a
// key of the server. Pure but for the tables that are read and written. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json/fwd.hpp"
#include "control/audit/types.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// The one form of an entry's content. Texts are cut and made UTF-8 here.
[[nodiscard]] std::string to_content(std::int64_t sequence, const AuditEvent& event);
// Throws data_corrupted for what to_content() has not made.
[[nodiscard]] AuditEvent read_content(std::string_view content);

[[nodiscard]] std::string entry_hash(std::string_view hash_before, std::string_view content);

struct AuditHead {
  std::int64_t first_sequence = 1;
  std::string hash_before = std::string(64, '0');
  std::int64_t last_sequence = 0;  // below first_sequence where there is none
  std::string last_hash = std::string(64, '0');
  std::int64_t bytes = 0;  // of all entries
};

[[nodiscard]] std::string sign_head(const AuditHead& head, std::string_view key);

// Throws data_corrupted for one that was not signed with this key, or is gone while there are
// entries. A log that never had an entry has the head of none.
[[nodiscard]] AuditHead load_head(store::Transaction& tx, std::string_view key);
void store_head(store::Transaction& tx, const AuditHead& head, std::string_view key);

// What an entry takes of AuditLimits::total_bytes.
[[nodiscard]] std::int64_t stored_bytes(std::string_view content);

}  // namespace andon::control
