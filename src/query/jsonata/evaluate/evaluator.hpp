// SPDX-License-Identifier: Apache-2.0
// Walks a JSONata syntax tree. Internal to asl; one object per evaluation, one thread.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/jsonata/evaluate/jsonata.hpp"
#include "query/jsonata/syntax/ast.hpp"
#include "query/jsonata/syntax/value.hpp"

namespace andon::query::jsonata {

// What a place in a list is charged, and the most that one list may have.
inline constexpr std::size_t kItemBytes = 48;
inline constexpr std::size_t kMaxItems = 1'000'000;

class Evaluator;
struct Frame;
using FramePtr = std::shared_ptr<Frame>;

// Variables of a block, a call or a tuple.
struct Frame {
  explicit Frame(FramePtr outer_frame) : outer(std::move(outer_frame)) {}
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  ~Frame();

  void bind(std::string_view name, Value value);
  [[nodiscard]] const Value* find(std::string_view name) const;

  FramePtr outer;
  std::vector<std::pair<std::string, Value>> bindings;
};

// A function of the library.
struct Native {
  std::string name;
  Signature signature;
  std::size_t arity = 0;  // how many arguments a higher-order function passes to it
  Value (*call)(Evaluator& evaluator, const Items& arguments, const Value& context) = nullptr;
};
// Null where there is no such function.
[[nodiscard]] const Native* find_native(std::string_view name);

struct Callable {
  enum class Kind { native, lambda, regex, next_match, transform, chain };
  Kind kind = Kind::native;

  const Native* native = nullptr;
  std::vector<std::string> parameters;  // of a lambda, or those left of a partial application
  const Node* node = nullptr;           // a lambda's body, or the transform
  std::shared_ptr<const Signature> signature;
  Value input;
  FramePtr frame;
  bool thunk = false;
  std::vector<std::optional<Value>> bound;  // of a native function applied in part
  std::shared_ptr<const Regex> regex;
  std::string text;      // next_match: the text,
  std::size_t from = 0;  // and the byte from where
  CallablePtr first;     // chain: second(first(x))
  CallablePtr second;
};

class Evaluator {
 public:
  Evaluator(const Environment& environment, const Node& root);
  ~Evaluator();
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  [[nodiscard]] Value run();

  // For the function library.
  [[nodiscard]] Value call(const Value& function, Items arguments);
  [[nodiscard]] static std::size_t arity(const Value& function);
  [[nodiscard]] const Environment& environment() const { return environment_; }
  void spend(std::size_t steps = 1);
  void charge(std::size_t bytes);
  // A sequence of `items`: none is nothing, one stands for itself.
  [[nodiscard]] static Value from_sequence(const ListPtr& sequence);
  [[nodiscard]] Value append(const Value& left, const Value& right);
  [[nodiscard]] Value look_up(const Value& input, std::string_view name);
  // A stable merge sort; `comes_after(a, b)` tells whether a must stand behind b.
  template <typename ComesAfter>
  void sort(Items& items, const ComesAfter& comes_after);
  // JSON text with numbers at 15 digits, as $string gives it.
  [[nodiscard]] std::string text_of(const Value& value, bool pretty = false);
  [[nodiscard]] static std::optional<bool> truth(const Value& value);
  static double checked_number(double number);

 private:
  [[nodiscard]] Value evaluate(const Node& node, const Value& input, const FramePtr& frame);
  [[nodiscard]] Value evaluate_kind(const Node& node, const Value& input, const FramePtr& frame);

  Value path(const Node& node, const Value& input, const FramePtr& frame);
  Value step(const Node& node, const Value& input, const FramePtr& frame, bool last);
  Value tuple_step(const Node& node, const Value& input, const Value& tuples,
                   const FramePtr& frame);
  Value stages(const std::vector<Stage>& stages, Value input, const FramePtr& frame);
  Value filter(const Node& predicate, const Value& input, const FramePtr& frame);
  Value sorted(const Node& node, const Value& input, const FramePtr& frame);
  int compare_by(const Node& node, const Value& a, const Value& b, bool tuples,
                 const FramePtr& frame);
  Value group(const std::vector<NodePair>& pairs, Value input, const FramePtr& frame);

  Value binary(const Node& node, const Value& input, const FramePtr& frame);
  static Value arithmetic(const Node& node, const Value& left, const Value& right);
  Value comparison(const Node& node, const Value& left, const Value& right);
  Value range(const Value& left, const Value& right);
  Value list(const Node& node, const Value& input, const FramePtr& frame);
  Value wildcard(const Value& input);
  Value descendants(const Value& input);
  void add_descendants(const Value& input, Items& out, std::size_t depth);
  void flatten(const Value& value, Items& out, std::size_t depth);

  Value function_call(const Node& node, const Value& input, const FramePtr& frame,
                      const Value* applied_to);
  Value partial(const Node& node, const Value& input, const FramePtr& frame);
  Value evaluate_applied(const Node& call, const Value& input, const FramePtr& frame,
                         const Value& argument);
  Value apply_operator(const Node& node, const Value& input, const FramePtr& frame);
  Value apply(const Value& function, Items arguments, const Value& context,
              const std::string& name);
  Value apply_once(const Value& function, Items arguments, const Value& context,
                   const std::string& name);
  Value call_lambda(const Callable& lambda, Items arguments);
  Value match_regex(const std::shared_ptr<const Regex>& regex, const std::string& text,
                    std::size_t from, bool next);
  Value transform(const Callable& callable, const Value& object);

  FramePtr new_frame(const FramePtr& outer);
  FramePtr tuple_frame(const FramePtr& outer, const Value& tuple);
  void push(List& list, Value value);

  const Environment& environment_;
  const Node& root_;
  std::vector<std::weak_ptr<Frame>> frames_;
  std::size_t frames_kept_ = 1024;
  std::size_t depth_ = 0;
  std::size_t steps_ = 0;
  std::size_t bytes_ = 0;
};

template <typename ComesAfter>
void Evaluator::sort(Items& items, const ComesAfter& comes_after) {
  Items other(items.size());
  for (std::size_t width = 1; width < items.size(); width *= 2) {
    for (std::size_t begin = 0; begin < items.size(); begin += 2 * width) {
      const std::size_t middle = std::min(begin + width, items.size());
      const std::size_t end = std::min(begin + 2 * width, items.size());
      std::size_t left = begin;
      std::size_t right = middle;
      for (std::size_t at = begin; at < end; ++at) {
        spend();
        const bool take_right =
            left == middle || (right < end && comes_after(items[left], items[right]));
        other[at] = std::move(take_right ? items[right++] : items[left++]);
      }
    }
    items.swap(other);
  }
}

// Texts and values as error messages show them.
[[nodiscard]] inline std::string in_quotes(std::string_view text) {
  return '"' + std::string(text) + '"';
}
[[nodiscard]] inline std::string shown(const Value& value) {
  return base::to_text(to_json(value));
}

}  // namespace andon::query::jsonata
