// SPDX-License-Identifier: Apache-2.0
#include "query/jsonpath/json_path_filter.hpp"

#include <algorithm>

#include "query/document/utf8.hpp"

namespace andon::query {
namespace {

using Filter = JsonPath::Filter;
using Operator = JsonPath::Filter::Operator;

// The value of an operand: nothing, or one place; a list where an indefinite path found several.
class OperandValue {
 public:
  OperandValue(const Filter::Operand& operand, const json::value& element,
               const json::value& document, PathBudget& budget) {
    if (operand.from == Filter::Operand::From::literal) {
      value_ = &operand.literal;
      return;
    }
    const bool of_element = operand.from == Filter::Operand::From::element;
    matches_ = match_path(operand.path, of_element ? element : document, document, budget);
    if (operand.path.definite()) {
      value_ = matches_.places.empty() ? nullptr : matches_.places.front();
      return;
    }
    if (matches_.prefix_missing) return;
    json::array list;
    for (const json::value* place : matches_.places) list.push_back(*place);
    list_ = std::move(list);
    value_ = &list_;
  }
  OperandValue(const OperandValue&) = delete;
  OperandValue& operator=(const OperandValue&) = delete;

  [[nodiscard]] const json::value* get() const { return value_; }

 private:
  PathMatches matches_;
  json::value list_;
  const json::value* value_ = nullptr;
};

bool equal(const json::value& left, const json::value& right) {
  if (left.is_number() && right.is_number()) {
    return left.to_number<double>() == right.to_number<double>();
  }
  return left == right;
}

bool ordered(const json::value& left, const json::value& right, Operator op) {
  int order = 0;
  if (left.is_number() && right.is_number()) {
    const auto a = left.to_number<double>();
    const auto b = right.to_number<double>();
    order = a < b ? -1 : (a > b ? 1 : 0);
  } else if (left.is_string() && right.is_string()) {
    order = compare_utf16(left.get_string(), right.get_string());
  } else {
    return false;
  }
  switch (op) {
    case Operator::less:
      return order < 0;
    case Operator::less_equal:
      return order <= 0;
    case Operator::greater:
      return order > 0;
    default:
      return order >= 0;
  }
}

bool holds(const json::value& list, const json::value& wanted) {
  const auto* array = list.if_array();
  return array != nullptr &&
         std::ranges::any_of(*array, [&](const json::value& item) { return equal(item, wanted); });
}

std::optional<std::size_t> size_of(const json::value& value) {
  if (const auto* array = value.if_array()) return array->size();
  if (const auto* text = value.if_string()) return text->size();
  if (const auto* object = value.if_object()) return object->size();
  return std::nullopt;
}

bool lists_agree(const json::value& left, const json::value& right, Operator op) {
  const auto* items = left.if_array();
  if (items == nullptr || !right.is_array()) return false;
  const auto inside = [&right](const json::value& item) { return holds(right, item); };
  switch (op) {
    case Operator::subset_of:
      return std::ranges::all_of(*items, inside);
    case Operator::any_of:
      return std::ranges::any_of(*items, inside);
    default:
      return std::ranges::none_of(*items, inside);
  }
}

bool compare(const Filter& filter, const json::value& left, const json::value& right,
             PathBudget& budget) {
  switch (filter.op) {
    case Operator::equal:
      return equal(left, right);
    case Operator::not_equal:
      return !equal(left, right);
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal:
      return ordered(left, right, filter.op);
    case Operator::matches:
      if (!left.is_string() || !filter.right.regex) return false;
      budget.spend(left.get_string().size());
      return filter.right.regex->matches_all(left.get_string());
    case Operator::in:
      return holds(right, left);
    case Operator::not_in:
      return !holds(right, left);
    case Operator::subset_of:
    case Operator::any_of:
    case Operator::none_of:
      return lists_agree(left, right, filter.op);
    case Operator::contains:
      if (left.is_string() && right.is_string()) {
        return std::string_view(left.get_string()).find(right.get_string()) !=
               std::string_view::npos;
      }
      return holds(left, right);
    case Operator::size: {
      const auto size = size_of(left);
      return size && right.is_number() && right.to_number<double>() == static_cast<double>(*size);
    }
    case Operator::empty: {
      const auto size = size_of(left);
      return size && right.is_bool() && (*size == 0) == right.get_bool();
    }
  }
  return false;
}

}  // namespace

bool filter_accepts(const Filter& filter, const json::value& element, const json::value& document,
                    PathBudget& budget) {
  const auto accepts = [&](const Filter& child) {
    return filter_accepts(child, element, document, budget);
  };
  switch (filter.kind) {
    case Filter::Kind::any_of:
      return std::ranges::any_of(filter.children, accepts);
    case Filter::Kind::all_of:
      return std::ranges::all_of(filter.children, accepts);
    case Filter::Kind::negation:
      return !accepts(filter.children.front());
    case Filter::Kind::exists: {
      const OperandValue value(filter.left, element, document, budget);
      if (filter.left.from == Filter::Operand::From::literal) {
        return !filter.left.literal.is_null() && filter.left.literal != json::value(false);
      }
      const bool list = !filter.left.path.definite();
      return value.get() != nullptr && !(list && value.get()->get_array().empty());
    }
    case Filter::Kind::comparison: {
      const OperandValue left(filter.left, element, document, budget);
      const OperandValue right(filter.right, element, document, budget);
      if (left.get() == nullptr || right.get() == nullptr) {
        const bool both = left.get() == nullptr && right.get() == nullptr;
        return filter.op == Operator::not_equal ? !both : false;
      }
      return compare(filter, *left.get(), *right.get(), budget);
    }
  }
  return false;
}

}  // namespace andon::query
