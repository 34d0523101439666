// SPDX-License-Identifier: Apache-2.0
// Room: search. The language of AWS IoT's fleet indexing, by which things are searched and dynamic
// groups are defined: "attributes.line:4 AND NOT connectivity.connected:true", with AND (also where
// nothing stands between), OR, NOT and '-', parentheses, "words in quotes", the wildcards * and ?,
// ranges [1 TO 5], {1 TO 5}, and <, <=, >, >=; `field:(a OR b)`; "*" alone is everything. A
// backslash takes a character as it is. Read with limits; pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace andon::query {

inline constexpr std::size_t kMostQueryBytes = 1000;
inline constexpr std::size_t kMostQueryTerms = 50;
inline constexpr std::size_t kMostQueryDepth = 20;

class SearchQuery {
 public:
  // Throws base::Error(invalid_argument) with the column of what is wrong.
  [[nodiscard]] static SearchQuery parse(std::string_view text);

  // All values of a field of one document, as texts; none where it has no such field.
  using ValuesOf = std::function<std::vector<std::string>(const std::string& field)>;
  [[nodiscard]] bool matches(const ValuesOf& values_of) const;
  // Each field that it names, once.
  [[nodiscard]] const std::vector<std::string>& fields() const { return fields_; }

 private:
  friend class SearchParser;

  enum class Kind : std::uint8_t { everything, all, any, none, pattern, range };
  // A text in which some characters are wildcards.
  struct Pattern {
    std::string text;
    std::string kinds;  // of each character: '*', '?' or 'c' for itself
  };
  struct Bound {
    std::string text;
    bool is_inside = true;
  };
  struct Node {
    Kind kind = Kind::everything;
    std::vector<std::size_t> children;  // of all, any, none: places in nodes_
    std::string field;
    Pattern pattern;
    std::optional<Bound> least;
    std::optional<Bound> most;
  };
  [[nodiscard]] bool matches(std::size_t node, const ValuesOf& values_of) const;
  [[nodiscard]] static bool fits(const Pattern& pattern, std::string_view text);
  [[nodiscard]] static bool is_within(const Node& node, const std::string& text);

  std::vector<Node> nodes_;
  std::size_t root_ = 0;
  std::vector<std::string> fields_;
};

}  // namespace andon::query
