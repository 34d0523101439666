// SPDX-License-Identifier: Apache-2.0
#include "store/sql/paged_query.hpp"

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/split.hpp"

namespace andon::store {
namespace {

[[noreturn]] void refuse_key() {
  throw base::Error(base::ErrorCode::invalid_argument,
                    "NextToken is not one that this list gave; start anew without it");
}

}  // namespace

PagedQuery::PagedQuery(std::string_view columns, std::string_view table,
                       std::vector<std::string> order_columns, SortOrder order, std::size_t limit,
                       const std::string& after)
    : select_("SELECT " + std::string(columns) + " FROM " + std::string(table)),
      order_columns_(std::move(order_columns)),
      order_(order),
      limit_(limit) {
  if (!after.empty()) go_on_after(after);
}

void PagedQuery::add_condition(std::string_view text_before_number, SqlValue value,
                               std::string_view text_after) {
  values_.push_back(std::move(value));
  conditions_.push_back(std::string(text_before_number) + std::to_string(values_.size()) +
                        std::string(text_after));
}

std::string PagedQuery::sql() const {
  const std::string direction = order_ == SortOrder::ascending ? " ASC" : " DESC";
  std::string text = select_;
  if (!conditions_.empty()) text += " WHERE " + base::join(conditions_, " AND ");
  text += " ORDER BY " + base::join(order_columns_, direction + ", ") + direction;
  return text + " LIMIT " + std::to_string(limit_ + 1);
}

std::string PagedQuery::page_key(const base::json::array& order_values) {
  return base::to_text(order_values);
}

void PagedQuery::go_on_after(const std::string& key) {
  base::json::value parsed;
  try {
    parsed = base::parse_json(key, "NextToken");
  } catch (const base::Error&) {
    refuse_key();
  }
  if (!parsed.is_array() || parsed.get_array().size() != order_columns_.size()) refuse_key();
  std::vector<std::string> parameters;
  for (const base::json::value& value : parsed.get_array()) {
    if (value.is_int64()) {
      values_.emplace_back(value.get_int64());
    } else if (value.is_string()) {
      values_.emplace_back(std::string(value.get_string()));
    } else {
      refuse_key();
    }
    parameters.push_back("$" + std::to_string(values_.size()));
  }
  conditions_.push_back("(" + base::join(order_columns_, ", ") + ") " +
                        (order_ == SortOrder::ascending ? ">" : "<") + " (" +
                        base::join(parameters, ", ") + ")");
}

}  // namespace andon::store
