// SPDX-License-Identifier: Apache-2.0
// A live camera: over the network (RTSP) or at this machine (V4L2). The newest frames count: those
// for which there was no time are dropped, oldest first, and counted. A camera that falls silent or
// breaks is opened again, with growing pauses, for as long as it takes. Where parts are triggered,
// only the frames that a part waits for are given, and none of those is dropped.
#pragma once

#include <atomic>

#include "inspect/source/frame_queue.hpp"
#include "inspect/source/source.hpp"
#include "inspect/trigger/part_queue.hpp"
#include "inspect/video/video_library.hpp"

namespace andon::inspect {

struct CameraTimes {
  std::chrono::milliseconds silent_after{10'000};  // without a frame: opened again
  std::chrono::milliseconds first_pause{500};
  std::chrono::milliseconds longest_pause{30'000};
};

class CameraSource : public Source {
 public:
  ~CameraSource() override;

  [[nodiscard]] SourceKind kind() const override { return SourceKind::live; }
  [[nodiscard]] std::optional<Frame> take(base::Timestamp now, Frame&& spare) override;
  void give_again(const Frame&, base::Timestamp) override {}
  [[nodiscard]] int fd() const override { return queue_.fd(); }
  [[nodiscard]] std::optional<base::Timestamp> look_again_at(base::Timestamp) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool is_drained() const override { return false; }
  [[nodiscard]] bool is_finished() const override { return false; }
  [[nodiscard]] Counts counts() const override;

 protected:
  // Throws what keeps GStreamer from being used; a camera that does not answer is waited for.
  CameraSource(gstreamer_abi::Kind kind, std::string location, std::string name,
               const base::Clock& clock, CameraTimes times, PartQueue* parts);

 private:
  void run();
  // Until stopped; throws why the camera broke off. Sets `gave_frames` with the first frame.
  void play(bool& gave_frames);
  // To the part that waits for it, where parts are triggered. False where it is to end.
  [[nodiscard]] bool push(Frame frame);

  gstreamer_abi::Kind kind_;
  std::string location_;
  std::string name_;
  const base::Clock& clock_;
  CameraTimes times_;
  PartQueue* parts_;  // or none: every frame is given
  VideoLibrary library_;
  FrameQueue queue_;
  std::atomic<std::uint64_t> given_ = 0;
  std::atomic<std::uint64_t> reconnects_ = 0;
  std::thread thread_;
};

// rtsp://HOST/PATH or rtsps://. Frames are called after the host and their time.
class RtspSource final : public CameraSource {
 public:
  RtspSource(const std::string& url, const base::Clock& clock, CameraTimes times = {},
             PartQueue* parts = nullptr);
};

// /dev/videoN. Throws not_found where there is no such device at the start.
class V4l2Source final : public CameraSource {
 public:
  V4l2Source(const base::fs::path& device, const base::Clock& clock, CameraTimes times = {},
             PartQueue* parts = nullptr);
};

}  // namespace andon::inspect
