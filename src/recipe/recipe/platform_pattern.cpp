// SPDX-License-Identifier: Apache-2.0
// Thompson's construction, built from the end: compile(node, next) gives the entry state of `node`
// continued by `next`; a repeated node is compiled as often as it may occur.
#include "recipe/recipe/platform_pattern.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"

namespace andon::recipe {
namespace {

using CharacterSet = PlatformPattern::CharacterSet;

struct Node {
  enum class Kind { empty, character, sequence, choice, repeat } kind = Kind::empty;
  CharacterSet characters;
  std::vector<Node> children;
  std::size_t least = 0;
  std::optional<std::size_t> most;  // nothing: no upper bound
};

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxRepeat = 255;

CharacterSet range_set(unsigned char from, unsigned char to) {
  CharacterSet set;
  for (unsigned c = from; c <= to; ++c) set.set(c);
  return set;
}

std::optional<CharacterSet> named_class(char letter) {
  const auto digits = range_set('0', '9');
  auto word = digits | range_set('a', 'z') | range_set('A', 'Z');
  word.set('_');
  CharacterSet blanks;
  for (const char c : std::string_view(" \t\n\v\f\r")) blanks.set(static_cast<unsigned char>(c));
  switch (letter) {
    case 'd':
      return digits;
    case 'D':
      return ~digits;
    case 'w':
      return word;
    case 'W':
      return ~word;
    case 's':
      return blanks;
    case 'S':
      return ~blanks;
    default:
      return std::nullopt;
  }
}

class PatternParser {
 public:
  explicit PatternParser(std::string_view pattern) : pattern_(pattern) {}

  Node parse() {
    if (pattern_.size() > PlatformPattern::kMaxLength) fail("it is longer than 256 characters");
    Node node = choice();
    if (position_ != pattern_.size()) fail("a ')' closes nothing");
    return node;
  }

  [[noreturn]] void fail(std::string_view why) const {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "the regular expression /" +
                          std::string(pattern_.substr(0, PlatformPattern::kMaxLength)) +
                          "/ is not supported: " + std::string(why));
  }

 private:
  [[nodiscard]] bool at_end() const { return position_ == pattern_.size(); }
  [[nodiscard]] char peek() const { return pattern_[position_]; }
  [[nodiscard]] bool take(char c) {
    if (at_end() || peek() != c) return false;
    ++position_;
    return true;
  }
  char take_any(std::string_view missing) {
    if (at_end()) fail(missing);
    return pattern_[position_++];
  }

  Node choice() {
    if (++depth_ > kMaxDepth) fail("groups are nested too deeply");
    Node node{Node::Kind::choice, {}, {}, 0, {}};
    do node.children.push_back(sequence());
    while (take('|'));
    --depth_;
    if (node.children.size() > 1) return node;
    Node only = std::move(node.children[0]);
    return only;
  }

  Node sequence() {
    Node node{Node::Kind::sequence, {}, {}, 0, {}};
    while (!at_end() && peek() != '|' && peek() != ')') node.children.push_back(repeated());
    return node;
  }

  Node repeated() {
    Node node = atom();
    for (std::size_t repeats = 0; !at_end(); ++repeats) {
      if (repeats > kMaxDepth) fail("too many repetitions of repetitions");
      Node repeat{Node::Kind::repeat, {}, {}, 0, {}};
      if (take('*')) {
        repeat.least = 0;
      } else if (take('+')) {
        repeat.least = 1;
      } else if (take('?')) {
        repeat.most = 1;
      } else if (take('{')) {
        repeat.least = number();
        repeat.most = repeat.least;
        if (take(',')) {
          repeat.most.reset();
          if (!at_end() && peek() != '}') repeat.most = number();
        }
        if (!take('}')) fail("a '{' is not closed");
        if (repeat.most && *repeat.most < repeat.least) fail("a repetition counts backwards");
      } else {
        return node;
      }
      // A lazy quantifier decides only which part matches what, never whether all of it does.
      static_cast<void>(take('?'));
      if (!at_end() && peek() == '+') fail("possessive repetition");
      repeat.children.push_back(std::move(node));
      node = std::move(repeat);
    }
    return node;
  }

  std::size_t number() {
    std::size_t value = 0;
    bool any = false;
    while (!at_end() && peek() >= '0' && peek() <= '9') {
      value = value * 10 + static_cast<std::size_t>(peek() - '0');
      if (value > kMaxRepeat) fail("a repetition of more than 255");
      any = true;
      ++position_;
    }
    if (!any) fail("a '{' without a number");
    return value;
  }

  Node character(const CharacterSet& set) { return {Node::Kind::character, set, {}, 0, {}}; }

  Node atom() {
    const char c = take_any("it ends too early");
    switch (c) {
      case '.':
        return character(~CharacterSet{});
      case '[':
        return character(bracket());
      case '(':
        return group();
      case '\\':
        return character(escape());
      case '^':
        // The match is anchored at both ends anyway.
        if (position_ != 1) fail("'^' is only understood at its start");
        return {};
      case '$':
        if (!at_end()) fail("'$' is only understood at its end");
        return {};
      case '*':
      case '+':
      case '?':
      case '{':
        fail("a repetition of nothing");
      default:
        return character(range_set(static_cast<unsigned char>(c), static_cast<unsigned char>(c)));
    }
  }

  Node group() {
    if (take('?') && !take(':')) fail("look-around, names and flags in groups");
    Node node = choice();
    if (!take(')')) fail("a '(' is not closed");
    return node;
  }

  CharacterSet escape() {
    const char c = take_any("it ends with a backslash");
    if (const auto named = named_class(c)) return *named;
    if (base::is_letter_or_digit(c)) fail(std::string("the escape \\") + c);
    return range_set(static_cast<unsigned char>(c), static_cast<unsigned char>(c));
  }

  CharacterSet bracket() {
    const bool negated = take('^');
    CharacterSet set;
    bool first = true;
    while (first || !take(']')) {
      first = false;
      const char c = take_any("a '[' is not closed");
      if (c == '[' || c == '&') fail("sets of sets");
      if (c == '\\') {
        set |= escape();
        continue;
      }
      const auto from = static_cast<unsigned char>(c);
      auto to = from;
      if (position_ + 1 < pattern_.size() && peek() == '-' && pattern_[position_ + 1] != ']') {
        ++position_;
        to = static_cast<unsigned char>(take_any("a '[' is not closed"));
        if (to == '\\' || to == '[' || to < from) fail("a character range");
      }
      set |= range_set(from, to);
    }
    return negated ? ~set : set;
  }

  std::string_view pattern_;
  std::size_t position_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace

class PatternCompiler {
 public:
  PatternCompiler(std::vector<PlatformPattern::State>& states, const PatternParser& parser)
      : states_(states), parser_(parser) {}

  std::size_t compile(const Node& node, std::size_t next) {
    // Nothing repeated costs no state, only time.
    if (++work_ > kMaxWork) parser_.fail("it is too large");
    switch (node.kind) {
      case Node::Kind::empty:
        return next;
      case Node::Kind::character:
        return add({PlatformPattern::State::Kind::character, node.characters, next, 0});
      case Node::Kind::sequence:
        for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) {
          next = compile(*child, next);
        }
        return next;
      case Node::Kind::choice: {
        std::size_t entry = compile(node.children.back(), next);
        for (std::size_t i = node.children.size() - 1; i-- > 0;) {
          entry = split(compile(node.children[i], next), entry);
        }
        return entry;
      }
      case Node::Kind::repeat:
        return compile_repeat(node, next);
    }
    return next;
  }

 private:
  std::size_t compile_repeat(const Node& node, std::size_t next) {
    const Node& child = node.children[0];
    std::size_t entry = next;
    if (!node.most) {
      const auto loop = split(next, next);
      states_[loop].next = compile(child, loop);
      entry = loop;
    } else {
      for (std::size_t i = node.least; i < *node.most; ++i) {
        entry = split(compile(child, entry), next);
      }
    }
    for (std::size_t i = 0; i < node.least; ++i) entry = compile(child, entry);
    return entry;
  }

  std::size_t split(std::size_t next, std::size_t other) {
    return add({PlatformPattern::State::Kind::split, {}, next, other});
  }

  std::size_t add(PlatformPattern::State state) {
    if (states_.size() == PlatformPattern::kMaxStates) parser_.fail("it is too large");
    states_.push_back(std::move(state));
    return states_.size() - 1;
  }

  static constexpr std::size_t kMaxWork = 16 * PlatformPattern::kMaxStates;

  std::vector<PlatformPattern::State>& states_;
  const PatternParser& parser_;
  std::size_t work_ = 0;
};

PlatformPattern::PlatformPattern(std::string_view pattern) {
  PatternParser parser(pattern);
  const Node tree = parser.parse();
  states_.push_back({State::Kind::accept, {}, 0, 0});
  start_ = PatternCompiler(states_, parser).compile(tree, 0);
}

void PlatformPattern::add_closure(std::size_t state, std::vector<std::size_t>& active,
                                  std::vector<bool>& seen) const {
  std::vector<std::size_t> waiting{state};
  while (!waiting.empty()) {
    const auto current = waiting.back();
    waiting.pop_back();
    if (seen[current]) continue;
    seen[current] = true;
    if (states_[current].kind == State::Kind::split) {
      waiting.push_back(states_[current].next);
      waiting.push_back(states_[current].other);
    } else {
      active.push_back(current);
    }
  }
}

bool PlatformPattern::matches(std::string_view text) const {
  std::vector<std::size_t> active;
  std::vector<bool> seen(states_.size());
  add_closure(start_, active, seen);
  for (const char c : text) {
    std::vector<std::size_t> following;
    std::fill(seen.begin(), seen.end(), false);
    for (const auto state : active) {
      if (states_[state].kind == State::Kind::character &&
          states_[state].characters.test(static_cast<unsigned char>(c))) {
        add_closure(states_[state].next, following, seen);
      }
    }
    active = std::move(following);
  }
  return std::any_of(active.begin(), active.end(),
                     [&](std::size_t state) { return states_[state].kind == State::Kind::accept; });
}

}  // namespace andon::recipe
