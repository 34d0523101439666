// SPDX-License-Identifier: Apache-2.0
#include "query/jsonata/evaluate/evaluator.hpp"

#include <algorithm>

#include "query/document/utf8.hpp"

namespace andon::query::jsonata {
namespace {

constexpr std::size_t kFrameBytes = 200;
constexpr std::string_view kTupleValue = "@";

// $states, made of looks at the documents where they are.
Value make_states(const Environment& environment) {
  const auto extended = [](const json::value* base, std::string_view key, const json::value* part) {
    auto record = std::make_shared<Record>();
    Value::view(*base).each_member(
        [&](std::string_view name, const Value& value) { record->set(name, value); });
    if (part != nullptr) record->set(key, Value::view(*part));
    return record;
  };
  auto states = std::make_shared<Record>();
  for (const auto& [name, value] : environment.states) states->set(name, Value::view(*value));
  if (const Environment::Context* from = environment.context; from != nullptr) {
    auto context = std::make_shared<Record>();
    context->set("Execution", extended(from->execution, "Input", from->execution_input));
    context->set("StateMachine", Value::view(*from->state_machine));
    context->set("State", Value::view(*from->state));
    if (from->task != nullptr) context->set("Task", Value::view(*from->task));
    if (from->map_item != nullptr) {
      auto map = std::make_shared<Record>();
      map->set("Item", extended(from->map_item, "Value", from->map_value));
      context->set("Map", std::move(map));
    }
    states->set("context", std::move(context));
  }
  return states;
}

}  // namespace

Frame::~Frame() {
  Items values;
  for (auto& binding : bindings) {
    if (binding.second.owns()) values.push_back(std::move(binding.second));
  }
  if (!values.empty()) dispose(std::move(values));
  // Frames in a row are let go one after the other, not one inside the other.
  FramePtr next = std::move(outer);
  while (next != nullptr && next.use_count() == 1) {
    FramePtr after = std::move(next->outer);
    next = std::move(after);
  }
}

void Frame::bind(std::string_view name, Value value) {
  for (auto& [key, bound] : bindings) {
    if (key == name) {
      bound = std::move(value);
      return;
    }
  }
  bindings.emplace_back(std::string(name), std::move(value));
}

const Value* Frame::find(std::string_view name) const {
  for (const Frame* frame = this; frame != nullptr; frame = frame->outer.get()) {
    for (const auto& [key, bound] : frame->bindings) {
      if (key == name) return &bound;
    }
  }
  return nullptr;
}

Evaluator::Evaluator(const Environment& environment, const Node& root)
    : environment_(environment), root_(root) {}

Evaluator::~Evaluator() {
  // A function bound in the frame that it closes over is a circle; here it is cut.
  for (const auto& weak : frames_) {
    if (const FramePtr frame = weak.lock()) {
      Items values;
      for (auto& binding : frame->bindings) values.push_back(std::move(binding.second));
      frame->bindings.clear();
      dispose(std::move(values));
    }
  }
}

FramePtr Evaluator::new_frame(const FramePtr& outer) {
  charge(kFrameBytes);
  auto frame = std::make_shared<Frame>(outer);
  frames_.push_back(frame);
  if (frames_.size() > 2 * frames_kept_) {
    std::erase_if(frames_, [](const auto& weak) { return weak.expired(); });
    frames_kept_ = std::max<std::size_t>(frames_.size(), 1024);
  }
  return frame;
}

void Evaluator::spend(std::size_t steps) {
  steps_ += steps;
  if (steps_ > environment_.limits.steps) {
    throw Error("D1012", "Evaluation takes more than " + std::to_string(environment_.limits.steps) +
                             " steps. Check for infinite loop");
  }
}

void Evaluator::charge(std::size_t bytes) {
  bytes_ += bytes;
  if (bytes_ > environment_.limits.bytes) {
    throw Error("", "Expression evaluation memory limit exceeded");
  }
}

void Evaluator::push(List& list, Value value) {
  charge(kItemBytes);
  if (list.items.size() >= kMaxItems)
    throw Error("", "Expression evaluation memory limit exceeded");
  list.items.push_back(std::move(value));
}

Value Evaluator::run() {
  const FramePtr frame = new_frame(nullptr);
  if (!environment_.states.empty()) frame->bind("states", make_states(environment_));
  for (const auto& [name, value] : environment_.variables) {
    frame->bind(name, Value::view(*value));
  }
  Value input;
  if (environment_.input != nullptr) {
    input = Value::view(*environment_.input);
    if (input.is_list()) {
      ListPtr wrapper = make_sequence(input);
      wrapper->outer_wrapper = true;
      input = wrapper;
    }
  }
  frame->bind("$", input.is_list() && input.list() != nullptr ? input.item(0) : input);
  return evaluate(root_, input, frame);
}

Value Evaluator::evaluate(const Node& node, const Value& input, const FramePtr& frame) {
  spend();
  struct DepthGuard {
    std::size_t& depth;
    ~DepthGuard() { --depth; }
  };
  if (depth_ >= environment_.limits.depth) {
    throw Error("D1011",
                "Stack overflow. Check for non-terminating recursive function.  Consider "
                "rewriting as tail-recursive. Depth=" +
                    std::to_string(depth_ + 1) + " max=" + std::to_string(depth_));
  }
  ++depth_;
  const DepthGuard guard{depth_};

  Value result = evaluate_kind(node, input, frame);
  for (const Stage& predicate : node.predicates) result = filter(*predicate.filter, result, frame);
  if (node.kind != NodeKind::path && node.group != nullptr) {
    result = group(node.group->pairs, std::move(result), frame);
  }
  if (List* sequence = result.list();
      sequence != nullptr && sequence->sequence && !sequence->tuple_stream) {
    if (node.keep_array) sequence->keep_singleton = true;
    if (sequence->items.empty()) return {};
    if (sequence->items.size() == 1 && !sequence->keep_singleton) {
      Value only = sequence->items.front();
      return only;
    }
  }
  return result;
}

Value Evaluator::evaluate_kind(const Node& node, const Value& input, const FramePtr& frame) {
  switch (node.kind) {
    case NodeKind::path:
      return path(node, input, frame);
    case NodeKind::name:
      return look_up(input, node.text);
    case NodeKind::string:
      return node.text;
    case NodeKind::number:
      return node.number;
    case NodeKind::value:
      if (node.text == "null") return nullptr;
      return node.text == "true";
    case NodeKind::variable: {
      if (node.text.empty()) {
        const List* list = input.list();
        return list != nullptr && list->outer_wrapper ? input.item(0) : input;
      }
      if (const Value* bound = frame->find(node.text)) return *bound;
      if (const Native* native = find_native(node.text)) {
        auto callable = std::make_shared<Callable>();
        callable->native = native;
        return CallablePtr(std::move(callable));
      }
      return {};
    }
    case NodeKind::parent: {
      const Value* bound = frame->find(node.slot->label);
      return bound != nullptr ? *bound : Value();
    }
    case NodeKind::wildcard:
      return wildcard(input);
    case NodeKind::descendant:
      return descendants(input);
    case NodeKind::unary_minus: {
      const Value operand = evaluate(*node.left, input, frame);
      if (operand.is_undefined()) return {};
      if (!operand.is_number()) {
        throw Error("D1002", "Cannot negate a non-numeric value: " + shown(operand), node.position);
      }
      return -checked_number(operand.number());
    }
    case NodeKind::list:
      return list(node, input, frame);
    case NodeKind::object:
      return group(node.pairs, input, frame);
    case NodeKind::binary:
      return binary(node, input, frame);
    case NodeKind::bind: {
      Value value = evaluate(*node.right, input, frame);
      frame->bind(node.left->text, value);
      return value;
    }
    case NodeKind::condition:
      if (truth(evaluate(*node.left, input, frame)).value_or(false)) {
        return evaluate(*node.right, input, frame);
      }
      return node.third != nullptr ? evaluate(*node.third, input, frame) : Value();
    case NodeKind::block: {
      const FramePtr inner = new_frame(frame);
      Value result;
      for (const NodePtr& child : node.children) result = evaluate(*child, input, inner);
      return result;
    }
    case NodeKind::regex: {
      auto callable = std::make_shared<Callable>();
      callable->kind = Callable::Kind::regex;
      callable->regex = node.regex;
      return CallablePtr(std::move(callable));
    }
    case NodeKind::function:
      return function_call(node, input, frame, nullptr);
    case NodeKind::partial:
      return partial(node, input, frame);
    case NodeKind::lambda: {
      auto callable = std::make_shared<Callable>();
      callable->kind = Callable::Kind::lambda;
      for (const NodePtr& parameter : node.children) {
        callable->parameters.push_back(parameter->text);
      }
      callable->node = node.left.get();
      callable->signature = node.signature;
      callable->input = input;
      callable->frame = frame;
      callable->thunk = node.thunk;
      return CallablePtr(std::move(callable));
    }
    case NodeKind::apply:
      return apply_operator(node, input, frame);
    case NodeKind::transform: {
      auto callable = std::make_shared<Callable>();
      callable->kind = Callable::Kind::transform;
      callable->node = &node;
      callable->frame = frame;
      static const auto signature = std::make_shared<const Signature>(Signature::parse("<(oa):o>"));
      callable->signature = signature;
      return CallablePtr(std::move(callable));
    }
    case NodeKind::sort:
    case NodeKind::placeholder:
      break;
  }
  throw Error("S0206", "Unknown expression type: " + in_quotes(node.text), node.position);
}

Value Evaluator::from_sequence(const ListPtr& sequence) {
  if (sequence->items.empty()) return {};
  if (sequence->items.size() == 1 && !sequence->keep_singleton) return sequence->items.front();
  return sequence;
}

Value Evaluator::append(const Value& left, const Value& right) {
  if (left.is_undefined()) return right;
  if (right.is_undefined()) return left;
  Items items;
  const auto add = [&](const Value& value) {
    if (!value.is_list()) {
      items.push_back(value);
      return;
    }
    for (std::size_t i = 0; i < value.size(); ++i) items.push_back(value.item(i));
  };
  items.reserve((left.is_list() ? left.size() : 1) + (right.is_list() ? right.size() : 1));
  add(left);
  add(right);
  spend(items.size());
  charge(items.size() * kItemBytes);
  return make_list(std::move(items));
}

Value Evaluator::look_up(const Value& input, std::string_view name) {
  if (input.is_list()) {
    const ListPtr result = make_sequence();
    for (std::size_t i = 0; i < input.size(); ++i) {
      spend();
      const Value found = look_up(input.item(i), name);
      if (found.is_undefined()) continue;
      if (found.is_list()) {
        for (std::size_t k = 0; k < found.size(); ++k) push(*result, found.item(k));
      } else {
        push(*result, found);
      }
    }
    return result;
  }
  return input.is_object() ? input.member(name) : Value();
}

Value Evaluator::list(const Node& node, const Value& input, const FramePtr& frame) {
  const ListPtr result = make_list();
  for (const NodePtr& child : node.children) {
    const Value value = evaluate(*child, input, frame);
    if (value.is_undefined()) continue;
    if (child->kind == NodeKind::list || !value.is_list()) {
      push(*result, value);
    } else {
      spend(value.size());
      for (std::size_t i = 0; i < value.size(); ++i) push(*result, value.item(i));
    }
  }
  result->constructed = node.constructs;
  return result;
}

void Evaluator::flatten(const Value& value, Items& out, std::size_t depth) {
  spend();
  if (depth > environment_.limits.depth) {
    throw Error("D1011", "Stack overflow. The value is nested too deeply");
  }
  if (!value.is_list()) {
    charge(kItemBytes);
    out.push_back(value);
    return;
  }
  for (std::size_t i = 0; i < value.size(); ++i) flatten(value.item(i), out, depth + 1);
}

Value Evaluator::wildcard(const Value& input) {
  const ListPtr result = make_sequence();
  Value place = input;
  if (const List* list = input.list(); list != nullptr && list->outer_wrapper) {
    place = input.item(0);
  }
  const auto add = [&](const Value& value) {
    if (value.is_list()) {
      flatten(value, result->items, 0);
      result->sequence = false;
    } else {
      push(*result, value);
    }
  };
  if (place.is_list()) {
    for (std::size_t i = 0; i < place.size(); ++i) add(place.item(i));
  } else {
    place.each_member([&](std::string_view /*key*/, const Value& value) { add(value); });
  }
  return result;
}

void Evaluator::add_descendants(const Value& input, Items& out, std::size_t depth) {
  spend();
  if (depth > environment_.limits.depth) {
    throw Error("D1011", "Stack overflow. The value is nested too deeply");
  }
  if (input.is_list()) {
    for (std::size_t i = 0; i < input.size(); ++i) add_descendants(input.item(i), out, depth + 1);
    return;
  }
  charge(kItemBytes);
  out.push_back(input);
  input.each_member([&](std::string_view /*key*/, const Value& value) {
    add_descendants(value, out, depth + 1);
  });
}

Value Evaluator::descendants(const Value& input) {
  if (input.is_undefined()) return {};
  const ListPtr result = make_sequence();
  add_descendants(input, result->items, 0);
  return result->items.size() == 1 ? result->items.front() : Value(result);
}

Value Evaluator::group(const std::vector<NodePair>& pairs, Value input, const FramePtr& frame) {
  const bool reduce = input.is_tuple_stream();
  if (!input.is_list()) input = make_sequence(input);
  const std::size_t count = std::max<std::size_t>(input.size(), reduce ? 0 : 1);
  struct Entry {
    Value data;
    std::size_t pair;
  };
  std::vector<std::pair<std::string, Entry>> groups;
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < count; ++i) {
    const Value item = input.item(i);
    const FramePtr item_frame = reduce ? tuple_frame(frame, item) : frame;
    const Value context = reduce ? item.member(kTupleValue) : item;
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      const Value key = evaluate(*pairs[p].first, context, item_frame);
      if (key.is_undefined()) continue;
      if (!key.is_string()) {
        throw Error("T1003",
                    "Key in object structure must evaluate to a string; got: " + shown(key),
                    pairs[p].first->position);
      }
      const auto [place, fresh] = places.try_emplace(key.string(), groups.size());
      if (fresh) {
        groups.emplace_back(key.string(), Entry{item, p});
        continue;
      }
      Entry& entry = groups[place->second].second;
      if (entry.pair != p) {
        throw Error("D1009",
                    "Multiple key definitions evaluate to same key: " + in_quotes(key.string()),
                    pairs[p].first->position);
      }
      // Appending in place keeps a group of n items from costing n * n.
      List* own = entry.data.list();
      if (own != nullptr && entry.data.list_ptr().use_count() == 2 && !item.is_list() &&
          !own->sequence) {
        push(*own, item);
      } else {
        entry.data = append(entry.data, item);
      }
    }
  }
  auto result = std::make_shared<Record>();
  for (auto& [key, entry] : groups) {
    Value context = entry.data;
    FramePtr item_frame = frame;
    if (reduce) {
      Value tuple = entry.data;
      if (tuple.is_list()) {
        auto merged = std::make_shared<Record>();
        for (std::size_t i = 0; i < entry.data.size(); ++i) {
          entry.data.item(i).each_member([&](std::string_view name, const Value& value) {
            const Value* before = merged->find(name);
            merged->set(name, before != nullptr ? append(*before, value) : value);
          });
        }
        tuple = merged;
      }
      context = tuple.member(kTupleValue);
      item_frame = tuple_frame(frame, tuple);
    }
    const Value value = evaluate(*pairs[entry.pair].second, context, item_frame);
    if (!value.is_undefined()) {
      charge(kItemBytes + key.size());
      result->set(key, value);
    }
  }
  return result;
}

}  // namespace andon::query::jsonata
