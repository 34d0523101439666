// SPDX-License-Identifier: Apache-2.0
// Puts together the SELECT of a sorted, filtered list in pages. Pure; one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "store/sql/database.hpp"

namespace andon::store {

enum class SortOrder { ascending, descending };

class PagedQuery {
 public:
  // `columns` and `table` as in SQL. The rows are ordered by `order_columns`, which together name
  // one row; the page goes on after the values that PagedQuery::page_key() put into `after`; empty:
  // from the first row on.
  PagedQuery(std::string_view columns, std::string_view table,
             std::vector<std::string> order_columns, SortOrder order, std::size_t limit,
             const std::string& after);

  // "created >= $" with the number of the parameter added.
  void add_condition(std::string_view text_before_number, SqlValue value,
                     std::string_view text_after = "");

  // Asks for one row more than the page has, to see whether there is more.
  [[nodiscard]] std::string sql() const;
  [[nodiscard]] const std::vector<SqlValue>& values() const { return values_; }

  [[nodiscard]] static std::string page_key(const base::json::array& order_values);

 private:
  void go_on_after(const std::string& key);

  std::string select_;
  std::vector<std::string> order_columns_;
  SortOrder order_;
  std::size_t limit_;
  std::vector<std::string> conditions_;
  std::vector<SqlValue> values_;
};

}  // namespace andon::store
