// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "asl/regex_program.hpp"
#include "asl/utf8.hpp"
#include "base/error.hpp"

namespace andon::asl {
namespace {

constexpr std::size_t kMaxPattern = 10'000;
constexpr std::size_t kMaxCode = 50'000;
constexpr std::size_t kMaxNesting = 100;
constexpr std::uint32_t kUnbounded = 0xFFFF'FFFF;

struct Node {
  enum class Kind {
    empty,
    character,
    any,
    set,
    sequence,
    alternatives,
    group,
    repeat,
    assertion,
    back_reference,
    look
  };
  Kind kind = Kind::empty;
  char32_t character = 0;
  CharacterClass set;
  std::vector<Node> children;
  std::uint32_t group = 0;       // capturing group number; 0: not capturing
  std::uint32_t last_group = 0;  // groups group_before+1..last_group are inside
  std::uint32_t group_before = 0;
  std::uint32_t least = 0;
  std::uint32_t most = 0;
  bool lazy = false;
  bool negative = false;
  RegexOp assertion = RegexOp::line_begin;
  std::string name;
};

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

  Node parse() {
    find_group_names();
    Node node = alternatives(0);
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

  Node alternatives(std::size_t depth) {
    if (depth > kMaxNesting) fail("groups are nested too deeply");
    Node node;
    node.kind = Node::Kind::alternatives;
    do {
      node.children.push_back(sequence(depth));
    } while (take(U'|'));
    if (node.children.size() == 1) return std::move(node.children.front());
    return node;
  }

  Node sequence(std::size_t depth) {
    Node node;
    node.kind = Node::Kind::sequence;
    while (!at_end() && peek() != '|' && peek() != ')') {
      const std::uint32_t before = groups_;
      Node atom = term(depth);
      atom.group_before = before;
      atom.last_group = groups_;
      node.children.push_back(quantified(std::move(atom)));
    }
    return node;
  }

  Node quantified(Node atom) {
    std::uint32_t least = 0;
    std::uint32_t most = 0;
    if (take(U'*')) {
      most = kUnbounded;
    } else if (take(U'+')) {
      least = 1;
      most = kUnbounded;
    } else if (take(U'?')) {
      most = 1;
    } else if (const auto range = counted()) {
      least = range->first;
      most = range->second;
    } else {
      return atom;
    }
    if (atom.kind == Node::Kind::assertion) fail("nothing to repeat");
    if (most < least) fail("numbers out of order in {} quantifier");
    Node repeat;
    repeat.kind = Node::Kind::repeat;
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
      most = peek() == '}' ? kUnbounded : number();
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

  Node term(std::size_t depth) {
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
        Node node;
        node.kind = Node::Kind::any;
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

  static Node assertion(RegexOp op) {
    Node node;
    node.kind = Node::Kind::assertion;
    node.assertion = op;
    return node;
  }

  static Node literal(char32_t value) {
    Node node;
    node.kind = Node::Kind::character;
    node.character = value;
    return node;
  }

  Node group(std::size_t depth) {
    ++at_;
    Node node;
    node.kind = Node::Kind::group;
    const std::uint32_t before = groups_;
    if (take(U"?:")) {
      // not capturing
    } else if (take(U"?=") || take(U"?!") || take(U"?<=") || take(U"?<!")) {
      node.kind = Node::Kind::look;
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

  Node escape() {
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
    Node node;
    node.kind = Node::Kind::set;
    if (class_escape(node.set.ranges)) return node;
    return literal(character_escape());
  }

  Node back_reference(std::uint32_t group) {
    has_back_references_ = true;
    Node node;
    node.kind = Node::Kind::back_reference;
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

  Node bracket() {
    ++at_;
    Node node;
    node.kind = Node::Kind::set;
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

class Emitter {
 public:
  Emitter(std::uint32_t groups, Regex::Options options) : options_(options) {
    slots_ = 2 * (static_cast<std::size_t>(groups) + 1);
  }

  void emit(const Node& node) {
    switch (node.kind) {
      case Node::Kind::empty:
        break;
      case Node::Kind::character:
        add({RegexOp::character,
             options_.ignore_case ? lower_case(node.character) : node.character});
        break;
      case Node::Kind::any:
        add({RegexOp::any});
        break;
      case Node::Kind::set:
        classes.push_back(node.set);
        add({RegexOp::one_of, static_cast<std::uint32_t>(classes.size() - 1)});
        break;
      case Node::Kind::sequence:
        for (const Node& child : node.children) emit(child);
        break;
      case Node::Kind::alternatives:
        emit_alternatives(node);
        break;
      case Node::Kind::group:
        if (node.group != 0) add({RegexOp::save, 2 * node.group});
        emit(node.children.front());
        if (node.group != 0) add({RegexOp::save, 2 * node.group + 1});
        break;
      case Node::Kind::repeat:
        emit_repeat(node);
        break;
      case Node::Kind::assertion:
        add({node.assertion});
        break;
      case Node::Kind::back_reference:
        add({RegexOp::back_reference, node.group});
        break;
      case Node::Kind::look: {
        const std::size_t look = add({node.assertion, node.negative ? 1U : 0U});
        code[look].first = here();
        emit(node.children.front());
        add({RegexOp::match});
        code[look].second = here();
        break;
      }
    }
  }

  std::vector<RegexInstruction> code;
  std::vector<CharacterClass> classes;
  [[nodiscard]] std::size_t slots() const { return slots_; }
  [[nodiscard]] std::size_t splits() const { return splits_; }

  std::size_t add(RegexInstruction instruction) {
    if (code.size() >= kMaxCode) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        "regular expression is too large: its repetitions make more than 50000 "
                        "instructions");
    }
    if (instruction.op == RegexOp::split) instruction.argument = next_split();
    code.push_back(instruction);
    return code.size() - 1;
  }

 private:
  [[nodiscard]] std::uint32_t here() const { return static_cast<std::uint32_t>(code.size()); }
  std::uint32_t next_split() { return static_cast<std::uint32_t>(splits_++); }

  void emit_alternatives(const Node& node) {
    std::vector<std::size_t> exits;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const bool last = i + 1 == node.children.size();
      std::size_t split = 0;
      if (!last) {
        split = add({RegexOp::split});
        code[split].first = here();
      }
      emit(node.children[i]);
      if (!last) {
        exits.push_back(add({RegexOp::jump}));
        code[split].second = here();
      }
    }
    for (const std::size_t exit : exits) code[exit].first = here();
  }

  void emit_body(const Node& repeat) {
    if (repeat.last_group > repeat.group_before) {
      add({RegexOp::reset_groups, 0, repeat.group_before + 1, repeat.last_group});
    }
    emit(repeat.children.front());
  }

  void link(std::size_t split, bool lazy, std::uint32_t body, std::uint32_t exit) {
    code[split].first = lazy ? exit : body;
    code[split].second = lazy ? body : exit;
  }

  void emit_repeat(const Node& node) {
    for (std::uint32_t i = 0; i < node.least; ++i) emit_body(node);
    if (node.most == kUnbounded) {
      const auto slot = static_cast<std::uint32_t>(slots_++);
      const std::size_t split = add({RegexOp::split});
      const std::uint32_t body = here();
      add({RegexOp::loop_start, slot});
      emit_body(node);
      add({RegexOp::loop_check, slot});
      const std::size_t back = add({RegexOp::jump});
      code[back].first = static_cast<std::uint32_t>(split);
      link(split, node.lazy, body, here());
      return;
    }
    std::vector<std::pair<std::size_t, std::uint32_t>> splits;
    for (std::uint32_t i = node.least; i < node.most; ++i) {
      const std::size_t split = add({RegexOp::split});
      splits.emplace_back(split, here());
      const auto slot = static_cast<std::uint32_t>(slots_++);
      add({RegexOp::loop_start, slot});
      emit_body(node);
      add({RegexOp::loop_check, slot});
    }
    for (const auto& [split, body] : splits) link(split, node.lazy, body, here());
  }

  Regex::Options options_;
  std::size_t slots_ = 0;
  std::size_t splits_ = 0;
};

}  // namespace

bool CharacterClass::contains(char32_t value) const {
  const bool inside = std::ranges::any_of(
      ranges, [value](const auto& range) { return value >= range.first && value <= range.second; });
  return inside != negated;
}

Regex::Program Regex::Program::compile(std::string_view pattern, Regex::Options options) {
  PatternParser parser(pattern, options);
  const Node node = parser.parse();
  Emitter emitter(parser.groups(), options);
  emitter.emit(node);
  emitter.add({RegexOp::match});
  Program program;
  program.code = std::move(emitter.code);
  program.classes = std::move(emitter.classes);
  program.groups = parser.groups();
  program.slots = emitter.slots();
  program.splits = emitter.splits();
  program.remembers = !parser.has_back_references();
  program.options = options;
  return program;
}

}  // namespace andon::asl
