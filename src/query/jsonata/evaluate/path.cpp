// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "query/document/utf8.hpp"
#include "query/jsonata/evaluate/evaluator.hpp"

namespace andon::query::jsonata {
namespace {

constexpr std::string_view kTupleValue = "@";

RecordPtr make_tuple(Value value) {
  auto tuple = std::make_shared<Record>();
  tuple->set(kTupleValue, std::move(value));
  return tuple;
}

ListPtr make_tuple_stream() {
  ListPtr stream = make_sequence();
  stream->tuple_stream = true;
  return stream;
}

}  // namespace

FramePtr Evaluator::tuple_frame(const FramePtr& outer, const Value& tuple) {
  const FramePtr frame = new_frame(outer);
  tuple.each_member([&](std::string_view name, const Value& value) { frame->bind(name, value); });
  return frame;
}

Value Evaluator::path(const Node& node, const Value& input, const FramePtr& frame) {
  const bool as_list = input.is_list() && node.children.front()->kind != NodeKind::variable;
  Value places = as_list ? input : Value(make_sequence(input));
  Value result;
  Value tuples;
  bool has_tuples = false;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const Node& current = *node.children[i];
    has_tuples = has_tuples || current.tuple;
    if (i == 0 && current.constructs) {
      result = evaluate(current, places, frame);
    } else if (has_tuples) {
      tuples = tuple_step(current, places, tuples, frame);
    } else {
      result = step(current, places, frame, i + 1 == node.children.size());
    }
    if (!has_tuples && (result.is_undefined() || (result.is_list() && result.size() == 0))) break;
    if (current.focus.empty()) places = result;
  }
  if (has_tuples) {
    if (node.tuple) {
      result = tuples;
    } else {
      const ListPtr values = make_sequence();
      for (std::size_t i = 0; i < tuples.size(); ++i) {
        push(*values, tuples.item(i).member(kTupleValue));
      }
      result = values;
    }
  }
  if (node.keep_singleton && result.is_list()) {
    const List* own = result.list();
    if (own == nullptr) {
      Items items;
      for (std::size_t i = 0; i < result.size(); ++i) items.push_back(result.item(i));
      result = make_list(std::move(items));
    } else if (own->constructed && !own->sequence) {
      result = make_sequence(result);
    }
    result.list()->keep_singleton = true;
  }
  if (node.group != nullptr) {
    result = group(node.group->pairs, has_tuples ? tuples : result, frame);
  }
  return result;
}

Value Evaluator::step(const Node& node, const Value& input, const FramePtr& frame, bool last) {
  if (node.kind == NodeKind::sort) {
    return stages(node.stages, sorted(node, input, frame), frame);
  }
  Items results;
  for (std::size_t i = 0; i < input.size(); ++i) {
    Value value = evaluate(node, input.item(i), frame);
    for (const Stage& stage : node.stages) {
      if (stage.filter != nullptr) value = filter(*stage.filter, value, frame);
    }
    if (!value.is_undefined()) results.push_back(std::move(value));
  }
  if (last && results.size() == 1 && results.front().is_list() && !results.front().is_sequence()) {
    return results.front();
  }
  const ListPtr sequence = make_sequence();
  for (const Value& value : results) {
    const List* own = value.list();
    if (!value.is_list() || (own != nullptr && own->constructed)) {
      push(*sequence, value);
      continue;
    }
    spend(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) push(*sequence, value.item(i));
  }
  return sequence;
}

Value Evaluator::tuple_step(const Node& node, const Value& input, const Value& tuples,
                            const FramePtr& frame) {
  if (node.kind == NodeKind::sort) {
    if (!tuples.is_undefined()) return stages(node.stages, sorted(node, tuples, frame), frame);
    const Value order = sorted(node, input, frame);
    const ListPtr stream = make_tuple_stream();
    for (std::size_t i = 0; i < order.size(); ++i) {
      const RecordPtr tuple = make_tuple(order.item(i));
      tuple->set(node.index, static_cast<double>(i));
      push(*stream, tuple);
    }
    return stages(node.stages, stream, frame);
  }
  Value from = tuples;
  if (from.is_undefined()) {
    const ListPtr stream = make_tuple_stream();
    for (std::size_t i = 0; i < input.size(); ++i) push(*stream, make_tuple(input.item(i)));
    from = stream;
  }
  const ListPtr result = make_tuple_stream();
  for (std::size_t t = 0; t < from.size(); ++t) {
    const Value tuple = from.item(t);
    const Value context = tuple.member(kTupleValue);
    const Value found = evaluate(node, context, tuple_frame(frame, tuple));
    if (found.is_undefined()) continue;
    const bool stream = found.is_tuple_stream();
    const std::size_t count = found.is_list() ? found.size() : 1;
    for (std::size_t i = 0; i < count; ++i) {
      const Value value = found.is_list() ? found.item(i) : found;
      const RecordPtr next = std::make_shared<Record>();
      tuple.each_member([&](std::string_view name, const Value& old) { next->set(name, old); });
      if (stream) {
        value.each_member([&](std::string_view name, const Value& old) { next->set(name, old); });
      } else {
        next->set(node.focus.empty() ? kTupleValue : std::string_view(node.focus), value);
        if (!node.index.empty()) next->set(node.index, static_cast<double>(i));
        if (node.ancestor != nullptr) next->set(node.ancestor->label, context);
      }
      push(*result, next);
    }
  }
  return stages(node.stages, result, frame);
}

Value Evaluator::stages(const std::vector<Stage>& stages, Value input, const FramePtr& frame) {
  for (const Stage& stage : stages) {
    if (stage.filter != nullptr) {
      input = filter(*stage.filter, input, frame);
      continue;
    }
    for (std::size_t i = 0; i < input.size(); ++i) {
      if (Record* tuple = input.item(i).record()) {
        tuple->set(stage.index, static_cast<double>(i));
      }
    }
  }
  return input;
}

Value Evaluator::filter(const Node& predicate, const Value& input, const FramePtr& frame) {
  const Value items = input.is_list() ? input : Value(make_sequence(input));
  const ListPtr results = make_sequence();
  const bool tuples = items.is_tuple_stream();
  results->tuple_stream = tuples;
  const auto size = static_cast<double>(items.size());
  if (predicate.kind == NodeKind::number) {
    double index = std::floor(predicate.number);
    if (index < 0) index += size;
    if (!(index >= 0 && index < size)) return results;
    const Value item = items.item(static_cast<std::size_t>(index));
    if (item.is_undefined()) return results;
    if (item.is_list()) return item;
    push(*results, item);
    return results;
  }
  const auto is_at = [size](const Value& wanted, std::size_t at) {
    double index = std::floor(checked_number(wanted.number()));
    if (index < 0) index += size;
    return index == static_cast<double>(at);
  };
  const auto is_number = [](const Value& value) {
    return value.is_number() && !std::isnan(value.number());
  };
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Value item = items.item(i);
    const Value verdict =
        tuples ? evaluate(predicate, item.member(kTupleValue), tuple_frame(frame, item))
               : evaluate(predicate, item, frame);
    if (is_number(verdict)) {
      if (is_at(verdict, i)) push(*results, item);
      continue;
    }
    bool numbers = verdict.is_list();
    for (std::size_t k = 0; k < verdict.size() && numbers; ++k) {
      numbers = is_number(verdict.item(k));
    }
    if (numbers) {
      spend(verdict.size());
      for (std::size_t k = 0; k < verdict.size(); ++k) {
        if (is_at(verdict.item(k), i)) push(*results, item);
      }
    } else if (truth(verdict).value_or(false)) {
      push(*results, item);
    }
  }
  return results;
}

int Evaluator::compare_by(const Node& node, const Value& a, const Value& b, bool tuples,
                          const FramePtr& frame) {
  const auto evaluate_for = [&](const SortTerm& term, const Value& item) {
    return tuples ? evaluate(*term.expression, item.member(kTupleValue), tuple_frame(frame, item))
                  : evaluate(*term.expression, item, frame);
  };
  for (const SortTerm& term : node.terms) {
    const Value left = evaluate_for(term, a);
    const Value right = evaluate_for(term, b);
    if (left.is_undefined()) {
      if (right.is_undefined()) continue;
      return 1;
    }
    if (right.is_undefined()) return -1;
    const auto sortable = [](const Value& value) { return value.is_string() || value.is_number(); };
    if (!sortable(left) || !sortable(right)) {
      throw Error("T2008",
                  "The expressions within an order-by clause must evaluate to numeric or string "
                  "values",
                  node.position);
    }
    if (left.is_string() != right.is_string()) {
      throw Error("T2007",
                  "Type mismatch when comparing values " + base::to_text(to_json(left)) + " and " +
                      base::to_text(to_json(right)) + " in order-by clause",
                  node.position);
    }
    int order = 0;
    if (left.is_string()) {
      order = compare_utf16(left.string(), right.string());
    } else if (left.number() != right.number()) {
      order = left.number() < right.number() ? -1 : 1;
    }
    if (order != 0) return term.descending ? -order : order;
  }
  return 0;
}

Value Evaluator::sorted(const Node& node, const Value& input, const FramePtr& frame) {
  if (input.size() <= 1) return input;
  const bool tuples = input.is_tuple_stream();
  Items items;
  for (std::size_t i = 0; i < input.size(); ++i) items.push_back(input.item(i));
  sort(items,
       [&](const Value& a, const Value& b) { return compare_by(node, a, b, tuples, frame) > 0; });
  charge(items.size() * sizeof(Value));
  return make_list(std::move(items));
}

}  // namespace andon::query::jsonata
