// SPDX-License-Identifier: Apache-2.0
// Eight bits: QuantizeLinear and DequantizeLinear around what has 8-bit kernels in ONNX Runtime,
// which fuses each group into one integer operator. Weights are S8, symmetric, a scale for each
// output channel; activations U8, one scale and zero point a tensor; biases INT32. The same
// model, ranges and options give the same bytes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/graph/execution.hpp"
#include "model/graph/model.hpp"
#include "model/quantise/calibration.hpp"
#include "model/quantise/head.hpp"
#include "model/quantise/optimization_report.hpp"

namespace andon::model {

// What can have eight bits. Nodes are known by the first tensor that they make.
struct QuantisationPlan {
  std::set<std::string> nodes;
  std::vector<std::string>
      tensors;  // whose ranges are needed, in the order of the graph; see complete_ranges
  std::vector<NodeInFloat>
      in_float;  // of those that compute: constants' readers and shapes are not
};
[[nodiscard]] QuantisationPlan plan_quantisation(const Model& model, const Tail& tail,
                                                 const std::map<std::string, TensorFacts>& facts);

// Adds the ranges of tensors that follow from others: what moves values or chooses among them has
// its input's, a Sigmoid what its input allows. plan.tensors leaves these out.
void complete_ranges(const Model& model, const QuantisationPlan& plan,
                     std::map<std::string, Range>& ranges);

// A convolution and the activation behind it: what is left in float together.
struct Layer {
  std::string node;  // the convolution's name
  std::set<std::string> nodes;
};
[[nodiscard]] std::vector<Layer> layers_of(const Model& model, const QuantisationPlan& plan);

struct QuantisationOptions {
  std::set<std::string> excluded;  // of plan.nodes: left in float
  // A Concat copies where its inputs and output share a scale. They do if none becomes more than
  // so many times coarser by it; 0: never, the most faithful.
  double shared_concat_limit = 0;
  // 7 bits in weights avoid overflow in the 16-bit sums of processors without VNNI. What reads the
  // network's input never has more.
  int weight_bits = 8;
};
void quantise(Model& model, const QuantisationPlan& plan,
              const std::map<std::string, Range>& ranges, const QuantisationOptions& options);

}  // namespace andon::model
