// SPDX-License-Identifier: Apache-2.0
#include "inspect/video/camera_source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log/log.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kFramesInQueue = 2;

// The host of an address, with what a file's name does not stand replaced.
std::string host_of(const std::string& url) {
  const std::string plain = without_secrets(url);
  const std::size_t start = plain.find("://") + 3;
  std::string host = plain.substr(start, plain.find_first_of("/?", start) - start);
  std::ranges::replace_if(
      host, [](char c) { return c == ':' || c == '[' || c == ']'; }, '-');
  return host;
}

const base::fs::path& existing(const base::fs::path& device) {
  if (!base::fs::exists(device)) {
    throw Error(ErrorCode::not_found,
                fmt::format("there is no camera {}; `ls /dev/video*` shows those that are there",
                            device.string()));
  }
  return device;
}

}  // namespace

CameraSource::CameraSource(gstreamer_abi::Kind kind, std::string location, std::string name,
                           const base::Clock& clock, CameraTimes times, PartQueue* parts)
    : kind_(kind),
      location_(std::move(location)),
      name_(std::move(name)),
      clock_(clock),
      times_(times),
      parts_(parts),
      queue_(kFramesInQueue) {
  thread_ = std::thread([this] { run(); });
}

CameraSource::~CameraSource() {
  queue_.stop();
  thread_.join();
}

void CameraSource::run() {
  std::chrono::milliseconds pause = times_.first_pause;
  while (!queue_.is_stopped()) {
    bool gave_frames = false;
    try {
      play(gave_frames);
      return;
    } catch (const Error& error) {
      if (gave_frames) pause = times_.first_pause;
      base::log_warning("the camera has broken off; opening it again",
                        {{"camera", without_secrets(location_)},
                         {"error", error.message()},
                         {"pause_ms", pause.count()}});
    }
    if (!queue_.wait(pause)) return;
    pause = std::min(2 * pause, times_.longest_pause);
    ++reconnects_;
  }
}

void CameraSource::play(bool& gave_frames) {
  VideoStream stream(library_, kind_, location_);
  auto last_frame = std::chrono::steady_clock::now();
  while (!queue_.is_stopped()) {
    Frame frame = queue_.spare();
    const VideoStream::Next next = stream.next(200ms, frame.image);
    const auto now = std::chrono::steady_clock::now();
    if (next == VideoStream::Next::end) {
      throw Error(ErrorCode::unavailable, "the camera has ended its stream");
    }
    if (next == VideoStream::Next::timeout) {
      if (now - last_frame < times_.silent_after) continue;
      throw Error(ErrorCode::deadline_exceeded,
                  fmt::format("no frame for {} ms", times_.silent_after.count()));
    }
    if (!gave_frames) {
      base::log_info("the camera gives frames", {{"camera", without_secrets(location_)},
                                                 {"width", frame.image.size.width},
                                                 {"height", frame.image.size.height}});
    }
    gave_frames = true;
    last_frame = now;
    frame.id.reset();
    frame.problem.reset();
    const std::uint64_t number = ++given_;
    std::string time = base::to_iso8601(clock_.now());
    std::erase(time, ':');
    frame.name = fmt::format("{}-{}-{:06}.jpg", name_, time, number);
    frame.pictured = now;
    if (!push(std::move(frame))) return;
  }
}

bool CameraSource::push(Frame frame) {
  if (parts_ == nullptr) return queue_.push_dropping(std::move(frame));
  frame.part = parts_->take(*frame.pictured);
  if (!frame.part) {
    queue_.give_spare(std::move(frame));
    return !queue_.is_stopped();
  }
  // The part gets its result, also where there is no time to look at its picture.
  if (queue_.is_full()) {
    frame.image = {};
    frame.problem =
        Error(ErrorCode::resource_exhausted,
              fmt::format("there was no time for the picture of the part {}", frame.part->id()));
  }
  return queue_.push_anyway(std::move(frame));
}

std::optional<Frame> CameraSource::take(base::Timestamp, Frame&& spare) {
  return queue_.take(std::move(spare));
}

Source::Counts CameraSource::counts() const {
  return {given_, queue_.dropped(), reconnects_};
}

RtspSource::RtspSource(const std::string& url, const base::Clock& clock, CameraTimes times,
                       PartQueue* parts)
    : CameraSource(gstreamer_abi::Kind::rtsp, url, host_of(url), clock, times, parts) {}

V4l2Source::V4l2Source(const base::fs::path& device, const base::Clock& clock, CameraTimes times,
                       PartQueue* parts)
    : CameraSource(gstreamer_abi::Kind::v4l2, existing(device).string(), device.filename().string(),
                   clock, times, parts) {}

}  // namespace andon::inspect
