// SPDX-License-Identifier: Apache-2.0
// Room: upkeep. What the server keeps, what it takes, and copies of it (service "andon"):
// DescribeStorage, ListBackups, CreateBackup, DeleteBackup, ListEndingCertificates. Rows for the
// operation table; who makes backups is the server itself (server/backup), which hands in how. Any
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/table/operation.hpp"
#include "base/time/time.hpp"

namespace andon::api {

// For how long something is kept, and the server's option that says so.
struct KeptFor {
  std::string what;
  int days = 0;  // 0: until there is no room
  std::string option;
};
struct StoreUse {
  std::string name;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> limit_bytes = {};
  std::string limit_option = {};
  std::vector<KeptFor> kept = {};
};
struct StorageUse {
  std::vector<StoreUse> stores;
  std::uint64_t free_bytes = 0;  // of the disk with the server's data
  std::uint64_t size_bytes = 0;
};

struct BackupFacts {
  std::string name;
  base::Timestamp made;
  std::uint64_t bytes = 0;
  std::uint64_t objects = 0;
};
struct BackupsState {
  std::string directory;
  std::size_t most = 0;              // kept; the oldest go
  std::vector<BackupFacts> backups;  // newest first
  std::optional<base::Timestamp> running_since;
  std::string failure;  // of the last one; empty: none
};

// A certificate and its end: of a device, or the server's own by what it is for.
struct CertificateEnd {
  std::string id;  // SHA-256 of the DER, lower-case hex
  std::string thing = {};
  std::string name = {};                // "api", "server", "ca"
  std::vector<std::string> names = {};  // DNS names and addresses that it is for
  base::Timestamp not_after;
};

struct UpkeepParts {
  std::function<StorageUse()> storage;
  std::function<BackupsState()> backups;
  // Begins; answers the name that it will have. Throws conflict where one is under way.
  std::function<std::string()> make_backup;
  std::function<void(const std::string& name)> remove_backup;
  // Those that are over, or end within so many days, a bounded number; and the server's own.
  std::function<std::vector<CertificateEnd>(std::chrono::days)> ending_certificates = {};
  std::function<std::vector<CertificateEnd>()> own_certificates = {};
};

[[nodiscard]] std::vector<Operation> upkeep_operations(UpkeepParts parts);

}  // namespace andon::api
