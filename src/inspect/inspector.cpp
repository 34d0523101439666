// SPDX-License-Identifier: Apache-2.0
#include "inspect/inspector.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "base/error.hpp"
#include "base/log.hpp"
#include "trust/digest.hpp"
#include "vision/annotate.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::int64_t kMaxFileBytes = 256 << 20;

std::string read_all(int fd, std::int64_t size, const fs::path& path) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t count = read(fd, bytes.data() + at, bytes.size() - at);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw base::system_error(fmt::format("cannot read {}", path.string()), errno);
    if (count == 0) break;
    at += static_cast<std::size_t>(count);
  }
  bytes.resize(at);
  return bytes;
}

// yyyy/mm/dd
std::string date_folders(base::Timestamp time) {
  std::string date = base::to_iso8601(time).substr(0, 10);
  std::replace(date.begin(), date.end(), '-', '/');
  return date;
}

}  // namespace

// A file as it was when it was opened: what is recorded is what was looked at.
struct Inspector::Picture {
  PictureId id;
  std::string name;
  std::string bytes;
  std::optional<Error> problem;  // it cannot be read

  // Nothing where there is no such file, or no regular one.
  static std::optional<Picture> open(const fs::path& path) {
    Picture picture;
    picture.id.path = path.string();
    picture.name = path.filename().string();
    const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    const int result = fd ? fstat(fd.get(), &status) : stat(path.c_str(), &status);
    if (result != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    picture.id.bytes = status.st_size;
    picture.id.modified_ns =
        std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    if (!fd) {
      picture.problem = base::system_error(fmt::format("cannot open {}", picture.name), EACCES);
    } else if (status.st_size > kMaxFileBytes) {
      picture.problem = Error(ErrorCode::invalid_argument,
                              fmt::format("{} has {} bytes; at most {} are accepted", picture.name,
                                          picture.id.bytes, kMaxFileBytes));
    } else {
      picture.bytes = read_all(fd.get(), status.st_size, path);
    }
    return picture;
  }

  [[nodiscard]] bool is_recent(base::Timestamp now) const {
    const base::Timestamp modified = base::from_epoch_millis(id.modified_ns / 1'000'000);
    return modified <= now && now - modified < kSettleTime;
  }
};

Inspector::Inspector(InspectorParts parts, Identity identity)
    : parts_(std::move(parts)), identity_(std::move(identity)) {}

void Inspector::set_settings(const Settings& settings) {
  settings_ = settings;
}

Inspector::Outcome Inspector::inspect(const fs::path& path) {
  const auto picture = Picture::open(path);
  if (!picture) return Outcome::gone;
  if (parts_.journal.has(picture->id)) return Outcome::known;
  const Inspection inspection = look_at(*picture);
  if (inspection.error) {
    if (picture->is_recent(parts_.clock.now())) return Outcome::not_complete;
    base::log_warning("a picture cannot be inspected",
                      {{"image", picture->name}, {"error", inspection.error->message()}});
  }
  const std::string message = to_message(inspection, identity_);
  // Before it is recorded: a crash in between looks at the picture again and replaces the upload.
  enqueue_upload(*picture, inspection, message);
  parts_.journal.record(picture->id, message);
  return Outcome::recorded;
}

Inspection Inspector::look_at(const Picture& picture) {
  Inspection inspection;
  inspection.timestamp = parts_.clock.now();
  inspection.image_name = picture.name;
  try {
    if (picture.problem) throw *picture.problem;
    const auto start = SteadyClock::now();
    const vision::Image& image = decoder_.decode(picture.bytes, picture.name);
    inspection.decode = SteadyClock::now() - start;
    inspection.size = image.size;

    vision::DetectionOptions options;
    options.iou = static_cast<float>(settings_.iou);
    options.confidence = static_cast<float>(settings_.confidence);
    if (parts_.uploads != nullptr) {
      // Scores are compared with "more than", the band includes its ends.
      const float below_band = std::nextafter(static_cast<float>(settings_.doubt_low), -1.0F);
      options.confidence = std::min(options.confidence, below_band);
    }
    const auto result = parts_.detector.detect(image, options);
    inspection.preprocess = result.preprocess;
    inspection.inference = result.inference;
    inspection.postprocess = result.postprocess;
    if (!result.detections.empty()) inspection.best_score = result.detections.front().confidence;
    for (const vision::Detection& detection : result.detections) {
      if (!(detection.confidence > static_cast<float>(settings_.confidence))) continue;
      inspection.detections.push_back({detection, parts_.detector.label(detection.class_id)});
    }
    if (!parts_.annotations.empty()) annotate(image, inspection);
  } catch (const Error& error) {
    inspection.error = error;
    inspection.detections.clear();
  }
  return inspection;
}

void Inspector::enqueue_upload(const Picture& picture, const Inspection& inspection,
                               const std::string& message) {
  if (parts_.uploads == nullptr || !inspection.best_score) return;
  const double best = *inspection.best_score;
  if (best < settings_.doubt_low || best > settings_.doubt_high) return;
  Upload upload;
  upload.id = trust::sha256_hex(picture.id.path).substr(0, 32);
  upload.key =
      fmt::format("{}/{}/{}", identity_.thing, date_folders(inspection.timestamp), picture.name);
  upload.message = message;
  try {
    const auto added = parts_.uploads->add(upload, picture.bytes, inspection.timestamp);
    if (added != UploadSpool::Added::yes) {
      base::log_info("a picture in doubt is not uploaded: over the limits",
                     {{"image", picture.name}, {"score", best}});
    }
  } catch (const Error& error) {
    // The result matters more than the upload: a full disk must not stop the line.
    base::log_error("a picture in doubt could not be kept for upload",
                    {{"image", picture.name}, {"error", error.message()}});
  }
}

void Inspector::annotate(const vision::Image& image, const Inspection& inspection) const {
  vision::Image drawn = image;
  std::vector<vision::LabelledBox> boxes;
  for (const auto& [detection, label] : inspection.detections) {
    boxes.push_back(
        {detection.box, detection.class_id, fmt::format("{} {:.2f}", label, detection.confidence)});
  }
  vision::draw_boxes(drawn, boxes);
  fs::path name = inspection.image_name;
  if (name.extension() == ".png" || name.extension() == ".PNG") name += ".jpg";
  try {
    base::write_file_atomically(parts_.annotations / name, vision::encode_jpeg(drawn));
  } catch (const Error& error) {
    base::log_error("an annotated picture cannot be written", {{"error", error.message()}});
  }
}

void Inspector::publish() {
  while (!parts_.journal.pending().empty()) {
    const auto& [number, pending] = *parts_.journal.pending().begin();
    for (ResultSink* sink : parts_.sinks) sink->publish(pending.message);
    parts_.journal.set_published(number);
  }
}

}  // namespace andon::inspect
