// SPDX-License-Identifier: Apache-2.0
#include "model/graph/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <queue>

#include "base/error/error.hpp"
#include "model/graph/onnx.hpp"

namespace andon::model {
namespace {

using base::Error;
using base::ErrorCode;

constexpr int kMaxDepth = 32;

// Names read inside a subgraph; those made inside are among them and do no harm.
void collect_reads(const onnx::GraphProto& graph, std::set<std::string>& names, int depth) {
  if (depth > kMaxDepth) {
    throw Error(ErrorCode::invalid_argument, "its subgraphs are nested too deep");
  }
  for (const auto& node : graph.node()) {
    names.insert(node.input().begin(), node.input().end());
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) collect_reads(attribute.g(), names, depth + 1);
      for (const auto& nested : attribute.graphs()) collect_reads(nested, names, depth + 1);
    }
  }
  for (const auto& output : graph.output()) names.insert(output.name());
}

std::set<std::string> subgraph_reads(const onnx::NodeProto& node) {
  std::set<std::string> names;
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g()) collect_reads(attribute.g(), names, 1);
    for (const auto& nested : attribute.graphs()) collect_reads(nested, names, 1);
  }
  return names;
}

std::set<std::string> reads_of(const onnx::NodeProto& node) {
  std::set<std::string> names =
      has_subgraphs(node) ? subgraph_reads(node) : std::set<std::string>{};
  names.insert(node.input().begin(), node.input().end());
  names.erase("");
  return names;
}

void rename_reads(onnx::GraphProto& graph, const std::string& from, const std::string& to) {
  for (auto& node : *graph.mutable_node()) {
    for (auto& input : *node.mutable_input()) {
      if (input == from) input = to;
    }
    if (!has_subgraphs(node)) continue;
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_g()) rename_reads(*attribute.mutable_g(), from, to);
      for (auto& nested : *attribute.mutable_graphs()) rename_reads(nested, from, to);
    }
  }
}

}  // namespace

GraphIndex::GraphIndex(const onnx::GraphProto& graph) : graph_(graph) {
  for (int place = 0; place < graph.node_size(); ++place) {
    const auto& node = graph.node(place);
    for (const auto& output : node.output()) {
      if (!output.empty()) producers_[output] = place;
    }
    for (const std::string& name : reads_of(node)) consumers_[name].push_back(place);
  }
  for (int place = 0; place < graph.initializer_size(); ++place) {
    initialisers_[graph.initializer(place).name()] = place;
  }
  for (const auto& output : graph.output()) outputs_.insert(output.name());
}

int GraphIndex::producer_place(const std::string& tensor) const {
  const auto found = producers_.find(tensor);
  return found == producers_.end() ? -1 : found->second;
}

const onnx::NodeProto* GraphIndex::producer(const std::string& tensor) const {
  const int place = producer_place(tensor);
  return place < 0 ? nullptr : &graph_.node(place);
}

const std::vector<int>& GraphIndex::consumers(const std::string& tensor) const {
  static const std::vector<int> none;
  const auto found = consumers_.find(tensor);
  return found == consumers_.end() ? none : found->second;
}

const onnx::TensorProto* GraphIndex::initialiser(const std::string& name) const {
  const auto found = initialisers_.find(name);
  return found == initialisers_.end() ? nullptr : &graph_.initializer(found->second);
}

bool GraphIndex::is_output(const std::string& tensor) const {
  return outputs_.contains(tensor);
}

bool GraphIndex::has_one_reader(const std::string& tensor) const {
  return !is_output(tensor) && consumers(tensor).size() == 1;
}

void sort_topologically(onnx::GraphProto& graph) {
  const int count = graph.node_size();
  std::unordered_map<std::string, int> producers;
  std::set<std::string> given;
  for (const auto& input : graph.input()) given.insert(input.name());
  for (const auto& tensor : graph.initializer()) given.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) given.insert(tensor.values().name());
  for (int place = 0; place < count; ++place) {
    for (const auto& output : graph.node(place).output()) {
      if (output.empty()) continue;
      if (!producers.emplace(output, place).second || given.contains(output)) {
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("tensor '{}' is made twice", output.substr(0, 200)));
      }
    }
  }
  std::vector<std::vector<int>> followers(static_cast<std::size_t>(count));
  std::vector<int> waits_for(static_cast<std::size_t>(count), 0);
  for (int place = 0; place < count; ++place) {
    const auto& node = graph.node(place);
    // What a subgraph reads may be its own: only what some node makes is waited for.
    for (const std::string& name : reads_of(node)) {
      const auto producer = producers.find(name);
      if (producer != producers.end()) {
        followers[static_cast<std::size_t>(producer->second)].push_back(place);
        ++waits_for[static_cast<std::size_t>(place)];
      }
    }
    for (const auto& input : node.input()) {
      if (!input.empty() && !given.contains(input) && !producers.contains(input)) {
        throw Error(ErrorCode::invalid_argument, fmt::format("{} reads '{}', which nothing makes",
                                                             name_of(node), input.substr(0, 200)));
      }
    }
  }
  for (const auto& output : graph.output()) {
    if (!producers.contains(output.name()) && !given.contains(output.name())) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("its output '{}' is made by nothing", output.name().substr(0, 200)));
    }
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (int place = 0; place < count; ++place) {
    if (waits_for[static_cast<std::size_t>(place)] == 0) ready.push(place);
  }
  std::vector<int> order;
  while (!ready.empty()) {
    const int place = ready.top();
    ready.pop();
    order.push_back(place);
    for (const int follower : followers[static_cast<std::size_t>(place)]) {
      if (--waits_for[static_cast<std::size_t>(follower)] == 0) ready.push(follower);
    }
  }
  if (std::cmp_less(order.size(), count)) {
    throw Error(ErrorCode::invalid_argument, "its graph has a cycle");
  }
  if (std::ranges::is_sorted(order)) return;
  google::protobuf::RepeatedPtrField<onnx::NodeProto> sorted;
  sorted.Reserve(count);
  for (const int place : order) *sorted.Add() = std::move(*graph.mutable_node(place));
  graph.mutable_node()->Swap(&sorted);
}

void keep_nodes(onnx::GraphProto& graph, const std::function<bool(int place)>& keep) {
  auto& nodes = *graph.mutable_node();
  int kept = 0;
  for (int place = 0; place < nodes.size(); ++place) {
    if (!keep(place)) continue;
    if (kept != place) nodes.SwapElements(kept, place);
    ++kept;
  }
  nodes.DeleteSubrange(kept, nodes.size() - kept);
}

std::size_t remove_dead_nodes(onnx::GraphProto& graph) {
  std::set<std::string> needed;
  for (const auto& output : graph.output()) needed.insert(output.name());
  std::vector<bool> is_needed(static_cast<std::size_t>(graph.node_size()), false);
  std::size_t removed = 0;
  for (int place = graph.node_size() - 1; place >= 0; --place) {
    const auto& node = graph.node(place);
    const bool wanted = std::ranges::any_of(
        node.output(), [&](const std::string& output) { return needed.contains(output); });
    is_needed[static_cast<std::size_t>(place)] = wanted;
    if (!wanted) {
      ++removed;
      continue;
    }
    needed.merge(reads_of(node));
  }
  keep_nodes(graph, [&](int place) { return is_needed[static_cast<std::size_t>(place)]; });
  const auto drop = [](auto& list, const auto& is_kept) {
    int kept = 0;
    for (int i = 0; i < list.size(); ++i) {
      if (!is_kept(list[i])) continue;
      if (kept != i) list.SwapElements(kept, i);
      ++kept;
    }
    list.DeleteSubrange(kept, list.size() - kept);
  };
  drop(*graph.mutable_initializer(),
       [&](const onnx::TensorProto& it) { return needed.contains(it.name()); });
  std::set<std::string> made;
  for (const auto& node : graph.node()) made.insert(node.output().begin(), node.output().end());
  drop(*graph.mutable_value_info(),
       [&](const onnx::ValueInfoProto& it) { return made.contains(it.name()); });
  return removed;
}

void replace_readers(onnx::GraphProto& graph, const std::string& from, const std::string& to) {
  rename_reads(graph, from, to);
}

void rename_tensors(onnx::GraphProto& graph, const std::map<std::string, std::string>& names) {
  NameSource source(graph);
  const auto rename = [&](const std::string& from, const std::string& to) {
    if (from == to) return;
    for (auto& node : *graph.mutable_node()) {
      for (auto& output : *node.mutable_output()) {
        if (output == from) output = to;
      }
    }
    const auto rename_all = [&](auto& list) {
      for (auto& it : list) {
        if (it.name() == from) it.set_name(to);
      }
    };
    rename_all(*graph.mutable_initializer());
    rename_all(*graph.mutable_input());
    rename_all(*graph.mutable_value_info());
    rename_reads(graph, from, to);
  };
  // First all out of the way, since one may have the name that another is to get.
  std::map<std::string, std::string> waiting;
  for (const auto& [from, to] : names) {
    rename(from, waiting.emplace(to, source.make(to + "_renamed")).first->second);
  }
  for (const auto& [to, now] : waiting) {
    rename(to, source.make(to));
    rename(now, to);
  }
}

NameSource::NameSource(const onnx::GraphProto& graph) {
  for (const auto& node : graph.node()) {
    taken_.insert(node.input().begin(), node.input().end());
    taken_.insert(node.output().begin(), node.output().end());
  }
  for (const auto& it : graph.initializer()) taken_.insert(it.name());
  for (const auto& it : graph.input()) taken_.insert(it.name());
  for (const auto& it : graph.output()) taken_.insert(it.name());
}

std::string NameSource::make(const std::string& wanted) {
  std::string name = wanted;
  for (int number = 2; !taken_.insert(name).second; ++number) {
    name = fmt::format("{}_{}", wanted, number);
  }
  return name;
}

}  // namespace andon::model
