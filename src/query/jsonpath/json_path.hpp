// SPDX-License-Identifier: Apache-2.0
// JSONPath as Step Functions accepts it: names, indexes, slices, unions, wildcards, recursive
// descent, filters and trailing functions. Parsed once, immutable, any thread.
// Bounded: length of the text, nesting of filters, nodes visited by one evaluation.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "query/document/data.hpp"

namespace andon::query {

// What the leading '$' of a path names.
enum class PathRoot { input, context, variable };

// What ends an evaluation: a path that visits too many nodes, a function of an empty list.
class PathError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class JsonPath {
 public:
  // Throws base::Error(invalid_argument) that says what is wrong and at which character.
  [[nodiscard]] static JsonPath parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] PathRoot root() const { return root_; }
  [[nodiscard]] const std::string& variable() const { return variable_; }
  // Leads to one place at most. Other paths give a list, which may be empty.
  [[nodiscard]] bool definite() const { return definite_; }
  // Made of names and indexes alone, as ResultPath and the ...Path fields of states demand.
  [[nodiscard]] bool is_reference() const { return reference_; }
  // Just "$" (or "$$", "$name").
  [[nodiscard]] bool is_root() const { return segments_.empty(); }

  // Nothing where a definite path leads nowhere; another one gives an empty list then.
  // The result of a definite path is not copied. Throws PathError.
  [[nodiscard]] std::optional<Data> evaluate(const Data& document) const;

  // The path from where the first `count` steps lead.
  [[nodiscard]] JsonPath without_front(std::size_t count) const;

  // `input` with `result` put where this reference path leads; objects on the way are made.
  // Nothing where it does not fit the input.
  [[nodiscard]] std::optional<json::value> insert(const json::value& input,
                                                  json::value result) const;

  struct Filter;
  struct Name {
    std::vector<std::string> names;
  };
  struct Index {
    std::vector<std::int64_t> indexes;
  };
  struct Slice {
    std::optional<std::int64_t> begin;
    std::optional<std::int64_t> end;
    std::int64_t step = 1;
  };
  struct Wildcard {};
  struct Function {
    std::string name;
  };
  struct Segment {
    bool descend = false;
    std::variant<Name, Index, Slice, Wildcard, std::shared_ptr<const Filter>, Function> step;
  };
  [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }

 private:
  friend class JsonPathParser;

  std::string text_;
  PathRoot root_ = PathRoot::input;
  std::string variable_;
  std::vector<Segment> segments_;
  bool definite_ = true;
  bool reference_ = true;
};

// The path as Jayway prints it in AWS's messages: $.a[0] is $['a'][0].
[[nodiscard]] std::string normalised_path_text(const JsonPath& path);

}  // namespace andon::query
