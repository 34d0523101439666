// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error/error.hpp"
#include "query/jsonata/evaluate/evaluator.hpp"

namespace andon::query::jsonata {
namespace {

// How the caller's source names the function, for messages.
std::string called_name(const Node& node) {
  const Node& procedure = *node.left;
  return procedure.kind == NodeKind::path ? procedure.children.front()->text : procedure.text;
}

std::size_t utf16_length(std::string_view text) {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) != 0x80U) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

Value make_function(Callable callable) {
  return CallablePtr(std::make_shared<const Callable>(std::move(callable)));
}

}  // namespace

Value Evaluator::function_call(const Node& node, const Value& input, const FramePtr& frame,
                               const Value* applied_to) {
  const Value function = evaluate(*node.left, input, frame);
  const std::string name = called_name(node);
  if (function.is_undefined() && node.left->kind == NodeKind::path &&
      (frame->find(name) != nullptr || find_native(name) != nullptr)) {
    throw Error("T1005", "Attempted to invoke a non-function. Did you mean $" + name + "?",
                node.position);
  }
  Items arguments;
  arguments.reserve(node.children.size() + 1);
  if (applied_to != nullptr) arguments.push_back(*applied_to);
  for (const NodePtr& child : node.children) arguments.push_back(evaluate(*child, input, frame));
  return apply(function, std::move(arguments), input, name);
}

Value Evaluator::apply(const Value& function, Items arguments, const Value& context,
                       const std::string& name) {
  Value result = apply_once(function, std::move(arguments), context, name);
  // A call in tail position comes back as a thunk and is made here, so that it takes no stack.
  while (result.is_function() && result.function()->thunk) {
    spend();
    const CallablePtr thunk = result.function();
    const Node& call = *thunk->node;
    const Value next = evaluate(*call.left, thunk->input, thunk->frame);
    Items values;
    values.reserve(call.children.size());
    for (const NodePtr& child : call.children) {
      values.push_back(evaluate(*child, thunk->input, thunk->frame));
    }
    result = apply_once(next, std::move(values), context, called_name(call));
  }
  return result;
}

Value Evaluator::apply_once(const Value& function, Items arguments, const Value& context,
                            const std::string& name) {
  if (!function.is_function()) throw Error("T1006", "Attempted to invoke a non-function");
  const CallablePtr callable = function.function();
  switch (callable->kind) {
    case Callable::Kind::native: {
      const Native& native = *callable->native;
      if (callable->bound.empty()) {
        return native.call(*this, native.signature.validate(arguments, context, native.name),
                           context);
      }
      // What a partial application left open is filled in order; such calls are not validated.
      Items all;
      std::size_t next = 0;
      for (const auto& bound : callable->bound) {
        if (bound) {
          all.push_back(*bound);
        } else {
          all.push_back(next < arguments.size() ? arguments[next] : Value());
          ++next;
        }
      }
      return native.call(*this, native.signature.validate(all, nullptr, native.name), context);
    }
    case Callable::Kind::lambda:
      if (callable->signature != nullptr) {
        arguments = callable->signature->validate(arguments, context, name);
      }
      return call_lambda(*callable, std::move(arguments));
    case Callable::Kind::regex: {
      if (arguments.empty() || !arguments.front().is_string()) return {};
      return match_regex(callable->regex, arguments.front().string(), 0, false);
    }
    case Callable::Kind::next_match:
      return match_regex(callable->regex, callable->text, callable->from, true);
    case Callable::Kind::transform: {
      const Items validated = callable->signature->validate(arguments, context, name);
      return validated.front().is_undefined() ? Value() : transform(*callable, validated.front());
    }
    case Callable::Kind::chain: {
      const Value between = call(callable->first, std::move(arguments));
      return call(callable->second, {between});
    }
  }
  return {};
}

Value Evaluator::call(const Value& function, Items arguments) {
  spend();
  return apply(function, std::move(arguments), nullptr, "");
}

std::size_t Evaluator::arity(const Value& function) {
  const Callable& callable = *function.function();
  switch (callable.kind) {
    case Callable::Kind::native: {
      if (callable.bound.empty()) return callable.native->arity;
      return static_cast<std::size_t>(
          std::ranges::count_if(callable.bound, [](const auto& bound) { return !bound; }));
    }
    case Callable::Kind::lambda:
      return callable.parameters.size();
    case Callable::Kind::regex:
      return 2;
    default:
      return 1;
  }
}

Value Evaluator::call_lambda(const Callable& lambda, Items arguments) {
  const FramePtr frame = new_frame(lambda.frame);
  for (std::size_t i = 0; i < lambda.parameters.size(); ++i) {
    frame->bind(lambda.parameters[i], i < arguments.size() ? std::move(arguments[i]) : Value());
  }
  return evaluate(*lambda.node, lambda.input, frame);
}

Value Evaluator::partial(const Node& node, const Value& input, const FramePtr& frame) {
  std::vector<std::optional<Value>> given;
  for (const NodePtr& child : node.children) {
    if (child->kind == NodeKind::placeholder) {
      given.emplace_back();
    } else {
      given.emplace_back(evaluate(*child, input, frame));
    }
  }
  const Value function = evaluate(*node.left, input, frame);
  const std::string name = called_name(node);
  if (!function.is_function()) {
    if (function.is_undefined() && node.left->kind == NodeKind::path &&
        (frame->find(name) != nullptr || find_native(name) != nullptr)) {
      throw Error("T1007",
                  "Attempted to partially apply a non-function. Did you mean $" + name + "?",
                  node.position);
    }
    throw Error("T1008", "Attempted to partially apply a non-function", node.position);
  }
  Callable callable = *function.function();
  callable.signature = nullptr;
  if (callable.kind == Callable::Kind::lambda) {
    callable.frame = new_frame(callable.frame);
    std::vector<std::string> open;
    for (std::size_t i = 0; i < callable.parameters.size(); ++i) {
      if (i < given.size() && !given[i]) {
        open.push_back(callable.parameters[i]);
      } else {
        callable.frame->bind(callable.parameters[i], i < given.size() ? *given[i] : Value());
      }
    }
    callable.parameters = std::move(open);
  } else if (callable.kind == Callable::Kind::native) {
    callable.bound = std::move(given);
  } else {
    throw Error("T1008", "Attempted to partially apply a non-function", node.position);
  }
  return make_function(std::move(callable));
}

Value Evaluator::apply_operator(const Node& node, const Value& input, const FramePtr& frame) {
  const Value left = evaluate(*node.left, input, frame);
  if (node.right->kind == NodeKind::function) {
    return evaluate_applied(*node.right, input, frame, left);
  }
  const Value function = evaluate(*node.right, input, frame);
  if (!function.is_function()) {
    throw Error("T2006",
                "The right side of the function application operator ~> must be a function",
                node.position);
  }
  if (left.is_function()) {
    Callable chain;
    chain.kind = Callable::Kind::chain;
    chain.first = left.function();
    chain.second = function.function();
    return make_function(std::move(chain));
  }
  return apply(function, {left}, nullptr, "");
}

// The call itself, without the predicates and groups that hang on its node.
Value Evaluator::evaluate_applied(const Node& call, const Value& input, const FramePtr& frame,
                                  const Value& argument) {
  spend();
  return function_call(call, input, frame, &argument);
}

Value Evaluator::match_regex(const std::shared_ptr<const Regex>& regex, const std::string& text,
                             std::size_t from, bool next) {
  if (next && from >= text.size()) return {};
  spend(text.size() / 64 + 1);
  // A step of the pattern is the lesser work.
  constexpr std::size_t kPerStep = 8;
  Regex::Work work;
  std::optional<Regex::Match> match;
  try {
    match = regex->search(text, from, work);
  } catch (const base::Error& error) {
    throw Error("D1012", error.message());
  }
  spend(work.steps / kPerStep);
  if (!match) return {};
  if (next && match->begin == match->end) {
    throw Error("D1004", "Regular expression matches zero length string");
  }
  auto result = std::make_shared<Record>();
  result->set("match", text.substr(match->begin, match->end - match->begin));
  const std::size_t start = utf16_length(std::string_view(text).substr(0, match->begin));
  const std::size_t length =
      utf16_length(std::string_view(text).substr(match->begin, match->end - match->begin));
  result->set("start", static_cast<double>(start));
  result->set("end", static_cast<double>(start + length));
  const ListPtr groups = make_list();
  for (const Regex::Group& group : match->groups) {
    push(*groups,
         group.matched ? Value(text.substr(group.begin, group.end - group.begin)) : Value());
  }
  result->set("groups", groups);
  charge(text.size());
  Callable following;
  following.kind = Callable::Kind::next_match;
  following.regex = regex;
  following.text = text;
  following.from = match->end;
  result->set("next", make_function(std::move(following)));
  return result;
}

Value Evaluator::transform(const Callable& callable, const Value& object) {
  const Node& node = *callable.node;
  Value result = deep_copy(object);
  Value matches = evaluate(*node.left, result, callable.frame);
  if (matches.is_undefined()) return result;
  if (!matches.is_list()) matches = make_list({matches});
  for (std::size_t i = 0; i < matches.size(); ++i) {
    const Value match = matches.item(i);
    Record* record = match.record();
    const Value update = evaluate(*node.right, match, callable.frame);
    if (!update.is_undefined()) {
      if (!update.is_object()) {
        throw Error("T2011",
                    "The insert/update clause of the transform expression must evaluate to an "
                    "object: " +
                        base::to_text(to_json(update)),
                    node.right->position);
      }
      if (record != nullptr) {
        update.each_member(
            [&](std::string_view key, const Value& value) { record->set(key, value); });
      }
    }
    if (node.third == nullptr) continue;
    Value deletions = evaluate(*node.third, match, callable.frame);
    if (deletions.is_undefined()) continue;
    if (!deletions.is_list()) deletions = make_list({deletions});
    for (std::size_t k = 0; k < deletions.size(); ++k) {
      const Value key = deletions.item(k);
      if (!key.is_string()) {
        throw Error("T2012",
                    "The delete clause of the transform expression must evaluate to a string or "
                    "array of strings: " +
                        base::to_text(to_json(deletions)),
                    node.third->position);
      }
      if (record != nullptr) record->erase(key.string());
    }
  }
  return result;
}

}  // namespace andon::query::jsonata
