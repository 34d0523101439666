// SPDX-License-Identifier: Apache-2.0
#include "query/regex/regex_parser.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "base/error/error.hpp"
#include "query/document/utf8.hpp"

namespace andon::query {
namespace {

constexpr std::size_t kMaxPattern = 10'000;
constexpr std::size_t kMaxNesting = 100;

using Ranges = std::vector<std::pair<char32_t, char32_t>>;

const Ranges& digit_ranges() {
  static const Ranges ranges = {{'0', '9'}};
  return ranges;
}
const Ranges& word_ranges() {
  static const Ranges ranges = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
  return ranges;
}
const Ranges& space_ranges() {
  static const Ranges ranges = {
      {'\t', '\r'},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
      {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
  return ranges;
}

void add_complement(Ranges& to, const Ranges& ranges) {
  char32_t next = 0;
  for (const auto& [low, high] : ranges) {
    if (low > next) to.emplace_back(next, low - 1);
    next = high + 1;
  }
  to.emplace_back(next, 0x10FFFF);
}

class PatternParser {
 public:
  PatternParser(std::string_view pattern, Regex::Options options)
      : text_(to_code_points(pattern)), options_(options) {
    if (text_.size() > kMaxPattern) fail("it is longer than 10000 characters");
  }

  PatternNode parse() {
    find_group_names();
    PatternNode node = alternatives(0);
    if (!at_end()) fail("unmatched ')'");
    return node;
  }

  [[nodiscard]] std::uint32_t groups() const { return groups_; }
  [[nodiscard]] bool has_back_references() const { return has_back_references_; }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "regular expression /" + to_utf8(text_) + "/ is invalid: " + why);
  }

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char32_t peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : 0;
  }
  bool take(char32_t wanted) {
    if (at_end() || peek() != wanted) return false;
    ++at_;
    return true;
  }
  bool take(std::u32string_view wanted) {
    if (std::u32string_view(text_).substr(std::min(at_, text_.size())).substr(0, wanted.size()) !=
        wanted) {
      return false;
    }
    at_ += wanted.size();
    return true;
  }

  // A reference may stand before its group, so names and their number are collected first.
  void find_group_names() {
    bool in_class = false;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == '[') {
        in_class = true;
      } else if (text_[i] == ']') {
        in_class = false;
      } else if (text_[i] == '(' && !in_class) {
        const auto rest = std::u32string_view(text_).substr(i);
        const bool named = rest.substr(0, 3) == U"(?<" && rest.substr(0, 4) != U"(?<=" &&
                           rest.substr(0, 4) != U"(?<!";
        if (rest.substr(0, 2) != U"(?" || named) ++total_groups_;
        if (named) {
          const std::size_t close = rest.find(U'>');
          if (close == std::u32string_view::npos) fail("a group name is not closed");
          names_[to_utf8(rest.substr(3, close - 3))] = total_groups_;
        }
      }
    }
  }

  PatternNode alternatives(std::size_t depth) {
    if (depth > kMaxNesting) fail("groups are nested too deeply");
    PatternNode node;
    node.kind = PatternNode::Kind::alternatives;
    do {
      node.children.push_back(sequence(depth));
    } while (take(U'|'));
    if (node.children.size() == 1) return std::move(node.children.front());
    return node;
  }

  PatternNode sequence(std::size_t depth) {
    PatternNode node;
    node.kind = PatternNode::Kind::sequence;
    while (!at_end() && peek() != '|' && peek() != ')') {
      const std::uint32_t before = groups_;
      PatternNode atom = term(depth);
      atom.group_before = before;
      atom.last_group = groups_;
      node.children.push_back(quantified(std::move(atom)));
    }
    return node;
  }

  PatternNode quantified(PatternNode atom) {
    std::uint32_t least = 0;
    std::uint32_t most = 0;
    if (take(U'*')) {
      most = kUnboundedRepeat;
    } else if (take(U'+')) {
      least = 1;
      most = kUnboundedRepeat;
    } else if (take(U'?')) {
      most = 1;
    } else if (const auto range = counted()) {
      least = range->first;
      most = range->second;
    } else {
      return atom;
    }
    if (atom.kind == PatternNode::Kind::assertion) fail("nothing to repeat");
    if (most < least) fail("numbers out of order in {} quantifier");
    PatternNode repeat;
    repeat.kind = PatternNode::Kind::repeat;
    repeat.least = least;
    repeat.most = most;
    repeat.lazy = take(U'?');
    repeat.group_before = atom.group_before;
    repeat.last_group = atom.last_group;
    repeat.children.push_back(std::move(atom));
    if (peek() == '*' || peek() == '+' || peek() == '?') fail("nothing to repeat");
    return repeat;
  }

  std::optional<std::pair<std::uint32_t, std::uint32_t>> counted() {
    if (peek() != '{') return std::nullopt;
    const std::size_t start = at_;
    ++at_;
    const auto least = number();
    std::optional<std::uint32_t> most = least;
    if (least && take(U',')) {
      most = peek() == '}' ? kUnboundedRepeat : number();
    }
    if (!least || !most || !take(U'}')) {
      at_ = start;
      return std::nullopt;
    }
    return std::pair{*least, *most};
  }

  std::optional<std::uint32_t> number() {
    if (peek() < '0' || peek() > '9' || at_end()) return std::nullopt;
    std::uint32_t value = 0;
    while (!at_end() && peek() >= '0' && peek() <= '9') {
      value = std::min<std::uint32_t>(value * 10 + (peek() - '0'), 1'000'000);
      ++at_;
    }
    return value;
  }

  PatternNode term(std::size_t depth) {
    const char32_t c = peek();
    switch (c) {
      case '^':
        ++at_;
        return assertion(RegexOp::line_begin);
      case '$':
        ++at_;
        return assertion(RegexOp::line_end);
      case '(':
        return group(depth);
      case '.': {
        ++at_;
        PatternNode node;
        node.kind = PatternNode::Kind::any;
        return node;
      }
      case '[':
        return bracket();
      case '\\':
        return escape();
      case '*':
      case '+':
      case '?':
        fail("nothing to repeat");
      case '{':
        if (counted()) fail("nothing to repeat");
        break;
      default:
        break;
    }
    ++at_;
    return literal(c);
  }

  static PatternNode assertion(RegexOp op) {
    PatternNode node;
    node.kind = PatternNode::Kind::assertion;
    node.assertion = op;
    return node;
  }

  static PatternNode literal(char32_t value) {
    PatternNode node;
    node.kind = PatternNode::Kind::character;
    node.character = value;
    return node;
  }

  PatternNode group(std::size_t depth) {
    ++at_;
    PatternNode node;
    node.kind = PatternNode::Kind::group;
    const std::uint32_t before = groups_;
    if (take(U"?:")) {
      // not capturing
    } else if (take(U"?=") || take(U"?!") || take(U"?<=") || take(U"?<!")) {
      node.kind = PatternNode::Kind::look;
      node.negative = text_[at_ - 1] == '!';
      node.assertion = text_[at_ - 2] == '<' ? RegexOp::look_behind : RegexOp::look_ahead;
    } else if (take(U"?<")) {
      while (!at_end() && peek() != '>') ++at_;
      ++at_;
      node.group = ++groups_;
    } else if (peek() == '?') {
      fail("invalid group");
    } else {
      node.group = ++groups_;
    }
    node.group_before = before;
    node.children.push_back(alternatives(depth + 1));
    if (!take(U')')) fail("a group is not closed");
    return node;
  }

  PatternNode escape() {
    ++at_;
    if (at_end()) fail("\\ at end of pattern");
    const char32_t c = peek();
    if (c == 'b' || c == 'B') {
      ++at_;
      return assertion(c == 'b' ? RegexOp::word_boundary : RegexOp::not_word_boundary);
    }
    if (c >= '1' && c <= '9') {
      const std::size_t start = at_;
      const std::uint32_t reference = number().value_or(0);
      if (reference <= total_groups_) return back_reference(reference);
      at_ = start;
    }
    if (c == 'k' && !names_.empty()) {
      ++at_;
      if (!take(U'<')) fail("invalid named reference");
      std::u32string name;
      while (!at_end() && peek() != '>') name += text_[at_++];
      ++at_;
      const auto found = names_.find(to_utf8(name));
      if (found == names_.end()) fail("invalid named reference");
      return back_reference(found->second);
    }
    PatternNode node;
    node.kind = PatternNode::Kind::set;
    if (class_escape(node.set.ranges)) return node;
    return literal(character_escape());
  }

  PatternNode back_reference(std::uint32_t group) {
    has_back_references_ = true;
    PatternNode node;
    node.kind = PatternNode::Kind::back_reference;
    node.group = group;
    return node;
  }

  // \d \D \w \W \s \S
  bool class_escape(Ranges& ranges) {
    const auto add = [&ranges](const Ranges& more) {
      ranges.insert(ranges.end(), more.begin(), more.end());
    };
    switch (peek()) {
      case 'd':
        add(digit_ranges());
        break;
      case 'D':
        add_complement(ranges, digit_ranges());
        break;
      case 'w':
        add(word_ranges());
        break;
      case 'W':
        add_complement(ranges, word_ranges());
        break;
      case 's':
        add(space_ranges());
        break;
      case 'S':
        add_complement(ranges, space_ranges());
        break;
      default:
        return false;
    }
    ++at_;
    return true;
  }

  char32_t character_escape() {
    const char32_t c = peek();
    ++at_;
    switch (c) {
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'v':
        return '\v';
      case 'f':
        return '\f';
      case '0':
        return 0;
      case 'c':
        if ((peek() | 0x20U) >= 'a' && (peek() | 0x20U) <= 'z') return text_[at_++] & 0x1FU;
        --at_;
        return '\\';
      case 'x':
        return hex(2).value_or('x');
      case 'u':
        return unicode_escape();
      default:
        return c;
    }
  }

  char32_t unicode_escape() {
    const auto first = hex(4);
    if (!first) return 'u';
    if (*first >= 0xD800 && *first < 0xDC00 && peek() == '\\' && peek(1) == 'u') {
      const std::size_t start = at_;
      at_ += 2;
      const auto second = hex(4);
      if (second && *second >= 0xDC00 && *second < 0xE000) {
        return 0x10000 + ((*first - 0xD800) << 10U) + (*second - 0xDC00);
      }
      at_ = start;
    }
    return *first;
  }

  std::optional<char32_t> hex(std::size_t digits) {
    char32_t value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const char32_t c = peek(i);
      const char32_t low = c | 0x20U;
      if (c >= '0' && c <= '9') {
        value = value * 16 + (c - '0');
      } else if (low >= 'a' && low <= 'f') {
        value = value * 16 + (low - 'a' + 10);
      } else {
        return std::nullopt;
      }
    }
    at_ += digits;
    return value;
  }

  PatternNode bracket() {
    ++at_;
    PatternNode node;
    node.kind = PatternNode::Kind::set;
    node.set.negated = take(U'^');
    while (!take(U']')) {
      if (at_end()) fail("a character class is not closed");
      const auto low = class_atom(node.set.ranges);
      if (!low) continue;
      if (peek() != '-' || peek(1) == ']' || at_ + 1 >= text_.size()) {
        node.set.ranges.emplace_back(*low, *low);
        continue;
      }
      ++at_;
      const auto high = class_atom(node.set.ranges);
      if (!high) {
        node.set.ranges.emplace_back(*low, *low);
        node.set.ranges.emplace_back('-', '-');
        continue;
      }
      if (*high < *low) fail("range out of order in character class");
      node.set.ranges.emplace_back(*low, *high);
    }
    return node;
  }

  // A character of a class, or nothing where a whole set such as \d was added.
  std::optional<char32_t> class_atom(Ranges& ranges) {
    if (peek() != '\\') return text_[at_++];
    ++at_;
    if (at_end()) fail("\\ at end of pattern");
    if (class_escape(ranges)) return std::nullopt;
    if (take(U'b')) return '\b';
    return character_escape();
  }

  std::u32string text_;
  Regex::Options options_;
  std::size_t at_ = 0;
  std::uint32_t groups_ = 0;
  std::uint32_t total_groups_ = 0;
  bool has_back_references_ = false;
  std::map<std::string, std::uint32_t> names_;
};

}  // namespace

ParsedPattern parse_pattern(std::string_view pattern, Regex::Options options) {
  PatternParser parser(pattern, options);
  ParsedPattern parsed;
  parsed.root = parser.parse();
  parsed.groups = parser.groups();
  parsed.has_back_references = parser.has_back_references();
  return parsed;
}

}  // namespace andon::query
