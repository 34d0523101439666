// SPDX-License-Identifier: Apache-2.0
// Puts together the SELECT of a sorted, filtered list in pages. Pure; one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/model_registry.hpp"
#include "control/page.hpp"
#include "store/database.hpp"

namespace andon::control {

class RegistryQuery {
 public:
  // `columns` and `table` as in SQL. The rows are ordered by `order_columns`, which together name
  // one row; the page goes on after the values that RegistryQuery::page_key() put into its key.
  RegistryQuery(std::string_view columns, std::string_view table,
                std::vector<std::string> order_columns, SortOrder order, const PageRequest& page);

  // "created >= $" with the number of the parameter added.
  void add_condition(std::string_view text_before_number, store::SqlValue value,
                     std::string_view text_after = "");

  // Asks for one row more than the page has, to see whether there is more.
  [[nodiscard]] std::string sql() const;
  [[nodiscard]] const std::vector<store::SqlValue>& values() const { return values_; }

  [[nodiscard]] static std::string page_key(const base::json::array& order_values);

 private:
  void go_on_after(const std::string& key);

  std::string select_;
  std::vector<std::string> order_columns_;
  SortOrder order_;
  std::size_t limit_;
  std::vector<std::string> conditions_;
  std::vector<store::SqlValue> values_;
};

}  // namespace andon::control
