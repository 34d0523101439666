// SPDX-License-Identifier: Apache-2.0
// A head: what turns a network's outputs into findings. One class for each family of models,
// chosen by recognise(). Internal to vision/.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vision/findings/findings.hpp"
#include "vision/heads/model_spec.hpp"
#include "vision/pixels/letterbox.hpp"
#include "vision/runtime/session.hpp"

namespace andon::vision {

// Keeps its memory between pictures; belongs to one thread at a time.
class Head {
 public:
  Head() = default;
  Head(const Head&) = delete;
  Head& operator=(const Head&) = delete;
  virtual ~Head() = default;

  // The findings in picture `item` of a batch. `outputs` in the order of HeadPlan::outputs.
  virtual void decode(std::span<const Session::Output> outputs, std::size_t item,
                      const LetterboxPlan& plan, const DetectionOptions& options,
                      Findings& into) = 0;
};

// All that a head must know about its model.
struct HeadPlan {
  HeadKind kind = HeadKind::yolov8;
  std::vector<std::size_t> outputs;  // of the session's, in the order that the head reads them
  std::size_t classes = 0;
  std::size_t anchors = 0;
  bool counts_classes = true;  // its outputs tell how many there are
  bool is_decoded = false;     // yolox
  bool has_picked = false;     // rtdetr: rows of score and class, not a score a class
  bool has_nothing = false;    // detr_logits: the last class is "nothing"
  bool has_score = false;      // anomaly: its first output is one
  bool has_map = false;        // anomaly: its last output is one
  KeypointShape keypoints;     // of those that find some
  int stride = 0;              // the largest of its grids, where they tell; 0: they do not
  std::string why;             // it was taken for one of these
};
[[nodiscard]] std::unique_ptr<Head> make_head(const HeadPlan& plan);

// The outputs of a session that could be any head's: all float32 and int64 ones.
[[nodiscard]] std::vector<std::size_t> readable_outputs(const Session& session);

// Which head fits. `outputs` are those of readable_outputs() after a run on an empty input of size
// `input`. Throws invalid_argument that lists what was found and what is understood.
[[nodiscard]] HeadPlan recognise(const Session& session, const ModelSpec& spec, Size input,
                                 std::span<const Session::Output> outputs);

// Heads trust the shapes of their outputs, which may change with the input's: checks them after a
// run, without taking memory. Throws invalid_argument.
void check_outputs(const HeadPlan& plan, const Session& session,
                   std::span<const Session::Output> outputs, Size input, std::size_t batch);

// Throws invalid_argument: `why`, what was found in the model, what is understood.
[[noreturn]] void refuse_model(const Session& session, std::string_view why);

// The metadata entry `key`; empty where there is none.
[[nodiscard]] std::string_view metadata_value(const Session& session, const std::string& key);

// How a head's models of that input want their pictures, where nobody says otherwise. Throws
// invalid_argument for what cannot be.
[[nodiscard]] Preprocessing preprocessing_of(HeadKind kind, const Session& session,
                                             const ModelSpec& spec, Size input);

// Grid cells over all strides of 8, 16 and 32: the anchors of a head without anchor boxes.
[[nodiscard]] std::size_t grid_cells(Size input);

}  // namespace andon::vision
