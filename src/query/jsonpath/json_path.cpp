// SPDX-License-Identifier: Apache-2.0
#include "query/jsonpath/json_path.hpp"

#include <algorithm>
#include <cmath>

#include "query/jsonpath/json_path_filter.hpp"

namespace andon::query {
namespace {

constexpr std::size_t kMaxVisits = 5'000'000;
constexpr std::size_t kMaxInsertIndex = 1'000'000;

using Places = std::vector<const json::value*>;

std::optional<std::size_t> wrap_index(std::int64_t index, std::size_t size) {
  const auto length = static_cast<std::int64_t>(size);
  const std::int64_t at = index < 0 ? index + length : index;
  if (at < 0 || at >= length) return std::nullopt;
  return static_cast<std::size_t>(at);
}

void add_slice(const json::array& array, const JsonPath::Slice& slice, Places& out,
               PathBudget& budget) {
  const auto size = static_cast<std::int64_t>(array.size());
  const auto clamp = [size](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size);
  };
  const std::int64_t begin = clamp(slice.begin.value_or(0));
  const std::int64_t end = clamp(slice.end.value_or(size));
  for (std::int64_t at = begin; at < end; at += slice.step) {
    budget.spend();
    out.push_back(&array[static_cast<std::size_t>(at)]);
  }
}

void add_children(const json::value& value, Places& out, PathBudget& budget) {
  if (const auto* array = value.if_array()) {
    budget.spend(array->size());
    for (const auto& element : *array) out.push_back(&element);
  } else if (const auto* object = value.if_object()) {
    budget.spend(object->size());
    for (const auto& member : *object) out.push_back(&member.value());
  }
}

// `value` and everything in it, parents first.
void add_descendants(const json::value& value, Places& out, PathBudget& budget) {
  budget.spend();
  out.push_back(&value);
  if (const auto* array = value.if_array()) {
    for (const auto& element : *array) add_descendants(element, out, budget);
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) add_descendants(member.value(), out, budget);
  }
}

struct Stepper {
  const json::value& place;
  const json::value& document;
  Places& out;
  PathBudget& budget;
  std::vector<std::unique_ptr<json::value>>& computed;

  void operator()(const JsonPath::Name& step) const {
    const auto* object = place.if_object();
    if (object == nullptr) return;
    for (const std::string& name : step.names) {
      budget.spend();
      if (const auto* member = object->if_contains(name)) out.push_back(member);
    }
  }
  void operator()(const JsonPath::Index& step) const {
    const auto* array = place.if_array();
    if (array == nullptr) return;
    for (const std::int64_t index : step.indexes) {
      budget.spend();
      if (const auto at = wrap_index(index, array->size())) out.push_back(&(*array)[*at]);
    }
  }
  void operator()(const JsonPath::Slice& step) const {
    if (const auto* array = place.if_array()) add_slice(*array, step, out, budget);
  }
  void operator()(const JsonPath::Wildcard& /*step*/) const { add_children(place, out, budget); }
  void operator()(const std::shared_ptr<const JsonPath::Filter>& filter) const {
    if (const auto* array = place.if_array()) {
      for (const auto& element : *array) {
        budget.spend();
        if (filter_accepts(*filter, element, document, budget)) out.push_back(&element);
      }
    } else if (place.is_object()) {
      budget.spend();
      if (filter_accepts(*filter, place, document, budget)) out.push_back(&place);
    }
  }
  void operator()(const JsonPath::Function& function) const {
    if (auto value = apply(function.name)) {
      computed.push_back(std::make_unique<json::value>(*std::move(value)));
      out.push_back(computed.back().get());
    }
  }

 private:
  [[nodiscard]] std::optional<json::value> apply(const std::string& name) const {
    const auto* array = place.if_array();
    const auto* object = place.if_object();
    if (name == "length" || name == "size") {
      if (array != nullptr) return json::value(array->size());
      if (object != nullptr) return json::value(object->size());
      if (const auto* text = place.if_string()) return json::value(text->size());
      return std::nullopt;
    }
    if (name == "keys") {
      if (object == nullptr) return std::nullopt;
      json::array keys;
      for (const auto& member : *object) keys.emplace_back(member.key());
      return keys;
    }
    if (array == nullptr) return std::nullopt;
    if (name == "first") {
      return array->empty() ? std::nullopt : std::optional(array->front());
    }
    if (name == "last") return array->empty() ? std::nullopt : std::optional(array->back());
    return number_function(name, *array);
  }

  static std::optional<json::value> number_function(const std::string& name,
                                                    const json::array& array) {
    std::vector<double> numbers;
    for (const auto& element : array) {
      if (element.is_number()) numbers.push_back(element.to_number<double>());
    }
    if (numbers.empty()) {
      throw PathError("Aggregation function attempted to calculate value using empty array");
    }
    double sum = 0;
    double squares = 0;
    for (const double number : numbers) {
      sum += number;
      squares += number * number;
    }
    const auto count = static_cast<double>(numbers.size());
    if (name == "min") return *std::ranges::min_element(numbers);
    if (name == "max") return *std::ranges::max_element(numbers);
    if (name == "sum") return sum;
    if (name == "avg") return sum / count;
    return std::sqrt(std::max(0.0, squares / count - sum * sum / count / count));  // stddev
  }
};

bool is_definite_step(const JsonPath::Segment& segment) {
  if (segment.descend) return false;
  if (const auto* name = std::get_if<JsonPath::Name>(&segment.step)) return name->names.size() == 1;
  if (const auto* index = std::get_if<JsonPath::Index>(&segment.step)) {
    return index->indexes.size() == 1;
  }
  return std::holds_alternative<JsonPath::Function>(segment.step);
}

struct StepText {
  std::string operator()(const JsonPath::Name& step) const {
    std::string text = "[";
    for (const std::string& name : step.names) {
      text += (text.size() > 1 ? ",'" : "'") + name + "'";
    }
    return text + "]";
  }
  std::string operator()(const JsonPath::Index& step) const {
    std::string text = "[";
    for (const std::int64_t index : step.indexes) {
      text += (text.size() > 1 ? "," : "") + std::to_string(index);
    }
    return text + "]";
  }
  std::string operator()(const JsonPath::Slice& step) const {
    return "[" + (step.begin ? std::to_string(*step.begin) : "") + ":" +
           (step.end ? std::to_string(*step.end) : "") + "]";
  }
  std::string operator()(const JsonPath::Wildcard& /*step*/) const { return "[*]"; }
  std::string operator()(const std::shared_ptr<const JsonPath::Filter>& /*step*/) const {
    return "[?]";
  }
  std::string operator()(const JsonPath::Function& step) const { return "." + step.name + "()"; }
};

}  // namespace

void PathBudget::spend(std::size_t nodes) {
  spent_ += nodes;
  if (spent_ > kMaxVisits) {
    throw PathError("The JSONPath visits more than 5000000 nodes of its document");
  }
}

PathMatches match_path(const JsonPath& path, const json::value& start, const json::value& document,
                       PathBudget& budget) {
  PathMatches matches;
  Places here = {&start};
  bool still_definite = true;
  for (const JsonPath::Segment& segment : path.segments()) {
    Places next;
    Places from;
    if (segment.descend) {
      for (const json::value* place : here) add_descendants(*place, from, budget);
    } else {
      from.swap(here);
    }
    still_definite = still_definite && is_definite_step(segment);
    // A function that ends an indefinite path works on the whole list of matches.
    const bool gathers =
        std::holds_alternative<JsonPath::Function>(segment.step) && !path.definite();
    if (gathers) {
      json::array gathered;
      for (const json::value* place : from) gathered.push_back(*place);
      if (!(from.size() == 1 && from.front()->is_array())) {
        matches.computed.push_back(std::make_unique<json::value>(std::move(gathered)));
        from = {matches.computed.back().get()};
      }
    }
    for (const json::value* place : from) {
      std::visit(Stepper{*place, document, next, budget, matches.computed}, segment.step);
    }
    here = std::move(next);
    if (here.empty()) {
      matches.prefix_missing = still_definite;
      break;
    }
  }
  matches.places = std::move(here);
  return matches;
}

std::optional<Data> JsonPath::evaluate(const Data& document) const {
  if (segments_.empty()) return document;
  PathBudget budget;
  const PathMatches matches = match_path(*this, *document, *document, budget);
  const auto is_computed = [&matches](const json::value* place) {
    return std::ranges::any_of(matches.computed,
                               [place](const auto& value) { return value.get() == place; });
  };
  const bool one_value = definite_ || std::holds_alternative<Function>(segments_.back().step);
  if (one_value) {
    if (matches.places.empty()) return std::nullopt;
    const json::value* place = matches.places.front();
    return is_computed(place) ? make_data(*place) : part_of(document, *place);
  }
  json::array list;
  list.reserve(matches.places.size());
  for (const json::value* place : matches.places) list.push_back(*place);
  return make_data(std::move(list));
}

JsonPath JsonPath::without_front(std::size_t count) const {
  JsonPath rest = *this;
  rest.segments_.erase(rest.segments_.begin(),
                       rest.segments_.begin() + static_cast<std::ptrdiff_t>(count));
  return rest;
}

std::optional<json::value> JsonPath::insert(const json::value& input, json::value result) const {
  if (segments_.empty()) return result;
  json::value output = input;
  json::value* place = &output;
  for (const Segment& segment : segments_) {
    if (const auto* name = std::get_if<Name>(&segment.step)) {
      if (!place->is_object()) {
        const bool replaceable = place->is_null() && place != &output;
        if (!replaceable) return std::nullopt;
        *place = json::object();
      }
      place = &place->get_object()[name->names.front()];
    } else if (const auto* index = std::get_if<Index>(&segment.step)) {
      auto* array = place->if_array();
      const std::int64_t at = index->indexes.front();
      if (array == nullptr || at < 0 || static_cast<std::size_t>(at) >= array->size() ||
          static_cast<std::size_t>(at) > kMaxInsertIndex) {
        return std::nullopt;
      }
      place = &(*array)[static_cast<std::size_t>(at)];
    } else {
      return std::nullopt;
    }
  }
  *place = std::move(result);
  return output;
}

std::string normalised_path_text(const JsonPath& path) {
  std::string text = path.root() == PathRoot::context    ? "$$"
                     : path.root() == PathRoot::variable ? "$" + path.variable()
                                                         : "$";
  for (const JsonPath::Segment& segment : path.segments()) {
    if (segment.descend) text += "..";
    text += std::visit(StepText{}, segment.step);
  }
  return text;
}

}  // namespace andon::query
