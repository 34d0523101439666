// SPDX-License-Identifier: Apache-2.0
// Signatures of JSONata functions, "<s-nn?:s>": what arguments a function takes, which of them the
// context value may stand in for, and which are wrapped into lists. Immutable; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "query/jsonata/syntax/value.hpp"

namespace andon::query::jsonata {

class Signature {
 public:
  // Throws Error (S0401, S0402).
  [[nodiscard]] static Signature parse(std::string_view text);

  // The arguments as the function gets them. Throws Error (T0410, T0411, T0412) naming `function`.
  [[nodiscard]] Items validate(const Items& arguments, const Value& context,
                               const std::string& function) const;

 private:
  struct Parameter {
    std::string types;  // letters that an argument's type may have; 'm' is a missing one
    bool optional = false;
    bool repeated = false;
    bool from_context = false;
    bool is_list = false;
    char item_type = '\0';  // of a list; 0: any
  };

  // How many arguments each parameter takes, from `parameter` on.
  bool match(std::string_view types, std::size_t parameter, std::size_t at,
             std::vector<std::size_t>& counts) const;

  std::vector<Parameter> parameters_;
};

// s n b l f a o, or m for undefined.
[[nodiscard]] char type_letter(const Value& value);

}  // namespace andon::query::jsonata
