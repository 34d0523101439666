// SPDX-License-Identifier: Apache-2.0
#include "asl/data/intrinsic.hpp"

#include <charconv>

#include "asl/data/failure.hpp"
#include "asl/data/path_lookup.hpp"
#include "base/error/error.hpp"

namespace andon::asl {
namespace {

constexpr std::size_t kMaxNesting = 10;
constexpr std::size_t kMaxText = 32'768;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

class IntrinsicParser {
 public:
  explicit IntrinsicParser(std::string_view text) : text_(text) {
    if (text.size() > kMaxText) fail("it is longer than 32768 characters");
  }

  std::unique_ptr<const Intrinsic> parse_whole() {
    skip_space();
    auto call = parse_call(1);
    skip_space();
    if (at_ < text_.size()) fail("unexpected text after the call");
    return call;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "'" + std::string(text_.substr(0, 200)) +
                          "' is not a valid intrinsic function call: " + why + " at character " +
                          std::to_string(at_ + 1));
  }

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take(std::string_view wanted) {
    if (text_.substr(at_, wanted.size()) != wanted) return false;
    at_ += wanted.size();
    return true;
  }

  std::unique_ptr<const Intrinsic> parse_call(std::size_t depth) {
    if (depth > kMaxNesting) fail("calls are nested deeper than 10 levels");
    const std::size_t start = at_;
    if (!take("States.")) fail("'States.' expected");
    auto call = std::make_unique<Intrinsic>();
    while (at_ < text_.size() && peek() != '(' && !is_space(peek())) call->name_ += text_[at_++];
    const IntrinsicArity* arity = intrinsic_arity(call->name_);
    if (arity == nullptr) fail("there is no function 'States." + call->name_ + "'");
    skip_space();
    if (!take("(")) fail("'(' expected");
    skip_space();
    while (!take(")")) {
      call->arguments_.push_back(argument(depth));
      skip_space();
      if (take(",")) {
        skip_space();
        if (peek() == ')') fail("an argument expected");
      } else if (peek() != ')') {
        fail("',' or ')' expected");
      }
    }
    call->text_ = text_.substr(start, at_ - start);
    const std::size_t count = call->arguments_.size();
    if (count < arity->least || count > arity->most) {
      fail("States." + call->name_ + " does not take " + std::to_string(count) + " arguments");
    }
    return call;
  }

  Intrinsic::Argument argument(std::size_t depth) {
    if (peek() == '\'') return json::value(string_literal());
    if (peek() == '$') return path();
    if (text_.substr(at_, 7) == "States.") return parse_call(depth + 1);
    if (take("true")) return json::value(true);
    if (take("false")) return json::value(false);
    if (take("null")) return json::value(nullptr);
    return number();
  }

  std::string string_literal() {
    ++at_;
    std::string value;
    while (peek() != '\'') {
      if (at_ >= text_.size()) fail("the string is not closed");
      if (peek() == '\\') {
        ++at_;
        if (at_ >= text_.size()) fail("the string is not closed");
        // Format finds out itself which braces are escaped.
        if (peek() != '\'' && peek() != '\\') value += '\\';
        if (peek() == '\\') value += '\\';
      }
      value += text_[at_++];
    }
    ++at_;
    return value;
  }

  query::JsonPath path() {
    const std::size_t start = at_;
    std::size_t open = 0;
    char quote = '\0';
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (quote != '\0') {
        if (c == '\\') {
          ++at_;
        } else if (c == quote) {
          quote = '\0';
        }
        continue;
      }
      if (c == '\'' || c == '"') {
        quote = c;
      } else if (c == '[' || c == '(') {
        ++open;
      } else if (c == ']' || (c == ')' && open > 0)) {
        if (open > 0) --open;
      } else if ((c == ',' || c == ')') && open == 0) {
        break;
      }
    }
    std::size_t end = std::min(at_, text_.size());
    while (end > start && is_space(text_[end - 1])) --end;
    return query::JsonPath::parse(text_.substr(start, end - start));
  }

  json::value number() {
    const char* const begin = text_.data() + at_;
    const char* const end = text_.data() + text_.size();
    std::int64_t integer = 0;
    const auto whole = std::from_chars(begin, end, integer);
    const bool fraction =
        whole.ptr != end && (*whole.ptr == '.' || *whole.ptr == 'e' || *whole.ptr == 'E');
    if (whole.ec == std::errc{} && !fraction) {
      at_ += static_cast<std::size_t>(whole.ptr - begin);
      return integer;
    }
    double value = 0;
    const auto [stop, error] = std::from_chars(begin, end, value);
    const bool digits = peek() == '-' || (peek() >= '0' && peek() <= '9');
    if (error != std::errc{} || !digits) fail("an argument expected");
    at_ += static_cast<std::size_t>(stop - begin);
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::unique_ptr<const Intrinsic> Intrinsic::parse(std::string_view text) {
  return IntrinsicParser(text).parse_whole();
}

bool Intrinsic::looks_like(std::string_view text) {
  return text.starts_with("States.");
}

json::value Intrinsic::evaluate(const Scope& scope) const {
  struct Evaluate {
    const Scope& scope;
    const std::string& call;
    json::value operator()(const json::value& literal) const { return literal; }
    json::value operator()(const query::JsonPath& path) const {
      const auto found = look_up(path, scope);
      if (found) return **found;
      throw failure(kRuntime,
                    "The function '" + call +
                        "' had the following error: The JsonPath argument for the field '" +
                        path.text() + "' could not be found in the input '" +
                        base::to_text(*document_of(path, scope)) + "'");
    }
    json::value operator()(const std::unique_ptr<const Intrinsic>& nested) const {
      return nested->evaluate(scope);
    }
  };
  std::vector<json::value> values;
  values.reserve(arguments_.size());
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    values.push_back(std::visit(Evaluate{scope, text_}, arguments_[i]));
    // A literal keeps its backslashes for Format alone; every other function sees plain text.
    const bool literal = std::holds_alternative<json::value>(arguments_[i]);
    if (literal && values.back().is_string() && !(name_ == "Format" && i == 0)) {
      std::string plain;
      const std::string_view raw = values.back().get_string();
      for (std::size_t k = 0; k < raw.size(); ++k) {
        if (raw[k] == '\\' && k + 1 < raw.size()) ++k;
        plain += raw[k];
      }
      values.back() = json::string(plain);
    }
  }
  try {
    return call_intrinsic(name_, values, scope.random);
  } catch (const Failure& reason) {
    throw failure(kIntrinsicFailure,
                  "The function '" + text_ + "' had the following error: " + reason.cause());
  }
}

}  // namespace andon::asl
