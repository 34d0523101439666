// SPDX-License-Identifier: Apache-2.0
#include "cli/demo/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/escape.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/image/decode.hpp"

namespace andon::cli {
namespace {

using base::JsonReader;

constexpr std::size_t kMaxImageBytes = 256U << 20U;

struct Summary {
  std::string image;
  std::size_t detections = 0;
  double best = 0;
  std::string boxes;
  double milliseconds = 0;
  std::string error;
};

Summary summarise(const base::json::value& result) {
  const JsonReader reader(result, "result");
  Summary summary;
  summary.image = reader.child("image").string("name");
  if (reader.has("error")) summary.error = reader.child("error").string("message");
  if (const auto* detections = reader.optional_array("detections")) {
    for (const auto& element : *detections) {
      const JsonReader detection(element, "result.detections[]");
      const double confidence = detection.optional_number("confidence").value_or(0);
      summary.best = std::max(summary.best, confidence);
      ++summary.detections;
      if (const auto* box = detection.optional_array("box"); box != nullptr && box->size() == 4) {
        summary.boxes +=
            fmt::format("{}{:.0f},{:.0f} {:.0f}x{:.0f}", summary.boxes.empty() ? "" : "  ",
                        box->at(0).to_number<double>(), box->at(1).to_number<double>(),
                        box->at(2).to_number<double>(), box->at(3).to_number<double>());
      }
    }
  }
  if (const auto* times = reader.optional_object("ms")) {
    for (const auto& time : *times) summary.milliseconds += time.value().to_number<double>();
  }
  return summary;
}

}  // namespace

DemoResults::DemoResults(base::fs::path images, base::fs::path out)
    : images_(std::move(images)), out_(std::move(out)) {
  base::make_directories(out_ / "annotated");
  file_.open(out_ / "results.jsonl", std::ios::trunc);
  if (!file_) {
    throw base::Error(base::ErrorCode::permission_denied,
                      "cannot write " + (out_ / "results.jsonl").string());
  }
}

void DemoResults::receive(std::string payload) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(payload));
  arrived_.notify_one();
}

void DemoResults::process(std::chrono::milliseconds timeout) {
  std::deque<std::string> arrived;
  {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, timeout, [&] { return !queue_.empty(); });
    arrived.swap(queue_);
  }
  for (const std::string& payload : arrived) take(payload);
}

void DemoResults::take(const std::string& payload) {
  const base::json::value result = base::parse_json(payload, "a result message");
  const Summary summary = summarise(result);
  // Delivery is at least once: a message that was sent again after a crash is counted, not kept.
  if (!seen_.insert(summary.image).second) {
    ++repeated_;
    return;
  }
  if (summary.detections > 0) ++with_detections_;
  if (!summary.error.empty()) ++failed_;
  file_ << payload << '\n' << std::flush;
  print_row(result);
  if (summary.error.empty()) draw(result, summary.image);
}

void DemoResults::print_row(const base::json::value& result) {
  if (!header_printed_) {
    fmt::print("{:<58} {:>5} {:>6} {:>8}  {}\n", "IMAGE", "FOUND", "BEST", "MS", "BOXES (x,y wxh)");
    header_printed_ = true;
  }
  const Summary summary = summarise(result);
  if (!summary.error.empty()) {
    fmt::print("{:<58} {:>5} {:>6} {:>8}  {}\n", base::escape_line(summary.image), "-", "-", "-",
               base::escape_line(summary.error));
  } else {
    fmt::print("{:<58} {:>5} {:>6} {:>8.1f}  {}\n", base::escape_line(summary.image),
               summary.detections,
               summary.detections > 0 ? fmt::format("{:.2f}", summary.best) : "-",
               summary.milliseconds, base::escape_line(summary.boxes));
  }
  std::fflush(stdout);
}

void DemoResults::draw(const base::json::value& result, const std::string& image) const {
  vision::ImageDecoder decoder;
  vision::Image picture = decoder.decode(base::read_file(images_ / image, kMaxImageBytes), image);
  std::vector<vision::LabelledBox> boxes;
  if (const auto* detections = JsonReader(result, "result").optional_array("detections")) {
    for (const auto& element : *detections) {
      const JsonReader detection(element, "result.detections[]");
      const auto* box = detection.optional_array("box");
      if (box == nullptr || box->size() != 4) continue;
      const auto side = [&](std::size_t i) { return box->at(i).to_number<float>(); };
      boxes.push_back({{side(0), side(1), side(2), side(3)},
                       static_cast<int>(detection.integer("class_id")),
                       fmt::format("{} {:.2f}", detection.string("label"),
                                   detection.optional_number("confidence").value_or(0))});
    }
  }
  vision::draw_boxes(picture, boxes);
  base::fs::path file = out_ / "annotated" / image;
  base::write_file_atomically(file.replace_extension(".jpg"), vision::encode_jpeg(picture));
}

}  // namespace andon::cli
