// SPDX-License-Identifier: Apache-2.0
#include "store/sql/sqlite_values.hpp"

#include <string>

namespace andon::store {

SqlValue column_value(sqlite3_stmt* statement, int column) {
  const auto size = [&] {
    return static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
  };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_TEXT: {
      const unsigned char* text = sqlite3_column_text(statement, column);
      return std::string(reinterpret_cast<const char*>(text), size());
    }
    case SQLITE_BLOB: {
      const void* bytes = sqlite3_column_blob(statement, column);
      return bytes == nullptr ? Blob{} : Blob{std::string(static_cast<const char*>(bytes), size())};
    }
    default:
      return std::monostate{};
  }
}

}  // namespace andon::store
