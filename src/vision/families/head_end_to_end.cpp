// SPDX-License-Identifier: Apache-2.0
#include "vision/findings/rows.hpp"
#include "vision/heads/family.hpp"

namespace andon::vision {
namespace {

Corners corners_of_row(const float* row) {
  return {row[0], row[1], row[2], row[3]};
}

template <typename BoxOf>
void find(const RowOutput& output, float confidence, std::vector<Candidate>& candidates,
          BoxOf box_of) {
  const float* row = output.values.data();
  const std::size_t count = output.values.size() / output.width;
  for (std::size_t i = 0; i < count; ++i, row += output.width) {
    const float score = row[4];
    const float class_id = row[5];
    if (!(score > confidence)) continue;
    if (!(class_id >= 0 && class_id < static_cast<float>(output.classes))) continue;
    const Corners corners = box_of(row);
    if (!corners.is_box()) continue;
    candidates.push_back(
        {corners, score, static_cast<std::int32_t>(class_id), static_cast<std::uint32_t>(i)});
  }
}

// YOLOv10, YOLO26 and models with built-in suppression: overlaps are seen to already.
class EndToEndHead final : public Head {
 public:
  explicit EndToEndHead(const HeadPlan& plan) : classes_(plan.classes) {}

  void decode(std::span<const Session::Output> outputs, std::size_t item, const LetterboxPlan& plan,
              const DetectionOptions& options, Findings& into) override {
    const Session::Output& output = outputs.front();
    const std::size_t size = static_cast<std::size_t>(output.shape[1]) * kRowValues;
    find_rows({output.values.subspan(item * size, size), classes_, kRowValues}, options.confidence,
              suppressor_.start());
    map_back(suppressor_.best(options), plan, into.detections);
  }

 private:
  std::size_t classes_;
  Suppressor suppressor_;
};

Reading read(const Evidence& evidence) {
  return evidence.read_rows(kRow, "detect");
}

void fit(const Evidence& evidence, HeadPlan& plan) {
  evidence.fit_picked(plan, kRow);
}

bool check(const HeadPlan& /*plan*/, Outputs outputs, Size /*input*/) {
  return has_rank(outputs.front(), 3) && is(outputs.front().shape[2], kRowValues);
}

}  // namespace

void find_rows(const RowOutput& output, float confidence, std::vector<Candidate>& candidates) {
  find(output, confidence, candidates, corners_of_row);
}

void find_centred_rows(const RowOutput& output, Size input, float confidence,
                       std::vector<Candidate>& candidates) {
  find(output, confidence, candidates,
       [&](const float* row) { return corners_in_parts(row, input); });
}

constinit const Family kEndToEnd{
    .kind = HeadKind::end_to_end,
    .name = "end_to_end",
    .task = "detect",
    .help = "float32 [batch,boxes,6]: YOLOv10, YOLO26 and models with built-in NMS",
    .read = read,
    .fit = fit,
    .check = check,
    .make = make_of<EndToEndHead>};

}  // namespace andon::vision
