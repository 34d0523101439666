// SPDX-License-Identifier: Apache-2.0
// For tests: a model quantised over random pictures, and what ONNX Runtime makes of a model.
#pragma once

#include <algorithm>
#include <map>
#include <string>

#include "base/os/file.hpp"
#include "model/graph/execution.hpp"
#include "model/quantise/quantise.hpp"
#include "model/testing/models.hpp"

namespace andon::model {

// What every tensor of the plan takes on random pictures.
inline std::map<std::string, Range> random_ranges(const Model& model, const QuantisationPlan& plan,
                                                  const std::map<std::string, Range>& known) {
  Execution execution(test_runtime(), model, plan.tensors, inputs_of(model, std::nullopt));
  std::map<std::string, Range> ranges;
  for (const unsigned seed : {0U, 1U, 2U}) {
    const auto& values = execution.run_random(seed);
    for (std::size_t i = 0; i < values.size(); ++i) {
      for (const float value : values[i].floats()) {
        Range& range = ranges[plan.tensors[i]];
        range = {std::min(range.low, value), std::max(range.high, value)};
      }
    }
  }
  for (const auto& [tensor, range] : known) {
    if (ranges.contains(tensor)) ranges[tensor] = range;
  }
  complete_ranges(model, plan, ranges);
  return ranges;
}

struct Quantised {
  Model before;
  Model after;
  QuantisationPlan plan;
};
// `known`: ranges that are what they are, whatever the pictures.
inline Quantised quantised(const ModelBuilder& builder, const QuantisationOptions& options = {},
                           const std::map<std::string, Range>& known = {}) {
  Quantised result{builder.model(), builder.model(), {}};
  result.plan = plan_quantisation(result.before, find_tail(result.before),
                                  observe(test_runtime(), result.before, std::nullopt));
  quantise(result.after, result.plan, random_ranges(result.before, result.plan, known), options);
  return result;
}

// The operators that ONNX Runtime makes of the model, and how often each runs.
inline std::map<std::string, int> operators_run(const Model& model) {
  const base::TemporaryDirectory folder;
  vision::SessionOptions options;
  options.profile_prefix = folder.path() / "profile";
  {
    Execution execution(test_runtime(), model, output_names(model), inputs_of(model, std::nullopt),
                        options);
    static_cast<void>(execution.run_random(0));
  }
  std::map<std::string, int> counts;
  for (const auto& entry : base::fs::directory_iterator(folder.path())) {
    const std::string text = base::read_file(entry.path());
    const std::string key = "\"op_name\" : \"";
    for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
      const std::size_t start = at + key.size();
      ++counts[text.substr(start, text.find('"', start) - start)];
    }
  }
  return counts;
}

}  // namespace andon::model
