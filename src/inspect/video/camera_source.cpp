// SPDX-License-Identifier: Apache-2.0
#include "inspect/video/camera_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log/log.hpp"
#include "inspect/video/aravis_camera.hpp"
#include "inspect/video/video_library.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kFramesInQueue = 2;
// So long it is not seen that the source is to end.
constexpr std::chrono::milliseconds kLook{200};

// The host of an address, with what a file's name does not stand replaced.
std::string host_of(const std::string& url) {
  const std::string plain = without_secrets(url);
  const std::size_t start = plain.find("://") + 3;
  std::string host = plain.substr(start, plain.find_first_of("/?", start) - start);
  std::ranges::replace_if(
      host, [](char c) { return c == ':' || c == '[' || c == ']'; }, '-');
  return host;
}

CameraSource::Open gstreamer_opener(gstreamer_abi::Kind kind, std::string location) {
  return [library = VideoLibrary(), kind, location = std::move(location)] {
    return std::make_unique<VideoStream>(library, kind, location);
  };
}

CameraSource::Open aravis_opener(const std::string& text) {
  return [library = AravisLibrary(), address = read_aravis_address(text)] {
    return std::make_unique<AravisCamera>(library, address);
  };
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

CameraSource::CameraSource(Open open, std::string location, std::string name,
                           const base::Clock& clock, CameraTimes times, PartQueue* parts)
    : open_(std::move(open)),
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

void CameraSource::check_pace(const PictureStream& stream) const {
  if (stream.pace() != PictureStream::Pace::when_asked || parts_ != nullptr) return;
  throw Error(ErrorCode::failed_precondition,
              "the camera takes pictures when it is asked (TriggerSource=Software), and nothing "
              "tells when: configure a trigger, or let it run by itself (TriggerMode=Off)");
}

void CameraSource::play(bool& gave_frames) {
  const auto stream = open_();
  check_pace(*stream);
  Playing playing{.stream = *stream, .since = std::chrono::steady_clock::now(), .part = nullptr};
  while (!queue_.is_stopped()) {
    Frame frame = queue_.spare();
    if (!look(playing, frame.image)) {
      queue_.give_spare(std::move(frame));
      continue;
    }
    if (!gave_frames) {
      base::log_info("the camera gives frames", {{"camera", without_secrets(location_)},
                                                 {"width", frame.image.size.width},
                                                 {"height", frame.image.size.height}});
    }
    gave_frames = true;
    set_name(frame, playing.since);
    if (!push(std::move(frame), playing)) return;
  }
}

bool CameraSource::look(Playing& playing, vision::Image& into) {
  const PictureStream::Pace pace = playing.stream.pace();
  if (pace == PictureStream::Pace::when_asked && playing.part == nullptr) ask(playing);
  // Also where it was not asked: so it is seen that a camera has gone.
  const bool is_awaited = pace != PictureStream::Pace::when_asked || playing.part != nullptr;
  const PictureStream::Next next = playing.stream.next(is_awaited ? kLook : 0ms, into);
  const Instant now = std::chrono::steady_clock::now();
  if (next == PictureStream::Next::timeout) {
    const bool may_be_silent = pace == PictureStream::Pace::by_input || !is_awaited;
    if (may_be_silent || now - playing.since < times_.silent_after) return false;
    throw Error(ErrorCode::deadline_exceeded,
                fmt::format("no frame for {} ms", times_.silent_after.count()));
  }
  if (next == PictureStream::Next::end) {
    throw Error(ErrorCode::unavailable, "the camera has ended its stream");
  }
  playing.since = now;
  if (next == PictureStream::Next::picture) return true;
  count_incomplete();
  playing.part = nullptr;
  return false;
}

void CameraSource::ask(Playing& playing) {
  playing.part = parts_->wait_for_part(kLook);
  if (playing.part == nullptr) return;
  playing.stream.ask();
  playing.since = std::chrono::steady_clock::now();
}

void CameraSource::count_incomplete() {
  if (++incomplete_ == 1) {
    base::log_warning("a frame was incomplete: the network or the bus loses parts of them",
                      {{"camera", without_secrets(location_)}});
  }
}

void CameraSource::set_name(Frame& frame, Instant now) {
  frame.id.reset();
  frame.problem.reset();
  const std::uint64_t number = ++given_;
  std::string time = base::to_iso8601(clock_.now());
  std::erase(time, ':');
  frame.name = fmt::format("{}-{}-{:06}.jpg", name_, time, number);
  frame.pictured = now;
}

bool CameraSource::push(Frame frame, Playing& playing) {
  if (parts_ == nullptr) return queue_.push_dropping(std::move(frame));
  std::shared_ptr<Part> part = std::exchange(playing.part, nullptr);
  if (playing.stream.pace() != PictureStream::Pace::when_asked) {
    part = parts_->take(*frame.pictured);
  } else if (part != nullptr && !parts_->take(*part)) {
    part = nullptr;  // it waits no more
  }
  if (part != nullptr) return push_to(std::move(part), std::move(frame));
  queue_.give_spare(std::move(frame));
  return !queue_.is_stopped();
}

bool CameraSource::push_to(std::shared_ptr<Part> part, Frame frame) {
  frame.part = std::move(part);
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
  return {given_, queue_.dropped(), incomplete_, reconnects_};
}

RtspSource::RtspSource(const std::string& url, const base::Clock& clock, CameraTimes times,
                       PartQueue* parts)
    : CameraSource(gstreamer_opener(gstreamer_abi::Kind::rtsp, url), url, host_of(url), clock,
                   times, parts) {}

V4l2Source::V4l2Source(const base::fs::path& device, const base::Clock& clock, CameraTimes times,
                       PartQueue* parts)
    : CameraSource(gstreamer_opener(gstreamer_abi::Kind::v4l2, existing(device).string()),
                   device.string(), device.filename().string(), clock, times, parts) {}

AravisSource::AravisSource(const std::string& address, const base::Clock& clock, CameraTimes times,
                           PartQueue* parts)
    : CameraSource(aravis_opener(address), address, host_of(address), clock, times, parts) {}

}  // namespace andon::inspect
