// SPDX-License-Identifier: Apache-2.0
// What an expression of a state can see: its document, the context object, the variables of its
// branch and of those around it, the time of the step and a source of randomness. Lives for one
// evaluation.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "asl/data/context.hpp"
#include "asl/data/data.hpp"
#include "asl/data/held.hpp"
#include "base/time/time.hpp"
#include "query/document/random.hpp"

namespace andon::asl {

using Variables = std::map<std::string, Held, std::less<>>;

struct Scope {
  Held input;                               // $ in JSONPath, $states.input in JSONata
  Data result;                              // $states.result; null where there is none
  Data error_output;                        // $states.errorOutput; null outside of a Catch
  const ContextObject* context = nullptr;   // $$ in JSONPath, $states.context in JSONata
  std::vector<const Variables*> variables;  // innermost first
  query::Random* random = nullptr;
  base::Timestamp now;  // $now() and $millis()

  // Null where no variable has that name.
  [[nodiscard]] const Data* find_variable(std::string_view name) const {
    for (const Variables* level : variables) {
      if (const auto found = level->find(name); found != level->end()) return &found->second.get();
    }
    return nullptr;
  }
};

}  // namespace andon::asl
