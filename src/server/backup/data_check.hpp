// SPDX-License-Identifier: Apache-2.0
// The whole check of a data directory, beside a server that uses it or without one: every page of
// the databases, the CA's key, the key that secrets are sealed with, and every byte of the object
// store that the index names. Changes nothing. Any thread.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/os/file.hpp"

namespace andon::server {

inline constexpr const char* kDatabaseFile = "andon.db";
inline constexpr const char* kWorkflowDatabaseFile = "workflow.db";
inline constexpr const char* kLogsDatabaseFile = "logs.db";
inline constexpr const char* kResultsDatabaseFile = "results.db";
inline constexpr const char* kFeaturesDatabaseFile = "features.db";
inline constexpr const char* kAuditDatabaseFile = "audit.db";
inline constexpr const char* kAuditKeyFile = "credentials/audit.key";
// The end of the audit log as it was lately, signed.
inline constexpr const char* kAuditAnchorFile = "credentials/audit-head.json";
inline constexpr const char* kObjectsDirectory = "objects";

struct DataReport {
  std::vector<std::string> problems;  // each names its file; the first hundred
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;  // of the blobs
};

// Throws not_found where there is no data directory; what is wrong inside it is a problem, not an
// error. Ends early, with what was found, when `stop` is asked for.
[[nodiscard]] DataReport check_data(const base::fs::path& data, const std::stop_token& stop = {});

// The databases that this directory has, or should have: data from before there were logs, or
// results, has none of them.
[[nodiscard]] std::vector<std::string> database_files(const base::fs::path& data);

// The key that the head of the audit log is signed with. Throws not_found, data_corrupted.
[[nodiscard]] std::string read_audit_key(const base::fs::path& data);

// The databases alone, with the chain of the audit log, which is what a running server does by
// itself.
[[nodiscard]] std::vector<std::string> check_databases(const base::fs::path& data,
                                                       const std::stop_token& stop = {});

}  // namespace andon::server
