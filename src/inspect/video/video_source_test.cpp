// SPDX-License-Identifier: Apache-2.0
// Videos and cameras, with the real thing: files and an RTSP server made by GStreamer. Left out
// where andon was built without it.
#include "inspect/video/video_source.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <functional>

#include "base/os/process.hpp"
#include "inspect/program/open_source.hpp"
#include "inspect/testing/video.hpp"
#include "inspect/testing/waiting.hpp"
#include "inspect/video/camera_source.hpp"

namespace andon::inspect {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

TEST(SourceType, IsToldByTheName) {
  const base::TemporaryDirectory folder;
  base::write_file_atomically(folder.path() / "list.txt", "a.jpg\n");
  base::make_directories(folder.path() / "clips.mp4");
  EXPECT_EQ(type_of({"rtsp://camera/1"}), SourceType::rtsp);
  EXPECT_EQ(type_of({"/dev/video0"}), SourceType::v4l2);
  EXPECT_EQ(type_of({"aravis://10.0.0.2?Gain=1"}), SourceType::aravis);
  EXPECT_THROW((void)type_of({"aravis://"}), base::Error);
  EXPECT_EQ(type_of({"line.MP4"}), SourceType::video);
  EXPECT_EQ(type_of({(folder.path() / "clips.mp4").string()}), SourceType::directory);
  EXPECT_EQ(type_of({(folder.path() / "list.txt").string()}), SourceType::list);
  EXPECT_EQ(type_of({"a.jpg"}), SourceType::images);
  EXPECT_EQ(type_of({"a.jpg", "b.png"}), SourceType::images);
  EXPECT_EQ(type_of({folder.path().string()}), SourceType::directory);
  EXPECT_THROW((void)type_of({"a.jpg", "b.mp4"}), base::Error);
  EXPECT_THROW((void)type_of({"http://camera/1"}), base::Error);
  EXPECT_THROW((void)type_of({}), base::Error);
}

TEST(CameraNames, DoNotShowPasswords) {
  EXPECT_EQ(without_secrets("rtsp://user:secret@camera:554/a@b"), "rtsp://camera:554/a@b");
  EXPECT_EQ(without_secrets("rtsp://camera/a@b"), "rtsp://camera/a@b");
  EXPECT_EQ(without_secrets("clip.mp4"), "clip.mp4");
}

#ifdef ANDON_RTSP_SERVER

class VideoTest : public testing::Test {
 protected:
  static constexpr int kFrames = 25;

  [[nodiscard]] base::fs::path make_clip(const std::string& name,
                                         const Encoding& encoding = kMotionJpegInAvi) const {
    const base::fs::path path = folder_.path() / name;
    make_video(path, kFrames, encoding);
    return path;
  }

  [[nodiscard]] base::Process start_server(const std::string& port) const {
    base::ProcessOptions options;
    options.arguments = {ANDON_RTSP_SERVER, port};
    const base::UniqueFd out = base::open_file(port_file(), O_WRONLY | O_CREAT | O_TRUNC);
    options.stdout_fd = out.get();
    return base::Process(options);
  }
  [[nodiscard]] base::fs::path port_file() const { return folder_.path() / "port"; }

  // Nothing where none comes in time.
  static std::optional<Frame> next(Source& source) {
    const auto give_up = std::chrono::steady_clock::now() + 30s;
    while (std::chrono::steady_clock::now() < give_up && !source.is_finished()) {
      if (auto frame = source.take({}, {})) return frame;
      pollfd polled{source.fd(), POLLIN, 0};
      poll(&polled, 1, 100);
    }
    return std::nullopt;
  }

  // The test pattern's upper part: bars from light grey over green (the fourth) to blue.
  static bool shows_the_bars(const vision::Image& image) {
    const int y = image.size.height / 4;
    const auto channel = [&](int bar, std::size_t c) {
      const int x = (2 * bar + 1) * image.size.width / 14;
      return int{image.row(y)[static_cast<std::size_t>(x) * 3 + c]};
    };
    return channel(0, 0) > 150 && channel(0, 2) > 150 && channel(3, 1) > 150 &&
           channel(3, 0) < 60 && channel(6, 2) > 150 && channel(6, 0) < 60;
  }

  base::TemporaryDirectory folder_;
  base::SystemClock clock_;
};

TEST_F(VideoTest, GivesEveryFrameOfAVideoInOrder) {
  for (const auto& [name, encoding] : {std::pair{"clip.avi", kMotionJpegInAvi},
                                       {"h264.mp4", kH264InMp4},
                                       {"h265.mp4", kH265InMp4}}) {
    VideoSource source(make_clip(name, encoding));
    for (std::int64_t i = 0; i < kFrames; ++i) {
      const auto frame = next(source);
      ASSERT_TRUE(frame.has_value()) << name << " " << i;
      EXPECT_EQ(frame->id->frame, i);
      EXPECT_EQ(frame->image.size, (vision::Size{64, 48}));
      EXPECT_EQ(frame->image.rgb.size(), 64U * 48U * 3U);
      EXPECT_TRUE(shows_the_bars(frame->image)) << name << " " << i;
    }
    EXPECT_FALSE(next(source).has_value()) << name;
    EXPECT_TRUE(source.is_finished());
  }
}

TEST_F(VideoTest, SaysWhatIsWrongWithAVideo) {
  EXPECT_THROW(VideoSource("/nonexistent.mp4"), base::Error);
  const base::fs::path text = folder_.path() / "text.mp4";
  base::write_file_atomically(text, "this is no video, but a text that is long enough to look at");
  VideoSource source(text);
  try {
    (void)next(source);
    ADD_FAILURE() << "played a text";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::data_corrupted);
    EXPECT_THAT(error.message(), HasSubstr("text.mp4"));
  }
}

TEST_F(VideoTest, PlaysATruncatedVideoAsFarAsItGoesAndEnds) {
  const base::fs::path clip = make_clip("clip.avi");
  const std::string content = base::read_file(clip);
  base::write_file_atomically(clip, content.substr(0, content.size() / 2));
  VideoSource source(clip);
  int frames = 0;
  try {
    while (next(source)) ++frames;
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::data_corrupted);
  }
  EXPECT_GT(frames, 0);
  EXPECT_LT(frames, kFrames);
}

TEST_F(VideoTest, FollowsACameraAndComesBackWhenItDoes) {
  std::optional<base::Process> server(start_server("0"));
  ASSERT_TRUE(wait_until([&] { return base::read_file(port_file()).ends_with('\n'); }));
  std::string port = base::read_file(port_file());
  port.pop_back();
  RtspSource source("rtsp://user:secret@127.0.0.1:" + port + "/camera", clock_,
                    {.silent_after = 3s, .first_pause = 50ms, .longest_pause = 200ms});
  for (int i = 0; i < 5; ++i) {
    const auto frame = next(source);
    ASSERT_TRUE(frame.has_value());
    EXPECT_FALSE(frame->id.has_value());
    EXPECT_EQ(frame->image.size, (vision::Size{320, 240}));
    EXPECT_THAT(frame->name, testing::StartsWith("127.0.0.1-" + port + "-20"));
  }
  server->signal_group(SIGKILL);
  ASSERT_TRUE(server->wait(10s).has_value());
  ASSERT_TRUE(wait_until([&] { return source.counts().reconnects >= 2; }));
  while (source.take({}, {})) continue;  // what was left
  const std::uint64_t before = source.counts().given;
  server.emplace(start_server(port));
  ASSERT_TRUE(next(source).has_value());
  EXPECT_GT(source.counts().given, before);
}

TEST_F(VideoTest, GivesOnlyWholePicturesOfACameraWhoseStreamItJoinsInTheMiddle) {
  const base::Process server = start_server("0");
  ASSERT_TRUE(wait_until([&] { return base::read_file(port_file()).ends_with('\n'); }));
  std::string port = base::read_file(port_file());
  port.pop_back();
  for (const char* path : {"/h264", "/h265"}) {
    const std::string url = "rtsp://127.0.0.1:" + port + path;
    RtspSource first(url, clock_);
    for (int i = 0; i < 10; ++i) {
      const auto frame = next(first);
      ASSERT_TRUE(frame.has_value()) << path;
      EXPECT_TRUE(shows_the_bars(frame->image)) << path << " " << i;
    }
    // The encoder goes on from picture to picture; the next whole one is more than a second away.
    RtspSource second(url, clock_);
    for (int i = 0; i < 10; ++i) {
      const auto frame = next(second);
      ASSERT_TRUE(frame.has_value()) << path;
      EXPECT_EQ(frame->image.size, (vision::Size{320, 240}));
      EXPECT_TRUE(shows_the_bars(frame->image)) << path << " joined " << i;
    }
  }
}

TEST_F(VideoTest, CountsTheFramesOfACameraForWhichThereWasNoTime) {
  const base::Process server = start_server("0");
  ASSERT_TRUE(wait_until([&] { return base::read_file(port_file()).ends_with('\n'); }));
  std::string port = base::read_file(port_file());
  port.pop_back();
  RtspSource source("rtsp://127.0.0.1:" + port + "/camera", clock_);
  ASSERT_TRUE(next(source).has_value());
  ASSERT_TRUE(wait_until([&] { return source.counts().dropped >= 3; }));
  std::uint64_t taken = 1;
  while (source.take({}, {})) ++taken;
  EXPECT_LE(taken + source.counts().dropped, source.counts().given);
}

TEST_F(VideoTest, GivesOfACameraOnlyFramesThatPartsWaitForAndEachPartOne) {
  const base::Process server = start_server("0");
  ASSERT_TRUE(wait_until([&] { return base::read_file(port_file()).ends_with('\n'); }));
  std::string port = base::read_file(port_file());
  port.pop_back();
  PartQueue parts;
  RtspSource source("rtsp://127.0.0.1:" + port + "/camera", clock_, {}, &parts);
  ASSERT_TRUE(wait_until([&] { return source.counts().given >= 3; }));
  EXPECT_FALSE(source.take({}, {}).has_value());
  constexpr int kParts = 5;
  const auto triggered = std::chrono::steady_clock::now();
  for (int i = 0; i < kParts; ++i) {
    parts.push(
        std::make_shared<Part>(std::to_string(i), Part::Begin::triggered, triggered, clock_.now()));
  }
  ASSERT_TRUE(wait_until([&] { return parts.is_empty(); }));
  for (int i = 0; i < kParts; ++i) {
    const auto frame = next(source);
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->part->id(), std::to_string(i));
    EXPECT_GE(*frame->pictured, triggered);
    // Nobody took the first ones meanwhile: there was no time for the others, and they say so.
    EXPECT_EQ(frame->has_pixels(), i < 2);
    EXPECT_EQ(frame->problem.has_value(), i >= 2);
  }
  EXPECT_EQ(source.counts().dropped, 0U);
}

TEST_F(VideoTest, SaysThatThereIsNoSuchDevice) {
  try {
    const V4l2Source source("/dev/video-absent", clock_);
    ADD_FAILURE() << "opened a camera that is not there";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::not_found);
    EXPECT_THAT(error.message(), HasSubstr("/dev/video-absent"));
  }
}

TEST_F(VideoTest, SaysThatADeviceIsNoCamera) {
  const VideoLibrary library;
  vision::Image image;
  try {
    VideoStream stream(library, gstreamer_abi::Kind::v4l2, "/dev/null");
    while (stream.next(10s, image) == VideoStream::Next::timeout) continue;
    ADD_FAILURE() << "took /dev/null for a camera";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::unavailable);
    EXPECT_THAT(error.message(), HasSubstr("/dev/null"));
  }
}

#endif

}  // namespace
}  // namespace andon::inspect
