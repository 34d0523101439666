// SPDX-License-Identifier: Apache-2.0
// The conditions of a SELECT with their values, as they are put together. Pure; one thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "store/sql/database.hpp"

namespace andon::store {

struct Where {
  std::string sql;  // " WHERE a = $1 AND b = $2"; empty: no condition
  std::vector<SqlValue> values;

  // The parameter that the value has: "$3".
  std::string bind(SqlValue value) {
    values.push_back(std::move(value));
    return "$" + std::to_string(values.size());
  }
  void add(const std::string& condition) { sql += (sql.empty() ? " WHERE " : " AND ") + condition; }
};

}  // namespace andon::store
