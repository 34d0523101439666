// SPDX-License-Identifier: Apache-2.0
// What tells a damaged database file from a sound one. The quick check is part of every
// open_sqlite(): it finds a file that was emptied, cut short or overwritten before anything is
// written to it. The whole check reads every page, beside whoever uses the file.
#pragma once

#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/os/file.hpp"
#include "store/sql/database.hpp"

namespace andon::store {

// Of a file that is there. Throws data_corrupted with what is wrong; has not changed anything then.
// Up to 16 MiB every page is looked at, in larger files the header, the size and the schema.
void check_quickly(const base::fs::path& path, IfAbsent absent);

// What SQLite's integrity_check and foreign_key_check say, in at most 100 lines; empty where all is
// well or `stop` was asked for; a file that the quick check refuses is a problem like any other.
// Throws not_found where there is none.
[[nodiscard]] std::vector<std::string> check_wholly(const base::fs::path& path,
                                                    const std::stop_token& stop = {});

// Copies databases that others may be using, all as they are at one moment (each within a
// transaction that was begun before the first copy). The copies are new files of mode 0600, on disk
// when it returns. Throws already_exists, not_found, resource_exhausted.
struct DatabaseCopy {
  base::fs::path from;
  base::fs::path to;
};
void copy_databases(const std::vector<DatabaseCopy>& copies);

}  // namespace andon::store
