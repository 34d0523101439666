// SPDX-License-Identifier: Apache-2.0
#include "inspect/result.hpp"

#include <array>
#include <cmath>
#include <string_view>

#include "base/encoding.hpp"
#include "base/json.hpp"

namespace andon::inspect {
namespace {

namespace json = base::json;

double rounded(double value, double steps) {
  return std::round(value * steps) / steps;
}

// The length of the UTF-8 sequence at the start of `text`, or 0 where there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t length = 0;
  if (byte(0) < 0x80) return 1;
  if (byte(0) >= 0xC2 && byte(0) < 0xE0) length = 2;
  if (byte(0) >= 0xE0 && byte(0) < 0xF0) length = 3;
  if (byte(0) >= 0xF0 && byte(0) < 0xF5) length = 4;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  if (byte(0) == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
  if (byte(0) == 0xED && byte(1) > 0x9F) return 0;  // surrogates
  if (byte(0) == 0xF0 && byte(1) < 0x90) return 0;
  if (byte(0) == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

std::string valid_utf8(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    result += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

json::object component_json(const ComponentId& component) {
  return {{"name", component.name}, {"version", component.version}};
}

json::object detection_json(const LabelledDetection& labelled) {
  constexpr double kBoxSteps = 100;
  constexpr double kConfidenceSteps = 10'000;
  const vision::Detection& detection = labelled.detection;
  const vision::Box& box = detection.box;
  return {{"class_id", detection.class_id},
          {"label", labelled.label},
          {"confidence", rounded(detection.confidence, kConfidenceSteps)},
          {"box", json::array{rounded(box.x, kBoxSteps), rounded(box.y, kBoxSteps),
                              rounded(box.width, kBoxSteps), rounded(box.height, kBoxSteps)}}};
}

// As COCO has it: [height, width] and runs by column.
json::object mask_json(const vision::Mask& mask) {
  return {{"size", json::array{mask.size.height, mask.size.width}},
          {"counts", json::array(mask.counts.begin(), mask.counts.end())}};
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

double millis(vision::Milliseconds duration) {
  return rounded(duration.count(), 1000);
}

}  // namespace

void Inspection::clear() {
  timestamp = {};
  image_name.clear();
  size = {};
  detections.clear();
  classes.clear();
  anomaly.reset();
  best_score.reset();
  decode = preprocess = inference = postprocess = {};
  batch = 1;
  error.reset();
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
                        {{"name", valid_utf8(inspection.image_name)},
                         {"width", inspection.size.width},
                         {"height", inspection.size.height}}},
                       {"detections", std::move(detections)},
                       {"ms",
                        {{"decode", millis(inspection.decode)},
                         {"preprocess", millis(inspection.preprocess)},
                         {"inference", millis(inspection.inference)},
                         {"postprocess", millis(inspection.postprocess)}}}};
  if (inspection.batch > 1) message.at("ms").as_object().emplace("batch", inspection.batch);
  if (!inspection.classes.empty()) message.emplace("classes", classes_json(inspection.classes));
  if (inspection.anomaly) message.emplace("anomaly", anomaly_json(*inspection.anomaly));
  if (inspection.error) {
    message.emplace("error", json::object{{"code", base::to_string(inspection.error->code())},
                                          {"message", valid_utf8(inspection.error->message())}});
  }
  return base::to_text(message);
}

}  // namespace andon::inspect
