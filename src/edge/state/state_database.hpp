// SPDX-License-Identifier: Apache-2.0
// config.db: everything that the agent must still know after a crash. One schema, one place; the
// tables are used by deployment_journal, configuration_store, job_outbox, spool and counters.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/os/file.hpp"
#include "store/sql/database.hpp"

namespace andon::edge {

[[nodiscard]] std::unique_ptr<store::Database> open_state_database(const base::fs::path& path);

// Adds one to the counter and gives the new value.
[[nodiscard]] std::int64_t next_number(store::Transaction& transaction, std::string_view counter);
[[nodiscard]] std::int64_t read_number(const store::Database& database, std::string_view counter);

}  // namespace andon::edge
