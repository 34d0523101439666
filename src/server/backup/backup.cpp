// SPDX-License-Identifier: Apache-2.0
#include "server/backup/backup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "server/backup/data_check.hpp"
#include "server/backup/sealing_file.hpp"
#include "store/objects/blob_directory.hpp"
#include "store/objects/named_blobs.hpp"
#include "store/sql/database_check.hpp"
#include "trust/digests/digest.hpp"

namespace andon::server {
namespace {

using base::Error;
using base::ErrorCode;
using base::fs::path;

constexpr int kFormat = 1;
constexpr const char* kManifest = "backup.json";
constexpr const char* kRestoring = ".restoring";
constexpr unsigned kPrivateDirectory = 0700;
constexpr unsigned kBlobMode = 0400;
// A blob may go between the databases' copy and its own; then all is copied as it is now.
constexpr int kAttempts = 5;

// What is copied as it is, where it is there; small files, written whole by who writes them.
std::vector<path> small_files(const path& data) {
  std::vector<path> names;
  for (const char* folder : {"ca", "credentials"}) {
    for (const auto& entry : base::fs::directory_iterator(data / folder)) {
      if (entry.is_regular_file()) names.push_back(path(folder) / entry.path().filename());
    }
  }
  if (base::fs::exists(data / "ports.json")) names.emplace_back("ports.json");
  std::ranges::sort(names);
  return names;
}

// Copies to last; gives the SHA-256 of what was read.
std::string copy_file(const path& from, const path& to, unsigned mode,
                      const std::stop_token& stop = {}) {
  const base::UniqueFd source = base::open_file(from, O_RDONLY | O_NOFOLLOW);
  const base::UniqueFd target = base::open_file(to, O_WRONLY | O_CREAT | O_TRUNC, mode);
  trust::Sha256Stream digest;
  std::vector<char> buffer(1U << 20U);
  while (true) {
    if (stop.stop_requested()) throw Error(ErrorCode::cancelled, "the backup was given up");
    const ssize_t count = read(source.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw base::system_error("cannot read '" + from.string() + "'", errno);
    if (count == 0) break;
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
    digest.update(bytes);
    base::write_all(target.get(), bytes, to);
  }
  if (fsync(target.get()) != 0)
    throw base::system_error("cannot sync '" + to.string() + "'", errno);
  return base::to_hex(digest.finish());
}

void sync_directories(const path& root) {
  base::sync_directory(root);
  for (const auto& entry : base::fs::recursive_directory_iterator(root)) {
    if (entry.is_directory()) base::sync_directory(entry.path());
  }
}

Error not_whole(const path& file, const std::string& how) {
  return {ErrorCode::data_corrupted, "'" + file.string() + "' " + how};
}

// What the database `from`/andon.db names, from its objects to those below `to`. What is there
// already, from an earlier attempt, is not copied again.
BackupReport copy_blobs(const path& index, const path& from, const path& to,
                        const std::stop_token& stop = {}) {
  BackupReport report;
  const auto database = store::open_sqlite(index, {.absent = store::IfAbsent::refuse});
  std::set<std::string> folders;
  store::for_each_named_blob(*database, [&](const store::NamedBlob& blob) {
    const path source = store::blob_file(from, blob.sha256);
    const path target = store::blob_file(to, blob.sha256);
    if (folders.insert(target.parent_path().filename()).second) {
      base::make_directories(target.parent_path(), kPrivateDirectory);
    }
    if (base::fs::exists(target)) return;
    path unfinished = target;
    unfinished += ".unfinished";
    base::fs::remove(unfinished);
    if (copy_file(source, unfinished, kBlobMode, stop) != blob.sha256) {
      throw not_whole(source, "has another content than its name says");
    }
    base::fs::rename(unfinished, target);
    ++report.blobs;
    report.bytes += blob.size;
  });
  return report;
}

void remove_databases(const path& directory) {
  for (const char* name : {kDatabaseFile, kWorkflowDatabaseFile, kLogsDatabaseFile,
                           kResultsDatabaseFile, kFeaturesDatabaseFile, kAuditDatabaseFile}) {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      base::fs::remove(directory / (std::string(name) + suffix));
    }
  }
}

// Who restores the backup could not open what is sealed in it.
void require_sealing_key(const path& target) {
  const auto database =
      store::open_sqlite(target / kDatabaseFile, {.absent = store::IfAbsent::refuse});
  if (const auto problem = sealing_problem(target, *database)) {
    throw Error(ErrorCode::data_corrupted, "not backed up, for it could not be used: " + *problem);
  }
}

BackupReport copy_databases_and_blobs(const path& data, const path& target,
                                      const std::stop_token& stop) {
  BackupReport report;
  for (int attempt = 1;; ++attempt) {
    remove_databases(target);
    std::vector<store::DatabaseCopy> copies;
    for (const std::string& name : database_files(data)) {
      copies.push_back({data / name, target / name});
    }
    store::copy_databases(copies);
    if (const std::vector<std::string> problems = check_databases(target, stop);
        !problems.empty()) {
      throw Error(ErrorCode::data_corrupted,
                  "not backed up, for it is damaged: " + problems.front());
    }
    require_sealing_key(target);
    try {
      const BackupReport more = copy_blobs(target / kDatabaseFile, data / kObjectsDirectory,
                                           target / kObjectsDirectory, stop);
      return {report.blobs + more.blobs, report.bytes + more.bytes};
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found || attempt == kAttempts) throw;
    }
  }
}

struct Manifest {
  struct File {
    path name;
    std::string sha256;
  };
  std::vector<File> files;
};

Manifest read_manifest(const path& source) {
  const path file = source / kManifest;
  if (!base::fs::exists(file)) {
    throw Error(ErrorCode::not_found,
                "'" + source.string() + "' is no backup: it has no " + kManifest);
  }
  const base::json::value document = base::parse_json(base::read_file(file), file.string());
  const base::JsonReader reader(document, file.string());
  if (reader.integer("format") != kFormat) {
    throw Error(ErrorCode::unsupported,
                "'" + file.string() +
                    "' is of another format; restore it with the version of "
                    "andon that made it");
  }
  Manifest manifest;
  const base::json::object* const files = reader.optional_object("files");
  if (files == nullptr) throw not_whole(file, "has no list of files");
  for (const auto& [name, sha256] : *files) {
    const path relative = std::string(name);
    const bool is_inside = relative.is_relative() && relative == relative.lexically_normal() &&
                           *relative.begin() != "..";
    if (!is_inside || !sha256.is_string()) {
      throw not_whole(file, "names a file that is not the backup's: " + std::string(name));
    }
    manifest.files.push_back({relative, std::string(sha256.as_string())});
  }
  return manifest;
}

// Nothing but what a new file system or an attempt that was cut short leaves.
void require_empty(const path& data) {
  for (const auto& entry : base::fs::directory_iterator(data)) {
    const std::string name = entry.path().filename();
    if (name == "lost+found" || name == "lock" || name == kRestoring) continue;
    throw Error(ErrorCode::already_exists,
                "'" + data.string() + "' is not empty (it has '" + name +
                    "'): a backup is put into a directory of its own, give a new one");
  }
}

}  // namespace

BackupReport make_backup(const path& data, const path& target, base::Timestamp now,
                         const std::stop_token& stop, std::optional<base::Timestamp> place) {
  if (!base::fs::exists(data / kDatabaseFile)) {
    throw Error(ErrorCode::not_found,
                "'" + data.string() + "' is no data directory of andon-server");
  }
  if (base::fs::exists(target)) {
    throw Error(ErrorCode::already_exists,
                "'" + target.string() + "' is there already; give a new name");
  }
  path partial = target;
  partial += ".partial";
  base::fs::remove_all(partial);
  base::make_directories(partial, kPrivateDirectory);
  for (const char* folder : {"ca", "credentials", kObjectsDirectory}) {
    base::make_directories(partial / folder, kPrivateDirectory);
  }
  base::json::object files;
  for (const path& name : small_files(data)) {
    files[name.string()] = copy_file(data / name, partial / name, 0600);
  }
  const BackupReport report = copy_databases_and_blobs(data, partial, stop);
  for (const std::string& name : database_files(partial)) {
    for (const char* suffix : {"-wal", "-shm"}) base::fs::remove(partial / (name + suffix));
    files[name] = trust::sha256_hex_of_file(partial / name);
  }
  std::uint64_t bytes = report.bytes;
  for (const auto& file : files) bytes += base::fs::file_size(partial / std::string(file.key()));
  base::write_file_atomically(
      partial / kManifest,
      base::to_pretty_text({{"format", kFormat},
                            {"made", base::to_iso8601(now)},
                            {"place", base::to_iso8601(place.value_or(now))},
                            {"objects", report.blobs},
                            {"bytes", bytes},
                            {"files", std::move(files)}}),
      0600);
  sync_directories(partial);
  base::fs::rename(partial, target);
  base::sync_directory(base::fs::absolute(target).parent_path());
  return report;
}

std::optional<BackupFacts> read_backup_facts(const path& backup) {
  const auto text = base::read_file_if_exists(backup / kManifest);
  if (!text) return std::nullopt;
  try {
    const base::json::value document = base::parse_json(*text, "the backup's list");
    const base::JsonReader reader(document, "the backup's list");
    const auto made = base::parse_iso8601(reader.string("made"));
    if (!made) return std::nullopt;
    const auto number = [&](std::string_view key) {
      return static_cast<std::uint64_t>(
          std::max<std::int64_t>(reader.optional_integer(key).value_or(0), 0));
    };
    const auto place = base::parse_iso8601(reader.optional_string("place").value_or(""));
    return BackupFacts{.made = *made,
                       .place = place.value_or(*made),
                       .blobs = number("objects"),
                       .bytes = number("bytes")};
  } catch (const Error&) {
    return std::nullopt;
  }
}

BackupReport restore_backup(const path& source, const path& data) {
  const Manifest manifest = read_manifest(source);
  base::make_directories(data, kPrivateDirectory);
  const base::FileLock lock(data / "lock");
  require_empty(data);
  const path staged = data / kRestoring;
  base::fs::remove_all(staged);
  base::make_directories(staged / kObjectsDirectory, kPrivateDirectory);
  for (const auto& [name, sha256] : manifest.files) {
    base::make_directories((staged / name).parent_path(), kPrivateDirectory);
    if (copy_file(source / name, staged / name, 0600) != sha256) {
      throw not_whole(source / name, "has another content than the backup's list says");
    }
  }
  const BackupReport report =
      copy_blobs(staged / kDatabaseFile, source / kObjectsDirectory, staged / kObjectsDirectory);
  const DataReport checked = check_data(staged);
  if (!checked.problems.empty()) {
    throw Error(ErrorCode::data_corrupted, "the backup is damaged: " + checked.problems.front());
  }
  sync_directories(staged);
  // The CA before the databases: who starts a server on half of this is told that one is missing.
  for (const char* name : {"ca", "credentials", kObjectsDirectory, "ports.json", kAuditDatabaseFile,
                           kFeaturesDatabaseFile, kResultsDatabaseFile, kLogsDatabaseFile,
                           kWorkflowDatabaseFile, kDatabaseFile}) {
    if (!base::fs::exists(staged / name)) continue;
    base::fs::rename(staged / name, data / name);
    base::sync_directory(data);
  }
  base::fs::remove_all(staged);
  return report;
}

}  // namespace andon::server
