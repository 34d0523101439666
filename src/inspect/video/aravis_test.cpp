// SPDX-License-Identifier: Apache-2.0
// GigE Vision over the loopback, with the camera that Aravis pretends (arv-fake-gv-camera-0.8).
// Left out where andon was built without Aravis. A camera's port is fixed by the standard, so each
// test has a network of its own.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "base/os/process.hpp"
#include "inspect/testing/own_network.hpp"
#include "inspect/testing/results.hpp"
#include "inspect/testing/waiting.hpp"
#include "inspect/video/aravis_camera.hpp"
#include "inspect/video/camera_source.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::inspect {
namespace {

#ifdef ANDON_FAKE_GV_CAMERA

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* kSmall = "aravis://127.0.0.1?Width=64&Height=48&PixelFormat=";

class AravisTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!enter_own_network()) GTEST_SKIP() << "network namespaces are not allowed here";
  }

  // Loses so many of a thousand packets.
  static base::Process start_camera(int lost = 0) {
    base::ProcessOptions options;
    options.arguments = {ANDON_FAKE_GV_CAMERA, "-i", "127.0.0.1", "-r", std::to_string(lost)};
    return base::Process(options);
  }
  // Waits until the camera that was started listens.
  static void open_camera(std::optional<AravisCamera>& camera, const std::string& address) {
    std::string why;
    ASSERT_TRUE(wait_until([&] {
      try {
        camera.emplace(AravisLibrary(), read_aravis_address(address));
      } catch (const base::Error& error) {
        why = error.message();
      }
      return camera.has_value();
    })) << why;
  }
  static vision::Image next_picture(PictureStream& camera) {
    vision::Image image;
    const auto is_there = [&] { return camera.next(1s, image) == PictureStream::Next::picture; };
    EXPECT_TRUE(wait_until(is_there));
    return image;
  }
  static std::optional<Frame> next(Source& source) {
    std::optional<Frame> frame;
    (void)wait_until([&] { return (frame = source.take({}, {})).has_value(); });
    return frame;
  }
  static std::string refusal(const std::string& address) {
    try {
      const AravisCamera camera(AravisLibrary(), read_aravis_address(address));
    } catch (const base::Error& error) {
      return error.message();
    }
    return "";
  }

  base::SystemClock clock_;
};

TEST_F(AravisTest, GivesPicturesInGreyInColoursAndBehindAMosaic) {
  const base::Process process = start_camera();
  for (const char* format :
       {"Mono8", "Mono16", "RGB8", "BayerRG8", "BayerGR8", "BayerGB8", "BayerBG8"}) {
    std::optional<AravisCamera> camera;
    ASSERT_NO_FATAL_FAILURE(open_camera(camera, std::string(kSmall) + format));
    EXPECT_EQ(camera->pace(), PictureStream::Pace::by_itself);
    const vision::Image image = next_picture(*camera);
    EXPECT_EQ(image.size, (vision::Size{64, 48})) << format;
    ASSERT_EQ(image.rgb.size(), 64U * 48U * 3U) << format;
    const std::uint8_t* pixel = image.row(24) + std::ptrdiff_t{3} * 32;
    const bool is_grey = pixel[0] == pixel[1] && pixel[1] == pixel[2];
    EXPECT_EQ(is_grey, std::string_view(format).starts_with("Mono")) << format;
  }
}

TEST_F(AravisTest, PutsRowsWhereTheyBelong) {
  const base::Process process = start_camera();
  std::optional<AravisCamera> camera;
  ASSERT_NO_FATAL_FAILURE(open_camera(camera, std::string(kSmall) + "Mono8"));
  const vision::Image image = next_picture(*camera);
  // Its picture is a ramp that moves: each pixel is as bright as the one above and to the right.
  for (int y = 1; y < 48; ++y) {
    for (std::size_t x = 0; x + 1 < 64; ++x) {
      ASSERT_EQ(image.row(y)[3 * x], image.row(y - 1)[3 * (x + 1)]) << x << ',' << y;
    }
  }
}

TEST_F(AravisTest, SaysWhatACameraCannotDo) {
  EXPECT_THAT(refusal("aravis://127.0.0.1"), HasSubstr("cannot open the camera 127.0.0.1: "));
  const base::Process process = start_camera();
  std::optional<AravisCamera> camera;
  ASSERT_NO_FATAL_FAILURE(open_camera(camera, "aravis://127.0.0.1"));
  EXPECT_THAT(refusal("aravis://127.0.0.1"), HasSubstr("127.0.0.1: "));  // this one has control
  camera.reset();
  EXPECT_THAT(refusal("aravis://127.0.0.1?Sharpness=1"),
              HasSubstr("Sharpness=1: the camera has no"));
  EXPECT_THAT(refusal("aravis://127.0.0.1?Width=wide"), HasSubstr("Width=wide: a whole number"));
  EXPECT_THAT(refusal("aravis://127.0.0.1?Width=99999"), HasSubstr("greater than allowed maximum"));
  EXPECT_THAT(refusal("aravis://127.0.0.1?ExposureTimeAbs=x"), HasSubstr("a number is needed"));
  EXPECT_THAT(refusal("aravis://127.0.0.1?PixelFormat=YUV422"), HasSubstr("PixelFormat=YUV422: "));
}

TEST_F(AravisTest, OpensACameraAgainThatHasGoneAndIsBack) {
  std::optional<base::Process> process(start_camera());
  AravisSource source(std::string(kSmall) + "Mono8", clock_,
                      {.silent_after = 1s, .first_pause = 50ms, .longest_pause = 200ms});
  const auto frame = next(source);
  ASSERT_TRUE(frame.has_value());
  EXPECT_FALSE(frame->id.has_value());
  EXPECT_THAT(frame->name, testing::StartsWith("127.0.0.1-20"));
  const std::uint64_t opened = source.counts().reconnects;
  process->signal_group(SIGKILL);
  ASSERT_TRUE(process->wait(10s).has_value());
  ASSERT_TRUE(wait_until([&] { return source.counts().reconnects > opened; }));
  while (source.take({}, {})) continue;  // what was left
  process.emplace(start_camera());
  EXPECT_TRUE(next(source).has_value());
}

TEST_F(AravisTest, SeesThatACameraThatAnInputTriggersHasGone) {
  base::Process process = start_camera();
  std::optional<AravisCamera> camera;
  ASSERT_NO_FATAL_FAILURE(
      open_camera(camera, "aravis://127.0.0.1?TriggerMode=On&TriggerSource=Line0"));
  EXPECT_EQ(camera->pace(), PictureStream::Pace::by_input);
  vision::Image image;
  EXPECT_EQ(camera->next(100ms, image), PictureStream::Next::timeout);
  process.signal_group(SIGKILL);
  ASSERT_TRUE(process.wait(10s).has_value());
  EXPECT_TRUE(wait_until([&] {
    try {
      return camera->next(100ms, image) == PictureStream::Next::picture;
    } catch (const base::Error& error) {
      return error.message().find("the camera has gone") != std::string::npos;
    }
  }));
}

TEST_F(AravisTest, TriggersACameraBySoftwareForEachPart) {
  const base::Process process = start_camera();
  PartQueue parts;
  parts.set_times(1h, 0ms);
  AravisSource source(std::string(kSmall) + "Mono8&TriggerMode=On&TriggerSource=Software", clock_,
                      {.silent_after = 30s, .first_pause = 50ms, .longest_pause = 200ms}, &parts);
  for (const char* id : {"A", "B", "C"}) {
    const auto triggered = std::chrono::steady_clock::now();
    parts.push(std::make_shared<Part>(id, Part::Begin::triggered, triggered, clock_.now()));
    const auto frame = next(source);
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->part->id(), id);
    EXPECT_TRUE(frame->has_pixels());
    EXPECT_GE(*frame->pictured, triggered);
  }
  EXPECT_EQ(source.counts().given, 3U);
}

TEST_F(AravisTest, GivesNoPictureOfWhichPacketsWereLost) {
  constexpr int kEveryOther = 500;  // of a thousand
  const base::Process process = start_camera(kEveryOther);
  AravisSource source("aravis://127.0.0.1?Width=512&Height=512&PixelFormat=Mono8", clock_,
                      {.silent_after = 30s, .first_pause = 50ms, .longest_pause = 200ms});
  ASSERT_TRUE(wait_until([&] { return source.counts().incomplete >= 3; }));
  EXPECT_EQ(source.counts().given, 0U);
}

TEST_F(AravisTest, TheProgramLooksAtTheFramesOfACamera) {
  const base::Process process = start_camera();
  const base::TemporaryDirectory folder;
  const base::fs::path out = folder.path() / "out";
  base::write_file_atomically(folder.path() / "model.onnx",
                              vision::tiny_onnx::detector(vision::tiny_onnx::one_box()));
  base::ProcessOptions options;
  options.arguments = {ANDON_INSPECT,
                       "--model",
                       folder.path() / "model.onnx",
                       "--source",
                       std::string(kSmall) + "RGB8",
                       "--out",
                       out};
  base::Process program(options);
  ASSERT_TRUE(wait_until([&] { return read_results(out / "results.jsonl").size() >= 3; }));
  EXPECT_TRUE(program.stop(10s).ok());
  for (const base::json::value& result : read_results(out / "results.jsonl")) {
    EXPECT_EQ(result.at("image").at("width"), 64);
    EXPECT_FALSE(result.as_object().contains("error"));
  }
}

#endif

}  // namespace
}  // namespace andon::inspect
