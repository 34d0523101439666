// SPDX-License-Identifier: Apache-2.0
// The head of a detector: the last convolutions, and behind them the arithmetic that makes boxes
// of what they give. The second is kept out of eight bits (boxes in 0..640 and scores in 0..1 that
// share one scale leave every score 0) or cut off: src/vision decodes the rest.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/graph/model.hpp"
#include "vision/pixels/image.hpp"
#include "vision/runtime/session.hpp"

namespace andon::model {

// Where the network ends and the arithmetic behind it begins, in any model.
struct Tail {
  std::vector<std::string> last_convolutions;  // their outputs, in the order of the graph
  std::set<std::string> tensors;               // what the nodes behind them make
};
[[nodiscard]] Tail find_tail(const Model& model);

struct HeadLevel {
  int stride = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::string boxes;   // the tensor [1,4*reg_max,h,w]
  std::string scores;  // the tensor [1,classes,h,w], before the sigmoid
};

// As YOLOv8, v9 and v11 have it: distances to four sides as distributions over reg_max bins.
struct Head {
  std::size_t reg_max = 16;
  std::size_t classes = 0;
  std::vector<HeadLevel> levels;  // by stride
};

struct HeadSearch {
  std::optional<Head> head;
  std::string reason;  // why there is none
};
// Looks for the convolutions, then proves the find: what is decoded from them is what the model
// itself gives, on random input.
[[nodiscard]] HeadSearch find_head(const vision::OnnxRuntime& runtime, const Model& model,
                                   std::optional<vision::Size> input_size);

// The outputs become boxes_<stride> and scores_<stride> of each level, float32, and the metadata
// says so (andon_head, andon_reg_max).
void cut_head(Model& model, const Head& head);

// The fixed input that wastes least on pictures of this shape: the longer side as the model has it,
// the other one as letterboxing fills it, in whole steps of the coarsest level.
[[nodiscard]] vision::Size fitted_input(const Head& head, const vision::Size& picture);

// Gives a model whose head was cut off another fixed input: what is left are convolutions, to which
// any size is the same. The metadata (imgsz) follows. Whoever calls runs it to see that it holds.
void set_input_size(Model& model, const Head& head, const vision::Size& size);

// [4 + classes][anchors] from the tensors boxes, scores, boxes, scores, ... of the levels: centre
// x, centre y, width, height in input pixels, then the scores.
[[nodiscard]] std::vector<float> decode_head(const Head& head,
                                             const std::vector<vision::TensorView>& tensors);

}  // namespace andon::model
