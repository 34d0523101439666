// SPDX-License-Identifier: Apache-2.0
// The tables of functions. Times are milliseconds since 1970.
#pragma once

#include "store/sql/database.hpp"

namespace andon::functions {

void migrate_functions(store::Database& database);

// What there may be at most.
inline constexpr std::int64_t kMostFunctions = 10'000;
inline constexpr std::int64_t kMostVersions = 1'000;  // of one function
inline constexpr std::int64_t kMostAliases = 1'000;
inline constexpr std::int64_t kMostEvents = 100'000;  // that wait, of all functions
inline constexpr std::int64_t kMostEventBytes = 1LL << 30U;
inline constexpr std::size_t kMostPolicyBytes = 20'480;

}  // namespace andon::functions
