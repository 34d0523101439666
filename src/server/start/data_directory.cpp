// SPDX-License-Identifier: Apache-2.0
#include "server/start/data_directory.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "server/backup/data_check.hpp"
#include "server/backup/sealing_file.hpp"
#include "server/start/served_addresses.hpp"

namespace andon::server {
namespace {

using base::fs::path;

constexpr unsigned kPrivateDirectory = 0700;
constexpr unsigned kPrivateFile = 0600;
constexpr std::size_t kWorkflowCacheKib = 4096;
constexpr std::size_t kLogsCacheKib = 1024;
constexpr std::size_t kResultsCacheKib = 8192;  // the pages that inserts go to
constexpr std::size_t kFeaturesCacheKib = 4096;
constexpr std::size_t kAuditCacheKib = 1024;

// What the server's certificate must be good for: also the addresses that it listens on, by which
// it reaches its own broker, and what devices were enrolled under before --host changed, until they
// have heard of it.
std::vector<std::string> certificate_names(const ServerOptions& options,
                                           const std::vector<std::string>& hosts_before) {
  std::vector<std::string> names = options.hosts;
  names.insert(names.end(), hosts_before.begin(), hosts_before.end());
  for (const std::string& address : {options.api_address, options.device_address}) {
    if (address != "0.0.0.0" && address != "::") names.push_back(address);
  }
  return names;
}

path make_private(const path& directory) {
  base::make_directories(directory, kPrivateDirectory);
  return base::fs::canonical(directory);
}

}  // namespace

DataDirectory::DataDirectory(const ServerOptions& options, const base::Clock& clock)
    : path_(make_private(options.data)),
      lock_(path_ / "lock"),
      database_(open_main_database()),
      workflow_database_(open_beside(kWorkflowDatabaseFile, kWorkflowCacheKib)),
      logs_database_(open_beside(kLogsDatabaseFile, kLogsCacheKib)),
      results_database_(open_beside(kResultsDatabaseFile, kResultsCacheKib)),
      features_database_(open_beside(kFeaturesDatabaseFile, kFeaturesCacheKib)),
      audit_database_(open_beside(kAuditDatabaseFile, kAuditCacheKib)),
      objects_(*database_, path_ / kObjectsDirectory, clock),
      authority_(path_, certificate_names(options, hosts_served_before(*database_)), clock.now()),
      access_keys_(*database_, clock),
      written_(authority_.written()),
      operator_key_(ensure_operator_key(options.region)),
      sealing_key_(ensure_sealing_key()),
      audit_key_(ensure_audit_key()) {
  objects_.sweep();
}

// The CA was made when the database had content already, so beside a CA a database without any is
// one that was lost; and who has enrolled devices has a CA.
std::unique_ptr<store::Database> DataDirectory::open_main_database() const {
  const base::fs::path certificate = path_ / "ca/ca.crt";
  const bool has_authority = base::fs::exists(certificate);
  auto database = store::open_sqlite(
      path_ / kDatabaseFile,
      {.absent = has_authority ? store::IfAbsent::refuse : store::IfAbsent::make});
  const bool has_devices = database->read([](store::Transaction& tx) {
    return tx.query_one("SELECT 1 FROM sqlite_schema WHERE name = 'certificates'") &&
           tx.query_one("SELECT 1 FROM certificates LIMIT 1");
  });
  if (has_devices && !has_authority) {
    throw base::Error(base::ErrorCode::data_corrupted,
                      "the CA's certificate '" + certificate.string() +
                          "' is missing, and devices have certificates of that CA: restore ca/ "
                          "from a backup; a new CA would lock out every device");
  }
  return database;
}

// Data from before there was such a database does not know of it; else it must be there.
std::unique_ptr<store::Database> DataDirectory::open_beside(const char* file,
                                                            std::size_t cache_kib) {
  database_->migrate("server",
                     {{"0001-data-files", "CREATE TABLE data_files (name TEXT PRIMARY KEY);"}});
  const bool is_known = database_->read([file](store::Transaction& tx) {
    return tx.query_one("SELECT 1 FROM data_files WHERE name = $1", {file}).has_value();
  });
  auto database = store::open_sqlite(
      path_ / file, {.absent = is_known ? store::IfAbsent::refuse : store::IfAbsent::make,
                     .cache_kib = cache_kib});
  if (!is_known) {
    database->migrate("server", {});  // leaves its mark: from now on it has content
    database_->write([file](store::Transaction& tx) {
      tx.execute("INSERT INTO data_files (name) VALUES ($1)", {file});
    });
  }
  return database;
}

path DataDirectory::operator_key_file() const {
  return path_ / "credentials/operator.json";
}

// The database knows which key is good; the file is written after it, so a start that was cut short
// between the two finds the key and writes the file.
control::AccessKey DataDirectory::ensure_operator_key(const std::string& region) {
  const auto keys = access_keys_.list_of(std::string(control::kOperatorPrincipal));
  const auto good =
      std::ranges::find_if(keys, [](const control::AccessKey& key) { return !key.is_disabled; });
  const control::AccessKey key =
      good != keys.end() ? *good : access_keys_.create(std::string(control::kOperatorPrincipal));
  const std::string content = base::to_pretty_text(
      {{"accessKeyId", key.id}, {"secretAccessKey", key.secret}, {"region", region}});
  if (base::read_file_if_exists(operator_key_file()) != content) {
    base::write_file_atomically(operator_key_file(), content, kPrivateFile);
    written_.push_back(operator_key_file());
  }
  return key;
}

// A new key would not open what the old one sealed.
trust::SealingKey DataDirectory::ensure_sealing_key() {
  if (const auto problem = sealing_problem(path_, *database_)) {
    throw base::Error(base::ErrorCode::data_corrupted, *problem);
  }
  auto bytes = read_sealing_key(path_);
  if (!bytes) {
    bytes = write_new_key(path_ / kSealingKeyFile);
  }
  note_sealing_key(*database_, *bytes);
  return trust::SealingKey(*bytes);
}

// With a new key nothing that was signed would fit.
std::string DataDirectory::ensure_audit_key() {
  const base::fs::path file = path_ / kAuditKeyFile;
  if (base::fs::exists(file)) return read_audit_key(path_);
  const bool has_entries = audit_database_->read([](store::Transaction& tx) {
    return tx.query_one("SELECT 1 FROM sqlite_schema WHERE name = 'audit_head'") &&
           tx.query_one("SELECT 1 FROM audit_head");
  });
  if (has_entries) {
    throw base::Error(base::ErrorCode::data_corrupted,
                      "'" + file.string() +
                          "' is missing, and the audit log is signed with it: restore it from a "
                          "backup");
  }
  return write_new_key(file);
}

std::string DataDirectory::write_new_key(const base::fs::path& file) {
  std::string bytes = trust::SealingKey::make();
  write_key_file(file, bytes);
  written_.push_back(file);
  return bytes;
}

}  // namespace andon::server
