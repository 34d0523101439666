// SPDX-License-Identifier: Apache-2.0
// What a model's family is told by: its outputs after a run on an empty input, its metadata, and
// what somebody says beside it. Internal to vision/.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vision/findings/masks.hpp"
#include "vision/findings/rows.hpp"
#include "vision/heads/head.hpp"

namespace andon::vision {

// Whether a model is of a family, out of what it is. A lone `likely` one is taken; `possible` ones
// are only named where a model is refused, since to be the last one left proves nothing.
enum class Claim {
  none,      // something speaks against it
  possible,  // its shapes could be read so
  likely,    // something more speaks for it
  certain,   // proven
};
struct Reading {
  Claim claim = Claim::none;
  // What speaks for it or against it, to come after "it is X: "; empty where the outputs are of
  // another kind altogether.
  std::string why;
};

// Cells of a network's grids, one resolution after another, each half of the one before.
struct Grid {
  int first_stride = 0;
  int last_stride = 0;
};
// The grids that networks have, of those with so many cells over an input of that size.
[[nodiscard]] std::optional<Grid> grid_of(std::int64_t cells, Size input);

constexpr std::int64_t kMaxClasses = 10'000;
constexpr std::int64_t kMasks{kMaskWeights};
constexpr std::int64_t kRow{kRowValues};
constexpr std::int64_t kMostBoxes = 1'000;  // of a model that suppresses overlaps itself

class Evidence {
 public:
  Evidence(const Session& session, const ModelSpec& spec, Size input,
           std::span<const Session::Output> outputs);

  using Shape = std::vector<std::int64_t>;
  struct Output {
    std::size_t index;  // of the session's outputs
    std::string name;
    Shape shape;
    ElementType type;
    std::span<const float> values;  // on an empty picture; of float32
    bool has_free_rows = false;     // the model does not say how many it has of its first dimension
  };
  [[nodiscard]] const std::vector<Output>& outputs() const { return outputs_; }
  [[nodiscard]] const Output* named(std::string_view name) const;
  // The first float32 output of so many dimensions.
  [[nodiscard]] const Output* of_rank(std::size_t rank) const;
  // Has an output [batch,32,height,width] beside one of three dimensions.
  [[nodiscard]] bool has_prototypes() const;

  [[nodiscard]] const ModelSpec& spec() const { return spec_; }
  [[nodiscard]] Size input() const { return input_; }
  [[nodiscard]] std::int64_t cells() const;                    // of the input's grids
  [[nodiscard]] std::int64_t names() const { return names_; }  // 0: nobody names the classes
  [[nodiscard]] std::string_view metadata(const std::string& key) const;
  [[nodiscard]] std::int64_t batch() const { return batch_; }  // pictures in the run
  [[nodiscard]] bool has_free_batch() const { return has_free_batch_; }
  [[nodiscard]] bool says_task(std::string_view task) const { return metadata("task") == task; }
  // Whether its metadata (`end2end`, `nms` in `args`) say that it picks its boxes itself.
  [[nodiscard]] std::optional<bool> says_picked() const;
  [[nodiscard]] const std::optional<KeypointShape>& keypoints() const { return keypoints_; }
  [[nodiscard]] bool says_yolo() const;
  [[nodiscard]] bool says_detr() const;
  [[nodiscard]] bool says_rt_detr_class() const;

  [[noreturn]] void refuse(std::string_view why) const;
  // Refuses a model without it, or with nothing in it.
  [[nodiscard]] const Output& need(const Output* output, std::string_view what) const;
  [[nodiscard]] std::size_t class_count(std::int64_t count, std::string_view what) const;

  // What several families have in common. [batch,before+classes+after,anchors], an anchor a cell,
  // of a task that has other channels than boxes and scores if any are after:
  enum class Scores { probabilities, logits };
  struct Planes {
    std::int64_t before = 4;
    std::int64_t after = 0;
    std::string_view task = "detect";
    Scores scores = Scores::probabilities;
  };
  [[nodiscard]] Reading read_planes(const Planes& wanted) const;
  // [batch,boxes,width], the sixth value of each box its class:
  [[nodiscard]] Reading read_rows(std::int64_t width, std::string_view task) const;

  // Fits of several families: a column of values an anchor, a row a box, rows that the model
  // picked.
  void fit_planes(HeadPlan& plan, std::int64_t before, std::int64_t after) const;
  void fit_rows(HeadPlan& plan, std::int64_t before) const;
  void fit_picked(HeadPlan& plan, std::int64_t width) const;
  void fit_keypoints(HeadPlan& plan) const;
  void add_prototypes(HeadPlan& plan) const;
  void leave_classes_open(HeadPlan& plan) const;
  void check_grid(std::size_t anchors) const;

 private:
  const Session& session_;
  const ModelSpec& spec_;
  Size input_;
  std::vector<Output> outputs_;
  std::int64_t names_ = 0;
  std::int64_t batch_ = 1;
  bool has_free_batch_ = false;
  std::optional<KeypointShape> keypoints_;
};

}  // namespace andon::vision
