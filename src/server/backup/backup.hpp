// SPDX-License-Identifier: Apache-2.0
// A data directory as a copy that another machine can go on from: the databases as they are at one
// moment, every object that they name, the CA, the operator's credentials, the ports. Made beside a
// running server; put back only where no data is. Nobody finds half of one: a backup gets its name
// when it is whole and on disk, and a directory that is put back gets its database last.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>

#include "base/os/file.hpp"
#include "base/time/time.hpp"

namespace andon::server {

struct BackupReport {
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;  // of the blobs
};

// `target` is a directory that is not there yet. Throws already_exists, not_found, data_corrupted
// (damaged data is not backed up), resource_exhausted, cancelled when `stop` is asked for.
// `place`: among the backups of one directory, where that is not by the time alone (BackupFacts).
BackupReport make_backup(const base::fs::path& data, const base::fs::path& target,
                         base::Timestamp now, const std::stop_token& stop = {},
                         std::optional<base::Timestamp> place = {});

struct BackupFacts {
  base::Timestamp made;
  // What they are ordered by: `made`, or later where a clock was set back since the one before it.
  base::Timestamp place;
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;  // of all its files; 0 where an older andon has made it
};
// As the backup says itself; nothing for what is none, or is not whole.
[[nodiscard]] std::optional<BackupFacts> read_backup_facts(const base::fs::path& backup);

// Checks every byte of `source` before anything gets its place. Throws already_exists where `data`
// has content, data_corrupted where the backup is not whole.
BackupReport restore_backup(const base::fs::path& source, const base::fs::path& data);

}  // namespace andon::server
