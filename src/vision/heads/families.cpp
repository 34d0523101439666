// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "vision/heads/family.hpp"

namespace andon::vision {

using base::Error;
using base::ErrorCode;

namespace {

constexpr std::array kFamilies{
    &kYolov8, &kYolov8Dfl, &kYolov8Seg,   &kYolov8Pose,   &kYolov8Obb,   &kYolov5,
    &kYolox,  &kEndToEnd,  &kEndToEndSeg, &kEndToEndPose, &kEndToEndObb, &kYolov7EndToEnd,
    &kRtDetr, &kDetr,      &kDetrLogits,  &kClassifier,   &kAnomaly};

std::string understood() {
  std::string text =
      "Understood: a first input float32 [batch,3,height,width], and the outputs of\n";
  for (const Family* family : kFamilies)
    text += fmt::format("  {:<17} {}\n", family->name, family->help);
  return text + "Say `head: NAME` in a YAML file beside the model where its metadata do not tell";
}

struct Choice {
  const Family* family;
  Reading reading;
};

// One of several that are as likely, or only possible: nobody is served by a guess.
[[noreturn]] void refuse_open(const Evidence& evidence, const std::vector<Choice>& choices) {
  std::string readings;
  std::string heads;
  for (const Choice& it : choices) {
    readings += fmt::format("{}{} ({})", readings.empty() ? "" : ", or as ", it.family->name,
                            it.reading.why);
    heads += fmt::format("{}`head: {}`", heads.empty() ? "" : " or ", it.family->name);
  }
  evidence.refuse(fmt::format("{} as {}; say {} in a YAML file beside it",
                              choices.size() == 1 ? "nothing proves what it is; it may be read"
                                                  : "it may be read in several ways:",
                              readings, heads));
}

[[noreturn]] void refuse_all(const Evidence& evidence, const std::vector<Choice>& choices) {
  std::string why = "none of its outputs has a shape that is understood";
  for (const Choice& it : choices) {
    if (!it.reading.why.empty())
      why += fmt::format("; not {}: {}", it.family->name, it.reading.why);
  }
  evidence.refuse(why);
}

std::vector<Choice> choices_of(const Evidence& evidence) {
  if (evidence.outputs().empty()) evidence.refuse("it has no output of float32 or int64");
  const std::string_view task = evidence.metadata("task");
  std::vector<Choice> choices;
  for (const Family* family : kFamilies) {
    if (!task.empty() && family->task != task) continue;
    choices.push_back({family, family->read(evidence)});
  }
  if (choices.empty()) evidence.refuse(fmt::format("its task is '{}'", task));
  return choices;
}

Choice family_by_outputs(const Evidence& evidence) {
  const std::vector<Choice> all = choices_of(evidence);
  for (const Claim claim : {Claim::certain, Claim::likely, Claim::possible}) {
    std::vector<Choice> equals;
    std::ranges::copy_if(all, std::back_inserter(equals),
                         [&](const Choice& it) { return it.reading.claim == claim; });
    if (equals.empty()) continue;
    if (equals.size() == 1 && claim != Claim::possible) return equals.front();
    refuse_open(evidence, equals);
  }
  refuse_all(evidence, all);
}

Choice family_of_model(const Evidence& evidence) {
  if (evidence.spec().head) {
    return {&family_of(*evidence.spec().head), {Claim::certain, "its description says so"}};
  }
  const std::string_view head = evidence.metadata("andon_head");
  if (!head.empty()) {
    const auto said = head_kind(head);
    if (!said) evidence.refuse(fmt::format("its metadata say andon_head = {}", head));
    return {&family_of(*said), {Claim::certain, "its metadata say andon_head"}};
  }
  return family_by_outputs(evidence);
}

}  // namespace

std::span<const Family* const> families() {
  return kFamilies;
}

const Family& family_of(HeadKind kind) {
  const auto found = std::find_if(kFamilies.begin(), kFamilies.end(),
                                  [&](const Family* it) { return it->kind == kind; });
  if (found == kFamilies.end()) throw Error(ErrorCode::internal, "a head has no family");
  return **found;
}

std::string_view to_string(HeadKind kind) {
  return family_of(kind).name;
}

std::optional<HeadKind> head_kind(std::string_view name) {
  for (const Family* family : kFamilies) {
    if (family->name == name) return family->kind;
  }
  return std::nullopt;
}

std::string_view task_of(HeadKind kind) {
  return family_of(kind).task;
}

std::string head_names() {
  std::string names;
  for (const Family* family : kFamilies) {
    names += names.empty() ? "" : ", ";
    names += family->name;
  }
  return names;
}

bool has_rank(const Session::Output& output, std::size_t rank) {
  return output.shape.size() == rank &&
         std::all_of(output.shape.begin(), output.shape.end(), [](auto it) { return it >= 0; });
}

bool is(std::int64_t dimension, std::size_t wanted) {
  return std::cmp_equal(dimension, wanted);
}

bool are_prototypes(const Session::Output& maps) {
  return has_rank(maps, 4) && is(maps.shape[1], kMaskWeights) && maps.shape[2] > 0 &&
         maps.shape[3] > 0;
}

std::size_t grid_cells(Size input) {
  std::size_t cells = 0;
  for (const int stride : std::array{8, 16, 32}) {
    cells += static_cast<std::size_t>(input.width / stride) *
             static_cast<std::size_t>(input.height / stride);
  }
  return cells;
}

std::string_view metadata_value(const Session& session, const std::string& key) {
  const auto entry = session.metadata().find(key);
  return entry == session.metadata().end() ? std::string_view{} : std::string_view(entry->second);
}

std::vector<std::size_t> readable_outputs(const Session& session) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < session.outputs().size(); ++i) {
    const ElementType type = session.outputs()[i].type;
    if (type == ElementType::float32 || type == ElementType::int64) indices.push_back(i);
  }
  return indices;
}

void refuse_model(const Session& session, std::string_view why) {
  std::string found;
  for (const TensorInfo& input : session.inputs()) found += "\n  input  " + to_string(input);
  for (const TensorInfo& output : session.outputs()) found += "\n  output " + to_string(output);
  for (const char* key :
       {"task", "names", "imgsz", "kpt_shape", "end2end", "args", "description", "andon_head"}) {
    const std::string_view value = metadata_value(session, key);
    if (!value.empty()) found += fmt::format("\n  metadata {} = {}", key, value.substr(0, 100));
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("{} is not a model that andon understands: {}. Found:{}\n{}",
                          session.name(), why, found, understood()));
}

std::unique_ptr<Head> make_head(const HeadPlan& plan) {
  return family_of(plan.kind).make(plan);
}

HeadPlan recognise(const Session& session, const ModelSpec& spec, Size input,
                   std::span<const Session::Output> outputs) {
  const Evidence evidence(session, spec, input, outputs);
  const Choice chosen = family_of_model(evidence);
  HeadPlan plan;
  plan.kind = chosen.family->kind;
  plan.why = chosen.reading.why;
  chosen.family->fit(evidence, plan);
  const bool tells_classes = plan.kind != HeadKind::anomaly && plan.counts_classes;
  if (evidence.names() > 0 && tells_classes && std::cmp_not_equal(plan.classes, evidence.names())) {
    evidence.refuse(
        fmt::format("its output has {} classes, but {} are named", plan.classes, evidence.names()));
  }
  return plan;
}

void check_outputs(const HeadPlan& plan, const Session& session, Outputs outputs, Size input,
                   std::size_t batch) {
  const Family& family = family_of(plan.kind);
  const bool has_batch = std::all_of(outputs.begin(), outputs.end(), [&](const auto& output) {
    return !output.shape.empty() && std::cmp_less_equal(batch, output.shape[0]);
  });
  if ((has_batch || !family.has_batch) && family.check(plan, outputs, input)) return;
  throw base::Error(
      base::ErrorCode::invalid_argument,
      fmt::format("{}: for {} pictures at {}x{} the model's outputs have other shapes than {} has",
                  session.name(), batch, input.width, input.height, to_string(plan.kind)));
}

Preprocessing preprocessing_of(HeadKind kind, const Session& session, const ModelSpec& spec,
                               Size input) {
  Preprocessing result;
  if (const auto prepare = family_of(kind).prepare) prepare(result, session, input);
  return preprocessing_as_said(result, spec, input);
}

}  // namespace andon::vision
