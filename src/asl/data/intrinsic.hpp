// SPDX-License-Identifier: Apache-2.0
// The intrinsic functions of JSONPath mode: States.Format(...) and the other seventeen.
// Parsed once, immutable, any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "asl/data/scope.hpp"
#include "query/jsonpath/json_path.hpp"

namespace andon::asl {

class Intrinsic {
 public:
  using Argument = std::variant<json::value, query::JsonPath, std::unique_ptr<const Intrinsic>>;

  // Throws base::Error(invalid_argument): syntax, an unknown function, a wrong number of arguments,
  // nesting deeper than 10.
  [[nodiscard]] static std::unique_ptr<const Intrinsic> parse(std::string_view text);
  // Whether the text means to be a call ("States.").
  [[nodiscard]] static bool looks_like(std::string_view text);

  [[nodiscard]] const std::string& name() const { return name_; }  // without "States."
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::vector<Argument>& arguments() const { return arguments_; }

  // Throws Failure: States.IntrinsicFailure, or States.Runtime for a path that leads nowhere.
  [[nodiscard]] json::value evaluate(const Scope& scope) const;

 private:
  friend class IntrinsicParser;
  std::string name_;
  std::string text_;
  std::vector<Argument> arguments_;
};

// One function on evaluated arguments; throws Failure(States.IntrinsicFailure).
[[nodiscard]] json::value call_intrinsic(std::string_view name,
                                         const std::vector<json::value>& arguments,
                                         query::Random* random);
// The number of arguments that `name` takes, or nothing where there is no such function.
struct IntrinsicArity {
  std::size_t least = 0;
  std::size_t most = 0;
};
[[nodiscard]] const IntrinsicArity* intrinsic_arity(std::string_view name);

}  // namespace andon::asl
