// SPDX-License-Identifier: Apache-2.0
// The key that parameters, secrets and the credentials of connections are sealed with, as a file of
// the data directory (32 bytes in hex, mode 0600), and whether it is the one that opens what the
// main database holds. The database knows the key's digest, so that another one is told at the
// start and not when a secret is needed.
#pragma once

#include <optional>
#include <string>

#include "base/os/file.hpp"
#include "store/sql/database.hpp"

namespace andon::server {

inline constexpr const char* kSealingKeyFile = "credentials/sealing.key";

// Files of keys, this one and others: 32 bytes in hex, mode 0600. Nothing where there is no file;
// throws data_corrupted for one that holds none.
[[nodiscard]] std::optional<std::string> read_key_file(const base::fs::path& file);
void write_key_file(const base::fs::path& file, const std::string& bytes);
// The bytes of the key that things are sealed with.
[[nodiscard]] std::optional<std::string> read_sealing_key(const base::fs::path& data);
// Notes in the database which key is in use; where that is known already nothing is written.
void note_sealing_key(store::Database& database, const std::string& bytes);

// What is wrong: something is sealed, and its key is missing, unreadable, or another one.
[[nodiscard]] std::optional<std::string> sealing_problem(const base::fs::path& data,
                                                         const store::Database& database);

}  // namespace andon::server
