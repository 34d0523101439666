// SPDX-License-Identifier: Apache-2.0
// The server's data directory, opened: lock, database, object store, certificates, operator's key.
// `andon-server init` makes one of these and ends; `run` builds the rest upon it. One process at a
// time. Made whole by the next start wherever a crash cut the first one short.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/time.hpp"
#include "control/access_keys.hpp"
#include "server/authority.hpp"
#include "server/options.hpp"
#include "store/database.hpp"
#include "store/object_store.hpp"

namespace andon::server {

class DataDirectory {
 public:
  // Throws failed_precondition where another server has the directory.
  DataDirectory(const ServerOptions& options, const base::Clock& clock);

  [[nodiscard]] const base::fs::path& path() const { return path_; }
  [[nodiscard]] store::Database& database() { return *database_; }
  [[nodiscard]] store::ObjectStore& objects() { return objects_; }
  [[nodiscard]] control::AccessKeys& access_keys() { return access_keys_; }
  [[nodiscard]] const Authority& authority() const { return authority_; }
  // {"accessKeyId", "secretAccessKey", "region"} as JSON, readable by its owner only.
  [[nodiscard]] base::fs::path operator_key_file() const;
  [[nodiscard]] const control::AccessKey& operator_key() const { return operator_key_; }

  // The files that this start made.
  [[nodiscard]] const std::vector<base::fs::path>& written() const { return written_; }

 private:
  [[nodiscard]] control::AccessKey ensure_operator_key(const std::string& region);

  base::fs::path path_;
  base::FileLock lock_;
  std::unique_ptr<store::Database> database_;
  store::ObjectStore objects_;
  Authority authority_;
  control::AccessKeys access_keys_;
  std::vector<base::fs::path> written_;
  control::AccessKey operator_key_;
};

}  // namespace andon::server
