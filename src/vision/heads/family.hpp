// SPDX-License-Identifier: Apache-2.0
// A family of models and everything that andon knows of it: its name, how its outputs are
// recognised, fitted, checked and decoded. families() in families.cpp is the one table of them; a
// new family is a value of HeadKind, a file head_<family>.cpp and a line there. Internal to
// vision/.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "vision/heads/evidence.hpp"
#include "vision/heads/head.hpp"

namespace andon::vision {

using Outputs = std::span<const Session::Output>;

struct Family {
  HeadKind kind;
  std::string_view name;  // as `head` in a model's description has it
  std::string_view task;  // "detect", "segment", "pose", "obb", "classify" or "anomaly"
  std::string_view help;  // which outputs it has

  // Whether a model that does not say what it is may be one of these, and why.
  Reading (*read)(const Evidence& evidence);
  // Fills in what the head must know; refuses a model that is not one of these.
  void (*fit)(const Evidence& evidence, HeadPlan& plan);
  // After a run: the outputs have the shapes that decode() trusts. Takes no memory.
  bool (*check)(const HeadPlan& plan, Outputs outputs, Size input);
  std::unique_ptr<Head> (*make)(const HeadPlan& plan);
  // How its models want their pictures, where not as YOLO's do.
  void (*prepare)(Preprocessing& preprocessing, const Session& session, Size input) = nullptr;
  // Its outputs begin with the pictures of a batch.
  bool has_batch = true;
};

// In the order in which they are named.
[[nodiscard]] std::span<const Family* const> families();
[[nodiscard]] const Family& family_of(HeadKind kind);

extern const Family kYolov8;
extern const Family kYolov8Dfl;
extern const Family kYolov8Seg;
extern const Family kYolov8Pose;
extern const Family kYolov8Obb;
extern const Family kYolov5;
extern const Family kYolox;
extern const Family kEndToEnd;
extern const Family kEndToEndSeg;
extern const Family kEndToEndPose;
extern const Family kEndToEndObb;
extern const Family kYolov7EndToEnd;
extern const Family kRtDetr;
extern const Family kDetr;
extern const Family kDetrLogits;
extern const Family kClassifier;
extern const Family kAnomaly;

// What check() of several families asks for.
[[nodiscard]] bool has_rank(const Session::Output& output, std::size_t rank);
[[nodiscard]] bool is(std::int64_t dimension, std::size_t wanted);
[[nodiscard]] bool are_prototypes(const Session::Output& maps);

template <typename Class>
std::unique_ptr<Head> make_of(const HeadPlan& plan) {
  return std::make_unique<Class>(plan);
}

}  // namespace andon::vision
