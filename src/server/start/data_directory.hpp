// SPDX-License-Identifier: Apache-2.0
// The server's data directory, opened: lock, database, object store, certificates, operator's key.
// `andon-server init` makes one of these and ends; `run` builds the rest upon it. One process at a
// time. Made whole by the next start wherever a crash cut the first one short; what was there once
// and is lost or damaged is never begun anew, but said (data_corrupted).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "control/identity/access_keys.hpp"
#include "server/broker/authority.hpp"
#include "server/options/server_options.hpp"
#include "store/objects/object_store.hpp"
#include "store/sql/database.hpp"
#include "trust/keys/seal.hpp"

namespace andon::server {

class DataDirectory {
 public:
  // Throws failed_precondition where another server has the directory, data_corrupted where a
  // database or the CA was lost.
  DataDirectory(const ServerOptions& options, const base::Clock& clock);

  [[nodiscard]] const base::fs::path& path() const { return path_; }
  [[nodiscard]] store::Database& database() { return *database_; }
  // Of the workflow engine, which commits much more often than all else.
  [[nodiscard]] store::Database& workflow_database() { return *workflow_database_; }
  [[nodiscard]] store::Database& logs_database() { return *logs_database_; }
  [[nodiscard]] store::Database& results_database() { return *results_database_; }
  [[nodiscard]] store::Database& features_database() { return *features_database_; }
  [[nodiscard]] store::Database& audit_database() { return *audit_database_; }
  [[nodiscard]] store::ObjectStore& objects() { return objects_; }
  [[nodiscard]] control::AccessKeys& access_keys() { return access_keys_; }
  [[nodiscard]] const Authority& authority() const { return authority_; }
  // {"accessKeyId", "secretAccessKey", "region"} as JSON, readable by its owner only.
  [[nodiscard]] base::fs::path operator_key_file() const;
  [[nodiscard]] const control::AccessKey& operator_key() const { return operator_key_; }

  // Of secrets in the databases.
  [[nodiscard]] const trust::SealingKey& sealing_key() const { return sealing_key_; }

  // That the head of the audit log is signed with.
  [[nodiscard]] const std::string& audit_key() const { return audit_key_; }

  // The files that this start made.
  [[nodiscard]] const std::vector<base::fs::path>& written() const { return written_; }

 private:
  [[nodiscard]] std::unique_ptr<store::Database> open_main_database() const;
  [[nodiscard]] std::unique_ptr<store::Database> open_beside(const char* file,
                                                             std::size_t cache_kib);
  [[nodiscard]] control::AccessKey ensure_operator_key(const std::string& region);
  [[nodiscard]] trust::SealingKey ensure_sealing_key();
  [[nodiscard]] std::string ensure_audit_key();
  [[nodiscard]] std::string write_new_key(const base::fs::path& file);

  base::fs::path path_;
  base::FileLock lock_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::Database> workflow_database_;
  std::unique_ptr<store::Database> logs_database_;
  std::unique_ptr<store::Database> results_database_;
  std::unique_ptr<store::Database> features_database_;
  std::unique_ptr<store::Database> audit_database_;
  store::ObjectStore objects_;
  Authority authority_;
  control::AccessKeys access_keys_;
  std::vector<base::fs::path> written_;
  control::AccessKey operator_key_;
  trust::SealingKey sealing_key_;
  std::string audit_key_;
};

}  // namespace andon::server
