// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/result.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include "base/json/json.hpp"
#include "base/text/encoding.hpp"
#include "base/text/utf8.hpp"

namespace andon::inspect {
namespace {

namespace json = base::json;

double rounded(double value, double steps) {
  return std::round(value * steps) / steps;
}

json::object component_json(const ComponentId& component) {
  return {{"name", component.name}, {"version", component.version}};
}

json::object detection_json(const LabelledDetection& labelled) {
  constexpr double kBoxSteps = 100;
  constexpr double kConfidenceSteps = 10'000;
  const vision::Detection& detection = labelled.detection;
  const vision::Box& box = detection.box;
  // A sliver of less than half a step still has an area.
  const auto side = [](float length) {
    return std::max(rounded(length, kBoxSteps), length > 0 ? 1 / kBoxSteps : 0);
  };
  return {{"class_id", detection.class_id},
          {"label", labelled.label},
          {"confidence", rounded(detection.confidence, kConfidenceSteps)},
          {"box", json::array{rounded(box.x, kBoxSteps), rounded(box.y, kBoxSteps), side(box.width),
                              side(box.height)}}};
}

// As COCO has it: [height, width] and runs by column.
json::object mask_json(const vision::Mask& mask) {
  return {{"size", json::array{mask.size.height, mask.size.width}},
          {"counts", json::array(mask.counts.begin(), mask.counts.end())}};
}

// In pixels of the image; an angle to a ten thousandth of a radian.
json::array rotated_json(const vision::RotatedBox& box) {
  constexpr double kAngleSteps = 10'000;
  const auto pixels = [](float value) { return rounded(value, 100); };
  return {pixels(box.centre_x), pixels(box.centre_y), pixels(box.width), pixels(box.height),
          rounded(box.angle, kAngleSteps)};
}

json::array keypoints_json(std::span<const vision::Keypoint> keypoints) {
  constexpr double kConfidenceSteps = 10'000;
  json::array result;
  for (const vision::Keypoint& it : keypoints) {
    json::array keypoint{rounded(it.x, 100), rounded(it.y, 100)};
    if (it.confidence) keypoint.emplace_back(rounded(*it.confidence, kConfidenceSteps));
    result.push_back(std::move(keypoint));
  }
  return result;
}

json::array classes_json(const std::vector<LabelledScore>& classes) {
  constexpr double kConfidenceSteps = 10'000;
  json::array result;
  for (const auto& [score, label] : classes) {
    result.push_back({{"class_id", score.class_id},
                      {"label", label},
                      {"confidence", rounded(score.confidence, kConfidenceSteps)}});
  }
  return result;
}

json::object anomaly_json(const AnomalyFinding& anomaly) {
  constexpr double kScoreSteps = 10'000;
  json::object result{{"score", rounded(anomaly.score, kScoreSteps)}};
  if (!anomaly.map) return result;
  const vision::GreyMap& map = *anomaly.map;
  const auto pixels = [](float value) { return rounded(value, 100); };
  result.emplace("map",
                 json::object{{"size", json::array{map.size.height, map.size.width}},
                              {"box", json::array{pixels(map.box.x), pixels(map.box.y),
                                                  pixels(map.box.width), pixels(map.box.height)}},
                              {"min", rounded(map.range.low, kScoreSteps)},
                              {"max", rounded(map.range.high, kScoreSteps)},
                              {"png", base::to_base64(vision::encode_png(map))}});
  return result;
}

// "verdict" and "verdict_rule".
void add_verdict(const Verdict& verdict, const std::string& key, json::object& message) {
  message.emplace(key, to_string(verdict.judgement));
  if (!verdict.rule.empty()) message.emplace(key + "_rule", base::to_valid_utf8(verdict.rule));
}

void add_part(const PartNote& part, json::object& message) {
  if (!part.id.empty()) {
    message.emplace("part", json::object{{"id", base::to_valid_utf8(part.id)},
                                         {"triggered", base::to_iso8601(part.triggered_at)}});
  }
  if (part.too_late) add_verdict(*part.too_late, "late_verdict", message);
}

double millis(vision::Milliseconds duration) {
  return rounded(duration.count(), 1000);
}

}  // namespace

void Inspection::clear() {
  timestamp = {};
  image_name.clear();
  warning.clear();
  size = {};
  detections.clear();
  rotated.clear();
  keypoints.clear();
  classes.clear();
  anomaly.reset();
  verdict.reset();
  part.reset();
  best_score.reset();
  decode = preprocess = inference = postprocess = {};
  batch = 1;
  error.reset();
}

std::span<const vision::Keypoint> Inspection::keypoints_of(std::size_t detection) const {
  const std::size_t each = detections.empty() ? 0 : keypoints.size() / detections.size();
  return std::span(keypoints).subspan(detection * each, each);
}

std::optional<ComponentId> component_of_artifact(const base::fs::path& path) {
  std::vector<std::string> parts;
  for (const auto& part : path.lexically_normal()) parts.push_back(part.string());
  // artifacts / component / version / file
  for (std::size_t i = parts.size(); i-- > 0;) {
    if ((parts[i] == "artifacts" || parts[i] == "artifacts-unarchived") && i + 3 < parts.size()) {
      return ComponentId{parts[i + 1], parts[i + 2]};
    }
  }
  return std::nullopt;
}

std::string to_message(const Inspection& inspection, const Identity& identity) {
  json::array detections;
  for (std::size_t i = 0; i < inspection.detections.size(); ++i) {
    json::object detection = detection_json(inspection.detections[i]);
    if (i < inspection.masks.size()) detection.emplace("mask", mask_json(inspection.masks[i]));
    if (i < inspection.rotated.size()) {
      detection.emplace("rotated_box", rotated_json(inspection.rotated[i]));
    }
    const auto keypoints = inspection.keypoints_of(i);
    if (!keypoints.empty()) detection.emplace("keypoints", keypoints_json(keypoints));
    detections.push_back(std::move(detection));
  }
  json::object message{{"timestamp", base::to_iso8601(inspection.timestamp)},
                       {"thing", identity.thing},
                       {"component", component_json(identity.component)},
                       {"model",
                        {{"component", identity.model.name},
                         {"version", identity.model.version},
                         {"sha256", identity.model_sha256}}},
                       {"image",
                        {{"name", base::to_valid_utf8(inspection.image_name)},
                         {"width", inspection.size.width},
                         {"height", inspection.size.height}}},
                       {"detections", std::move(detections)},
                       {"ms",
                        {{"decode", millis(inspection.decode)},
                         {"preprocess", millis(inspection.preprocess)},
                         {"inference", millis(inspection.inference)},
                         {"postprocess", millis(inspection.postprocess)}}}};
  if (!inspection.warning.empty()) {
    message.at("image").as_object().emplace("warning", inspection.warning);
  }
  if (inspection.batch > 1) message.at("ms").as_object().emplace("batch", inspection.batch);
  if (!inspection.classes.empty()) message.emplace("classes", classes_json(inspection.classes));
  if (inspection.anomaly) message.emplace("anomaly", anomaly_json(*inspection.anomaly));
  if (inspection.verdict) add_verdict(*inspection.verdict, "verdict", message);
  if (inspection.part) add_part(*inspection.part, message);
  if (inspection.error) {
    message.emplace("error",
                    json::object{{"code", base::to_string(inspection.error->code())},
                                 {"message", base::to_valid_utf8(inspection.error->message())}});
  }
  return base::to_text(message);
}

std::string with_outputs(std::string message, const base::json::array& outcomes) {
  if (outcomes.empty() || !message.ends_with('}')) return message;
  message.pop_back();
  message += ",\"outputs\":" + base::to_text(outcomes) + "}";
  return message;
}

}  // namespace andon::inspect
