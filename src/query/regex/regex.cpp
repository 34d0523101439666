// SPDX-License-Identifier: Apache-2.0
#include "query/regex/regex.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/error/error.hpp"
#include "query/document/utf8.hpp"
#include "query/regex/regex_program.hpp"

namespace andon::query {
namespace {

constexpr std::size_t kUnset = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kMaxSteps = 100'000'000;
constexpr std::size_t kMaxStepsWithReferences = 5'000'000;
constexpr std::size_t kMaxLookNesting = 20;
constexpr std::size_t kMaxPending = 40'000'000;

bool is_word(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool is_line_end(char32_t c) {
  return c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029;
}

}  // namespace

namespace {

template <typename Program>
class Matcher {
 public:
  Matcher(const Program& program, std::string_view text, Regex::Work& work)
      : program_(program),
        text_(text),
        slots_(program.slots, kUnset),
        work_(work),
        most_steps_(std::min(program.remembers ? kMaxSteps : kMaxStepsWithReferences,
                             work.most - std::min(work.most, work.steps))) {}
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;
  ~Matcher() { work_.steps += steps_; }

  // Runs the code from `start_code` at `position`; where `must_end` is set the match has to end
  // there.
  bool run(std::uint32_t start_code, std::size_t position, std::size_t must_end = kUnset) {
    struct Pending {
      std::uint32_t code;
      std::uint32_t slot;  // or kNoSlot: try `code` at `value`
      std::size_t value;
    };
    constexpr std::uint32_t kNoSlot = 0xFFFF'FFFF;
    std::vector<Pending> stack = {{start_code, kNoSlot, position}};
    const auto set_slot = [&](std::uint32_t slot, std::size_t value) {
      stack.push_back({0, slot, slots_[slot]});
      slots_[slot] = value;
    };
    while (!stack.empty()) {
      if (stack.size() > kMaxPending) too_much();
      const Pending next = stack.back();
      stack.pop_back();
      if (next.slot != kNoSlot) {
        slots_[next.slot] = next.value;
        continue;
      }
      std::uint32_t pc = next.code;
      std::size_t at = next.value;
      for (bool alive = true; alive;) {
        spend();
        const RegexInstruction& op = program_.code[pc];
        switch (op.op) {
          case RegexOp::match:
            if (must_end == kUnset || at == must_end) {
              end_ = at;
              return true;
            }
            alive = false;
            break;
          case RegexOp::character:
          case RegexOp::any:
          case RegexOp::one_of:
            alive = at < text_.size() && consume(op, at);
            ++pc;
            break;
          case RegexOp::split:
            if (already_failed(op.argument, at)) {
              alive = false;
              break;
            }
            stack.push_back({op.second, kNoSlot, at});
            pc = op.first;
            break;
          case RegexOp::jump:
            pc = op.first;
            break;
          case RegexOp::save:
          case RegexOp::loop_start:
            set_slot(op.argument, at);
            ++pc;
            break;
          case RegexOp::loop_check:
            alive = slots_[op.argument] != at;
            ++pc;
            break;
          case RegexOp::reset_groups:
            for (std::uint32_t slot = 2 * op.first; slot <= 2 * op.second + 1; ++slot) {
              if (slots_[slot] != kUnset) set_slot(slot, kUnset);
            }
            ++pc;
            break;
          case RegexOp::line_begin:
            alive = at == 0 || (program_.options.multi_line &&
                                is_line_end(static_cast<unsigned char>(text_[at - 1])));
            ++pc;
            break;
          case RegexOp::line_end:
            alive = at == text_.size() || (program_.options.multi_line &&
                                           is_line_end(static_cast<unsigned char>(text_[at])));
            ++pc;
            break;
          case RegexOp::word_boundary:
          case RegexOp::not_word_boundary: {
            const bool before = at > 0 && is_word(static_cast<unsigned char>(text_[at - 1]));
            const bool after = at < text_.size() && is_word(static_cast<unsigned char>(text_[at]));
            alive = (before != after) == (op.op == RegexOp::word_boundary);
            ++pc;
            break;
          }
          case RegexOp::back_reference:
            alive = refer(op.argument, at);
            ++pc;
            break;
          case RegexOp::look_ahead:
          case RegexOp::look_behind: {
            const std::vector<std::size_t> before = slots_;
            const bool found = look(op, at);
            alive = found == (op.argument == 0);
            const std::vector<std::size_t> after = slots_;
            slots_ = before;
            if (alive && found) {
              for (std::uint32_t slot = 0; slot < after.size(); ++slot) {
                if (after[slot] != before[slot]) set_slot(slot, after[slot]);
              }
            }
            pc = op.second;
            break;
          }
        }
      }
    }
    return false;
  }

  [[nodiscard]] std::size_t end() const { return end_; }
  [[nodiscard]] const std::vector<std::size_t>& slots() const { return slots_; }
  void start_over() { std::ranges::fill(slots_, kUnset); }

 private:
  static constexpr std::size_t kPage = 512;

  [[noreturn]] static void too_much() {
    throw base::Error(base::ErrorCode::resource_exhausted,
                      "the regular expression takes too many steps on this text; make the pattern "
                      "simpler or the text shorter");
  }

  void spend() {
    if (++steps_ > most_steps_) too_much();
  }

  // True the second time that a split is reached at the same place: the first time failed, or is
  // still under way and this is a loop that consumed nothing.
  bool already_failed(std::uint32_t split, std::size_t at) {
    if (!program_.remembers || looking_ > 0) return false;
    std::vector<std::uint64_t>& page = tried_[at / kPage];
    if (page.empty()) page.resize((program_.splits * kPage + 63) / 64);
    const std::size_t bit = split * kPage + at % kPage;
    std::uint64_t& word = page[bit / 64];
    const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
    if ((word & mask) != 0) return true;
    word |= mask;
    return false;
  }

  bool consume(const RegexInstruction& op, std::size_t& at) const {
    const CodePoint point = code_point_at(text_, at);
    at += point.length;
    switch (op.op) {
      case RegexOp::character:
        return point.value == op.argument ||
               (program_.options.ignore_case && lower_case(point.value) == op.argument);
      case RegexOp::any:
        return program_.options.dot_all || !is_line_end(point.value);
      default: {
        const CharacterClass& set = program_.classes[op.argument];
        if (!program_.options.ignore_case) return set.contains(point.value);
        if (!set.negated) {
          return set.contains(point.value) || set.contains(lower_case(point.value)) ||
                 set.contains(upper_case(point.value));
        }
        return set.contains(point.value) && set.contains(lower_case(point.value)) &&
               set.contains(upper_case(point.value));
      }
    }
  }

  bool refer(std::uint32_t group, std::size_t& at) const {
    const std::size_t begin = slots_[2 * group];
    const std::size_t end = slots_[2 * group + 1];
    if (begin == kUnset || end == kUnset) return true;
    const std::string_view wanted = text_.substr(begin, end - begin);
    if (!program_.options.ignore_case) {
      if (text_.substr(at, wanted.size()) != wanted) return false;
      at += wanted.size();
      return true;
    }
    for (std::size_t i = 0; i < wanted.size();) {
      if (at >= text_.size()) return false;
      const CodePoint a = code_point_at(wanted, i);
      const CodePoint b = code_point_at(text_, at);
      if (lower_case(a.value) != lower_case(b.value)) return false;
      i += a.length;
      at += b.length;
    }
    return true;
  }

  bool look(const RegexInstruction& op, std::size_t at) {
    if (looking_ >= kMaxLookNesting) too_much();
    ++looking_;
    const std::size_t saved_end = end_;
    bool found = false;
    if (op.op == RegexOp::look_ahead) {
      found = run(op.first, at);
    } else {
      for (std::size_t back = 0; back <= at && !found; ++back) {
        const std::size_t start = at - back;
        const bool inside_character =
            start < text_.size() && (static_cast<unsigned char>(text_[start]) & 0xC0U) == 0x80U;
        if (!inside_character) found = run(op.first, start, at);
        spend();
      }
    }
    end_ = saved_end;
    --looking_;
    return found;
  }

  const Program& program_;
  std::string_view text_;
  std::vector<std::size_t> slots_;
  std::unordered_map<std::size_t, std::vector<std::uint64_t>> tried_;
  Regex::Work& work_;
  const std::size_t most_steps_;
  std::size_t end_ = 0;
  std::size_t steps_ = 0;
  std::size_t looking_ = 0;
};

}  // namespace

Regex::Regex(std::string_view pattern, Options options)
    : program_(std::make_unique<const Program>(Program::compile(pattern, options))) {}

Regex::~Regex() = default;

std::size_t Regex::group_count() const {
  return program_->groups;
}

std::optional<Regex::Match> Regex::search(std::string_view text, std::size_t from) const {
  Work work;
  return search(text, from, work);
}

std::optional<Regex::Match> Regex::search(std::string_view text, std::size_t from,
                                          Work& work) const {
  Matcher<Program> matcher(*program_, text, work);
  for (std::size_t start = from; start <= text.size();) {
    matcher.start_over();
    if (matcher.run(0, start)) {
      Match match{start, matcher.end(), {}};
      for (std::size_t group = 1; group <= program_->groups; ++group) {
        const std::size_t begin = matcher.slots()[2 * group];
        const std::size_t end = matcher.slots()[2 * group + 1];
        if (begin == kUnset || end == kUnset) {
          match.groups.emplace_back();
        } else {
          match.groups.push_back({true, begin, end});
        }
      }
      return match;
    }
    start += start < text.size() ? code_point_at(text, start).length : 1;
  }
  return std::nullopt;
}

bool Regex::matches_all(std::string_view text) const {
  Work work;
  Matcher<Program> matcher(*program_, text, work);
  return matcher.run(0, 0, text.size());
}

}  // namespace andon::query
