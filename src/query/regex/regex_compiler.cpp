// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error/error.hpp"
#include "query/document/utf8.hpp"
#include "query/regex/regex_parser.hpp"

namespace andon::query {
namespace {

constexpr std::size_t kMaxCode = 50'000;

class Emitter {
 public:
  Emitter(std::uint32_t groups, Regex::Options options) : options_(options) {
    slots_ = 2 * (static_cast<std::size_t>(groups) + 1);
  }

  void emit(const PatternNode& node) {
    switch (node.kind) {
      case PatternNode::Kind::empty:
        break;
      case PatternNode::Kind::character:
        add({RegexOp::character,
             options_.ignore_case ? lower_case(node.character) : node.character});
        break;
      case PatternNode::Kind::any:
        add({RegexOp::any});
        break;
      case PatternNode::Kind::set:
        classes.push_back(node.set);
        add({RegexOp::one_of, static_cast<std::uint32_t>(classes.size() - 1)});
        break;
      case PatternNode::Kind::sequence:
        for (const PatternNode& child : node.children) emit(child);
        break;
      case PatternNode::Kind::alternatives:
        emit_alternatives(node);
        break;
      case PatternNode::Kind::group:
        if (node.group != 0) add({RegexOp::save, 2 * node.group});
        emit(node.children.front());
        if (node.group != 0) add({RegexOp::save, 2 * node.group + 1});
        break;
      case PatternNode::Kind::repeat:
        emit_repeat(node);
        break;
      case PatternNode::Kind::assertion:
        add({node.assertion});
        break;
      case PatternNode::Kind::back_reference:
        add({RegexOp::back_reference, node.group});
        break;
      case PatternNode::Kind::look: {
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

  void emit_alternatives(const PatternNode& node) {
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

  void emit_body(const PatternNode& repeat) {
    if (repeat.last_group > repeat.group_before) {
      add({RegexOp::reset_groups, 0, repeat.group_before + 1, repeat.last_group});
    }
    emit(repeat.children.front());
  }

  void link(std::size_t split, bool lazy, std::uint32_t body, std::uint32_t exit) {
    code[split].first = lazy ? exit : body;
    code[split].second = lazy ? body : exit;
  }

  void emit_repeat(const PatternNode& node) {
    for (std::uint32_t i = 0; i < node.least; ++i) emit_body(node);
    if (node.most == kUnboundedRepeat) {
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
  const ParsedPattern parsed = parse_pattern(pattern, options);
  Emitter emitter(parsed.groups, options);
  emitter.emit(parsed.root);
  emitter.add({RegexOp::match});
  Program program;
  program.code = std::move(emitter.code);
  program.classes = std::move(emitter.classes);
  program.groups = parsed.groups;
  program.slots = emitter.slots();
  program.splits = emitter.splits();
  program.remembers = !parsed.has_back_references;
  program.options = options;
  return program;
}

}  // namespace andon::query
