// SPDX-License-Identifier: Apache-2.0
// Who makes and who reads each tensor of a graph, and the changes of shape that every pass needs.
// An index is of one moment: changing the graph makes it stale. Names that subgraphs (If, Loop)
// take from outside count as read by the node that has the subgraph.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace onnx {
class GraphProto;
class NodeProto;
class TensorProto;
}  // namespace onnx

namespace andon::model {

class GraphIndex {
 public:
  explicit GraphIndex(const onnx::GraphProto& graph);  // keeps a reference

  // Null where no node makes it: it is an input, an initialiser or unknown.
  [[nodiscard]] const onnx::NodeProto* producer(const std::string& tensor) const;
  [[nodiscard]] int producer_place(const std::string& tensor) const;  // -1: none
  // Places of the nodes that read it, each once, in order.
  [[nodiscard]] const std::vector<int>& consumers(const std::string& tensor) const;
  [[nodiscard]] const onnx::TensorProto* initialiser(const std::string& name) const;
  [[nodiscard]] bool is_output(const std::string& tensor) const;
  // Read by one node and nowhere else: not an output either.
  [[nodiscard]] bool has_one_reader(const std::string& tensor) const;

 private:
  const onnx::GraphProto& graph_;
  std::unordered_map<std::string, int> producers_;
  std::unordered_map<std::string, std::vector<int>> consumers_;
  std::unordered_map<std::string, int> initialisers_;
  std::set<std::string> outputs_;
};

// Stable: nodes that are in order stay where they are. Throws invalid_argument for a cycle, for a
// tensor that two nodes make, and for one that nobody makes.
void sort_topologically(onnx::GraphProto& graph);

// Removes nodes whose outputs nobody needs, then initialisers that nobody reads and stale
// descriptions of tensors. The graph must be in order. Gives the number of nodes removed.
std::size_t remove_dead_nodes(onnx::GraphProto& graph);

// Keeps the nodes for which `keep` is true.
void keep_nodes(onnx::GraphProto& graph, const std::function<bool(int place)>& keep);

// Every reader of `from`, subgraphs included, reads `to` instead.
void replace_readers(onnx::GraphProto& graph, const std::string& from, const std::string& to);

// Gives tensors other names, by the names that they have. Where another tensor has such a name
// already, that one gets a new one. Outputs of the graph are left to the caller.
void rename_tensors(onnx::GraphProto& graph, const std::map<std::string, std::string>& names);

// A name that no tensor of the graph has: `wanted`, or with a number after it.
class NameSource {
 public:
  explicit NameSource(const onnx::GraphProto& graph);
  [[nodiscard]] std::string make(const std::string& wanted);

 private:
  std::set<std::string> taken_;
};

}  // namespace andon::model
