// SPDX-License-Identifier: Apache-2.0
#include "control/registry_query.hpp"

#include "base/error.hpp"
#include "base/json.hpp"

namespace andon::control {
namespace {

std::string join(const std::vector<std::string>& items, std::string_view separator) {
  std::string joined;
  for (const std::string& item : items) joined.append(joined.empty() ? "" : separator).append(item);
  return joined;
}

[[noreturn]] void refuse_key() {
  throw base::Error(base::ErrorCode::invalid_argument,
                    "NextToken is not one that this list gave; start anew without it");
}

}  // namespace

RegistryQuery::RegistryQuery(std::string_view columns, std::string_view table,
                             std::vector<std::string> order_columns, SortOrder order,
                             const PageRequest& page)
    : select_("SELECT " + std::string(columns) + " FROM " + std::string(table)),
      order_columns_(std::move(order_columns)),
      order_(order),
      limit_(page.limit) {
  if (!page.after.empty()) go_on_after(page.after);
}

void RegistryQuery::add_condition(std::string_view text_before_number, store::SqlValue value,
                                  std::string_view text_after) {
  values_.push_back(std::move(value));
  conditions_.push_back(std::string(text_before_number) + std::to_string(values_.size()) +
                        std::string(text_after));
}

std::string RegistryQuery::sql() const {
  const std::string direction = order_ == SortOrder::ascending ? " ASC" : " DESC";
  std::string text = select_;
  if (!conditions_.empty()) text += " WHERE " + join(conditions_, " AND ");
  text += " ORDER BY " + join(order_columns_, direction + ", ") + direction;
  return text + " LIMIT " + std::to_string(limit_ + 1);
}

std::string RegistryQuery::page_key(const base::json::array& order_values) {
  return base::to_text(order_values);
}

void RegistryQuery::go_on_after(const std::string& key) {
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
  conditions_.push_back("(" + join(order_columns_, ", ") + ") " +
                        (order_ == SortOrder::ascending ? ">" : "<") + " (" +
                        join(parameters, ", ") + ")");
}

}  // namespace andon::control
