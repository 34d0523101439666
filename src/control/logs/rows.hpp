// SPDX-License-Identifier: Apache-2.0
// How groups and streams are found in the database; internal to this room. Within the caller's
// transaction; throw not_found in AWS's words.
#pragma once

#include <string>

#include "control/logs/types.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

inline constexpr std::string_view kLogGroupColumns =
    "id, name, class, created_ms, retention_days, bytes";
[[nodiscard]] LogGroup log_group_row(const store::Row& row);

[[nodiscard]] LogGroup require_log_group(store::Transaction& tx, const std::string& name);
// The id of the stream.
[[nodiscard]] std::int64_t require_log_stream(store::Transaction& tx, const LogGroup& group,
                                              const std::string& name);
// `bytes` more (or, below zero, fewer) in a group and in all.
void add_log_bytes(store::Transaction& tx, std::int64_t group, std::int64_t bytes);

}  // namespace andon::control
