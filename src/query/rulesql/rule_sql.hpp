// SPDX-License-Identifier: Apache-2.0
// Room: rulesql. The SQL of AWS IoT's topic rules, version 2016-03-23: SELECT ... FROM 'topic/+'
// WHERE ..., over one message; and texts with ${expressions} in them.
// https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-reference.html
//
// Compiled once, immutable, any thread. What is not there is undefined (nothing), as in AWS's
// language; it is no error. Time and memory of an evaluation are bounded by the text's size, which
// is limited, and kMostMade. Throws base::Error(invalid_argument) for a text that is none, with the
// place, and unsupported naming a function that is not here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "query/regex/regex.hpp"

namespace andon::query {

// What a rule is asked about.
struct RuleMessage {
  std::string_view topic;
  const base::json::value* payload = nullptr;  // null: it is no JSON
  std::string_view bytes;                      // of the payload
  std::string_view account;
  std::string_view trace_id;
  base::Timestamp time;             // when it came
  Regex::Work* patterns = nullptr;  // of one evaluation, which sets it
};

struct RuleExpression;  // rule_expression.hpp

class RuleSql {
 public:
  static constexpr std::size_t kMostText = 16U << 10U;
  static constexpr std::size_t kMostMade = 1U << 20U;  // bytes of a text that an expression makes
  static constexpr std::size_t kMostPatternSteps = 10'000'000;  // of all its regular expressions

  explicit RuleSql(std::string_view text);

  // Of FROM: a topic filter, as it stands there.
  [[nodiscard]] const std::string& filter() const { return filter_; }
  // SELECT * alone: what is no JSON goes through as it is.
  [[nodiscard]] bool is_everything() const;

  struct Selected {
    std::string text;     // what actions get
    bool is_json = true;  // else the message's own bytes
  };
  // Nothing where WHERE says no.
  [[nodiscard]] std::optional<Selected> select(const RuleMessage& asked) const;

 private:
  struct Column {
    std::shared_ptr<const RuleExpression> expression;  // null: *
    std::vector<std::string> name;                     // empty: each member of it
  };
  friend class RuleSqlParser;

  std::string filter_;
  std::vector<Column> columns_;
  std::shared_ptr<const RuleExpression> where_;  // null: every message
  std::size_t uses_ = 0;                         // of parts of the message
};

// "devices/${topic(2)}/${timestamp()}.json".
class RuleText {
 public:
  explicit RuleText(std::string_view text);

  // What is undefined is "undefined" there, as AWS has it.
  [[nodiscard]] std::string fill(const RuleMessage& asked) const;
  [[nodiscard]] bool has_expressions() const { return !pieces_.empty() && has_expressions_; }

 private:
  struct Piece {
    std::string text;
    std::shared_ptr<const RuleExpression> expression;  // null: the text
  };
  std::vector<Piece> pieces_;
  bool has_expressions_ = false;
};

}  // namespace andon::query
