// SPDX-License-Identifier: Apache-2.0
// JSONata 2 as Step Functions has it: parsed once, immutable, any thread; evaluated without I/O,
// clock or randomness but what it is given, and under limits of depth, steps and memory.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "query/document/random.hpp"
#include "query/jsonata/syntax/error.hpp"

namespace andon::query::jsonata {

struct Node;

struct Limits {
  std::size_t depth = 400;                     // nested evaluations
  std::size_t steps = 20'000'000;              // evaluations and items visited
  std::size_t bytes = std::size_t{256} << 20;  // of all values made
};

// What an expression sees. Everything pointed at must outlive the evaluation.
struct Environment {
  const base::json::value* input = nullptr;  // the context item '$'; Step Functions has none
  std::vector<std::pair<std::string, const base::json::value*>> variables;  // without '$'
  // The members of $states. An empty list leaves $states undefined.
  std::vector<std::pair<std::string, const base::json::value*>> states;
  // The members of $states.context, some of them put together from several documents.
  struct Context {
    const base::json::value* execution = nullptr;  // without its Input
    const base::json::value* execution_input = nullptr;
    const base::json::value* state_machine = nullptr;
    const base::json::value* state = nullptr;
    const base::json::value* task = nullptr;      // or null
    const base::json::value* map_item = nullptr;  // without its Value; or null
    const base::json::value* map_value = nullptr;
  };
  const Context* context = nullptr;
  base::Timestamp now;       // $now() and $millis()
  Random* random = nullptr;  // $random, $shuffle, $uuid
  Limits limits;
};

class Expression {
 public:
  // Throws Error (S0xxx) for text that is no JSONata.
  [[nodiscard]] static Expression parse(std::string_view source);

  // Nothing where the expression gives nothing (undefined) or a function. Throws Error.
  [[nodiscard]] std::optional<base::json::value> evaluate(const Environment& environment) const;

  [[nodiscard]] const std::string& source() const { return source_; }
  // The variables that it reads and does not bind itself, and the names that it looks for in a
  // context item at its top level, which Step Functions does not have.
  [[nodiscard]] const std::vector<std::string>& free_variables() const { return free_variables_; }
  [[nodiscard]] const std::vector<std::string>& top_level_names() const { return top_level_names_; }
  // The members of $states that it names: "input", "result", "errorOutput", "context".
  [[nodiscard]] const std::vector<std::string>& states_members() const { return states_members_; }

 private:
  std::string source_;
  std::shared_ptr<const Node> root_;
  std::vector<std::string> free_variables_;
  std::vector<std::string> top_level_names_;
  std::vector<std::string> states_members_;
};

}  // namespace andon::query::jsonata
