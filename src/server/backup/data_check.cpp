// SPDX-License-Identifier: Apache-2.0
#include "server/backup/data_check.hpp"

#include "base/error/error.hpp"
#include "control/audit/audit_check.hpp"
#include "server/backup/sealing_file.hpp"
#include "store/objects/blob_directory.hpp"
#include "store/objects/named_blobs.hpp"
#include "store/sql/database_check.hpp"
#include "trust/digests/digest.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::server {
namespace {

using base::Error;
using base::ErrorCode;
using base::fs::path;

constexpr std::size_t kMaxProblems = 100;

void check_authority(const path& data, DataReport& report) {
  const path certificate_file = data / "ca/ca.crt";
  const path key_file = data / "ca/ca.key";
  try {
    if (!trust::is_key_of(base::read_file(key_file), base::read_file(certificate_file))) {
      report.problems.push_back("'" + key_file.string() + "' does not belong to '" +
                                certificate_file.string() + "'");
    }
  } catch (const Error& error) {
    report.problems.push_back("the CA's key pair: " + error.message());
  }
}

void check_blob(const path& file, const store::NamedBlob& blob, DataReport& report) {
  std::error_code error;
  const std::uintmax_t size = base::fs::file_size(file, error);
  if (error) {
    report.problems.push_back("'" + file.string() + "' is missing, an object's content");
  } else if (size != blob.size) {
    report.problems.push_back("'" + file.string() + "' has " + std::to_string(size) +
                              " bytes instead of " + std::to_string(blob.size));
  } else if (trust::sha256_hex_of_file(file) != blob.sha256) {
    report.problems.push_back("'" + file.string() + "' has another content than its name says");
  }
  ++report.blobs;
  report.bytes += blob.size;
}

void check_audit(const path& data, const std::stop_token& stop,
                 std::vector<std::string>& problems) {
  constexpr std::int64_t kAtOnce = 2000;
  const std::string name = "'" + (data / kAuditDatabaseFile).string() + "': ";
  try {
    const auto database =
        store::open_sqlite(data / kAuditDatabaseFile, {.absent = store::IfAbsent::refuse});
    const bool is_begun = database->read([](store::Transaction& tx) {
      return tx.query_one("SELECT 1 FROM sqlite_schema WHERE name = 'audit_head'").has_value();
    });
    if (!is_begun) return;
    const std::string key = read_audit_key(data);
    const path anchor = data / kAuditAnchorFile;
    const control::AuditVerifier verifier(*database, key, anchor);
    std::int64_t from = 0;
    do {
      const auto step = verifier.step(from, kAtOnce);
      for (const auto& problem : step.check.problems) problems.push_back(name + problem.what);
      from = step.next;
    } while (from != 0 && problems.size() < kMaxProblems && !stop.stop_requested());
  } catch (const Error& error) {
    problems.push_back(name + error.message());
  }
}

// Where the main database cannot be read, what is said of that is enough.
bool is_known(const path& data, const char* file) {
  try {
    const auto database =
        store::open_sqlite(data / kDatabaseFile, {.absent = store::IfAbsent::refuse});
    return database->read([&](store::Transaction& tx) {
      return tx.query_one("SELECT 1 FROM sqlite_schema WHERE name = 'data_files'") &&
             tx.query_one("SELECT 1 FROM data_files WHERE name = $1", {file});
    });
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::vector<std::string> database_files(const path& data) {
  std::vector<std::string> files = {kDatabaseFile, kWorkflowDatabaseFile};
  for (const char* const later :
       {kLogsDatabaseFile, kResultsDatabaseFile, kFeaturesDatabaseFile, kAuditDatabaseFile}) {
    if (base::fs::exists(data / later) || is_known(data, later)) files.emplace_back(later);
  }
  return files;
}

std::string read_audit_key(const path& data) {
  const path file = data / kAuditKeyFile;
  auto bytes = read_key_file(file);
  if (!bytes) {
    throw Error(ErrorCode::not_found,
                "'" + file.string() + "' is missing: restore it from a backup");
  }
  return *std::move(bytes);
}

std::vector<std::string> check_databases(const path& data, const std::stop_token& stop) {
  std::vector<std::string> problems;
  for (const std::string& name : database_files(data)) {
    try {
      for (const std::string& line : store::check_wholly(data / name, stop)) {
        problems.push_back("'" + (data / name).string() + "': " + line);
      }
    } catch (const Error& error) {
      problems.push_back(error.message());
    }
  }
  if (problems.empty() && base::fs::exists(data / kAuditDatabaseFile)) {
    check_audit(data, stop, problems);
  }
  return problems;
}

DataReport check_data(const path& data, const std::stop_token& stop) {
  if (!base::fs::is_directory(data)) {
    throw Error(ErrorCode::not_found, "there is no data directory '" + data.string() + "'");
  }
  DataReport report;
  report.problems = check_databases(data, stop);
  check_authority(data, report);
  struct Enough {};
  try {
    const auto database =
        store::open_sqlite(data / kDatabaseFile, {.absent = store::IfAbsent::refuse});
    if (auto problem = sealing_problem(data, *database)) {
      report.problems.push_back(*std::move(problem));
    }
    store::for_each_named_blob(*database, [&](const store::NamedBlob& blob) {
      if (stop.stop_requested() || report.problems.size() >= kMaxProblems) throw Enough();
      check_blob(store::blob_file(data / kObjectsDirectory, blob.sha256), blob, report);
    });
  } catch (const Enough&) {
    return report;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::data_corrupted) throw;
    if (report.problems.empty()) report.problems.push_back(error.message());
  }
  return report;
}

}  // namespace andon::server
