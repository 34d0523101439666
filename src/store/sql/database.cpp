// SPDX-License-Identifier: Apache-2.0
#include "store/sql/database.hpp"

#include "base/error/error.hpp"

namespace andon::store {
namespace {

template <typename Value>
const Value& value_at(const std::vector<SqlValue>& values, std::size_t column, const char* type) {
  if (column >= values.size()) {
    throw base::Error(base::ErrorCode::internal, "a row has no column " + std::to_string(column));
  }
  const auto* value = std::get_if<Value>(&values[column]);
  if (value == nullptr) {
    throw base::Error(base::ErrorCode::internal,
                      "column " + std::to_string(column) + " of a row is not " + type);
  }
  return *value;
}

}  // namespace

std::int64_t Row::integer(std::size_t column) const {
  return value_at<std::int64_t>(values_, column, "an integer");
}
double Row::real(std::size_t column) const {
  return value_at<double>(values_, column, "a real");
}
const std::string& Row::text(std::size_t column) const {
  return value_at<std::string>(values_, column, "text");
}
const std::string& Row::blob(std::size_t column) const {
  return value_at<Blob>(values_, column, "a blob").bytes;
}
bool Row::is_null(std::size_t column) const {
  if (column >= values_.size()) {
    throw base::Error(base::ErrorCode::internal, "a row has no column " + std::to_string(column));
  }
  return std::holds_alternative<std::monostate>(values_[column]);
}
std::optional<std::string> Row::optional_text(std::size_t column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}
std::optional<std::int64_t> Row::optional_integer(std::size_t column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

std::optional<Row> Transaction::query_one(std::string_view sql,
                                          const std::vector<SqlValue>& values) {
  std::vector<Row> rows = query(sql, values);
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

}  // namespace andon::store
