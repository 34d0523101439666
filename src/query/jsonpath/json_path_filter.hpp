// SPDX-License-Identifier: Apache-2.0
// The filter of a JSONPath, [?(...)]: a tree of comparisons over the element '@' and the document
// '$'. Internal to asl; immutable after parsing, any thread.
#pragma once

#include <memory>
#include <vector>

#include "query/jsonpath/json_path.hpp"
#include "query/regex/regex.hpp"

namespace andon::query {

struct JsonPath::Filter {
  enum class Kind { any_of, all_of, negation, comparison, exists };
  enum class Operator {
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    matches,
    in,
    not_in,
    subset_of,
    any_of,
    none_of,
    contains,
    size,
    empty,
  };
  // A literal, or a path from the element or from the document.
  struct Operand {
    enum class From { literal, element, document };
    From from = From::literal;
    json::value literal;
    JsonPath path;
    std::shared_ptr<const Regex> regex;
  };

  Kind kind = Kind::exists;
  std::vector<Filter> children;
  Operator op = Operator::equal;
  Operand left;
  Operand right;
};

// Counts the nodes that an evaluation visits; throws PathError past the limit.
class PathBudget {
 public:
  void spend(std::size_t nodes = 1);

 private:
  std::size_t spent_ = 0;
};

[[nodiscard]] bool filter_accepts(const JsonPath::Filter& filter, const json::value& element,
                                  const json::value& document, PathBudget& budget);

// The places that `path` leads to; values that a function computed are kept in `computed`.
struct PathMatches {
  std::vector<const json::value*> places;
  std::vector<std::unique_ptr<json::value>> computed;
  bool prefix_missing = false;  // a definite step led nowhere before any indefinite one
};
[[nodiscard]] PathMatches match_path(const JsonPath& path, const json::value& start,
                                     const json::value& document, PathBudget& budget);

}  // namespace andon::query
