// SPDX-License-Identifier: Apache-2.0
// A live camera: over the network (RTSP, GigE Vision) or at this machine (V4L2, USB3 Vision). The
// newest frames count: those for which there was no time are dropped, oldest first, and counted. A
// camera that falls silent or breaks is opened again, with growing pauses, for as long as it takes.
// Where parts are triggered, only the frames that a part waits for are given, and none of those is
// dropped. A camera that takes pictures when it is asked is asked for each part.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "inspect/source/frame_queue.hpp"
#include "inspect/source/source.hpp"
#include "inspect/trigger/part_queue.hpp"
#include "inspect/video/picture_stream.hpp"

namespace andon::inspect {

struct CameraTimes {
  std::chrono::milliseconds silent_after{10'000};  // without a frame: opened again
  std::chrono::milliseconds first_pause{500};
  std::chrono::milliseconds longest_pause{30'000};
};

class CameraSource : public Source {
 public:
  // Called on the source's own thread, again and again until the source ends. Throws why there is
  // no camera now.
  using Open = std::function<std::unique_ptr<PictureStream>()>;
  // `location` is the camera in the log; frames are called after `name` and their time.
  CameraSource(Open open, std::string location, std::string name, const base::Clock& clock,
               CameraTimes times, PartQueue* parts);
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

 private:
  void run();
  // Until stopped; throws why the camera broke off. Sets `gave_frames` with the first frame.
  void play(bool& gave_frames);
  void check_pace(const PictureStream& stream) const;
  // An open camera.
  struct Playing {
    PictureStream& stream;
    Instant since;               // of the last frame, or when it was asked
    std::shared_ptr<Part> part;  // that it was asked for
  };
  // False where it gave nothing whole.
  [[nodiscard]] bool look(Playing& playing, vision::Image& into);
  // For the next part, if one comes.
  void ask(Playing& playing);
  void set_name(Frame& frame, Instant now);
  void count_incomplete();
  // To the part that waits for it, where parts are triggered. False where it is to end.
  [[nodiscard]] bool push(Frame frame, Playing& playing);
  [[nodiscard]] bool push_to(std::shared_ptr<Part> part, Frame frame);

  const Open open_;
  std::string location_;
  std::string name_;
  const base::Clock& clock_;
  CameraTimes times_;
  PartQueue* parts_;  // or none: every frame is given
  FrameQueue queue_;
  std::atomic<std::uint64_t> given_ = 0;
  std::atomic<std::uint64_t> incomplete_ = 0;
  std::atomic<std::uint64_t> reconnects_ = 0;
  std::thread thread_;
};

// rtsp://HOST/PATH or rtsps://. Frames are called after the host and their time.
class RtspSource final : public CameraSource {
 public:
  // Throws what keeps GStreamer from being used; a camera that does not answer is waited for.
  RtspSource(const std::string& url, const base::Clock& clock, CameraTimes times = {},
             PartQueue* parts = nullptr);
};

// /dev/videoN. Throws not_found where there is no such device at the start.
class V4l2Source final : public CameraSource {
 public:
  V4l2Source(const base::fs::path& device, const base::Clock& clock, CameraTimes times = {},
             PartQueue* parts = nullptr);
};

// aravis://NAME: a GigE Vision or USB3 Vision camera.
class AravisSource final : public CameraSource {
 public:
  // Throws invalid_argument for an address that is none, and what keeps Aravis from being used.
  AravisSource(const std::string& address, const base::Clock& clock, CameraTimes times = {},
               PartQueue* parts = nullptr);
};

}  // namespace andon::inspect
