// SPDX-License-Identifier: Apache-2.0
// The whole program at a V4L2 camera: GStreamer's own v4l2src, with a kernel's camera that is
// pretended (gstreamer/fake_v4l2). Left out where andon was built without GStreamer.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "base/os/process.hpp"
#include "inspect/testing/results.hpp"
#include "inspect/testing/waiting.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::inspect {
namespace {

#ifdef ANDON_FAKE_V4L2

using namespace std::chrono_literals;

class V4l2Test : public testing::Test {
 protected:
  void SetUp() override {
    base::write_file_atomically(folder_.path() / "model.onnx",
                                vision::tiny_onnx::detector(vision::tiny_onnx::one_box()));
  }

  [[nodiscard]] base::fs::path picture() const { return folder_.path() / "picture"; }
  [[nodiscard]] base::fs::path out() const { return folder_.path() / "out"; }
  [[nodiscard]] std::string log() const { return base::read_file(folder_.path() / "log"); }

  // A camera that gives 64x48 in the bytes of picture().
  [[nodiscard]] base::Process start(const std::string& fourcc) const {
    base::ProcessOptions options;
    options.arguments = {ANDON_INSPECT, "--model",      folder_.path() / "model.onnx",
                         "--source",    "/dev/video99", "--out",
                         out()};
    options.environment["LD_PRELOAD"] = ANDON_FAKE_V4L2;
    options.environment["ANDON_FAKE_CAMERA"] = fourcc + " 64 48 " + picture().string();
    options.environment["ASAN_OPTIONS"] = "verify_asan_link_order=0";
    const base::UniqueFd log_file =
        base::open_file(folder_.path() / "log", O_WRONLY | O_CREAT | O_TRUNC);
    options.stderr_fd = log_file.get();
    return base::Process(options);
  }

  [[nodiscard]] std::vector<base::json::value> results() const {
    return read_results(out() / "results.jsonl");
  }

  static std::string raw_picture() {
    std::string bytes;
    for (int i = 0; i < 64 * 48; ++i) bytes += {'\xEB', '\x80'};  // white, without colour
    return bytes;
  }
  static std::string jpeg_picture() {
    vision::Image image{{64, 48}, {}};
    image.rgb.assign(64 * 48 * 3, 255);
    return vision::encode_jpeg(image);
  }

  base::TemporaryDirectory folder_;
};

TEST_F(V4l2Test, LooksAtTheFramesOfACameraOfThisMachineRawOrAsJpegs) {
  for (const auto& [fourcc, bytes] : {std::pair{"YUYV", raw_picture()}, {"MJPG", jpeg_picture()}}) {
    base::fs::remove_all(out());
    base::write_file_atomically(picture(), bytes);
    base::Process program = start(fourcc);
    ASSERT_TRUE(wait_until([&] { return results().size() >= 3; })) << fourcc << log();
    EXPECT_TRUE(program.stop(10s).ok());
    for (const base::json::value& result : results()) {
      EXPECT_EQ(result.at("image").at("width"), 64) << fourcc;
      EXPECT_EQ(result.at("image").at("height"), 48);
      EXPECT_THAT(std::string(result.at("image").at("name").as_string()),
                  testing::StartsWith("video99-"));
      ASSERT_EQ(result.at("detections").as_array().size(), 1U) << fourcc;
      EXPECT_GT(result.at("detections").at(0).at("confidence").as_double(), 0.6) << fourcc;
    }
  }
}

TEST_F(V4l2Test, WaitsForACameraThatIsPulledOutAndGoesOnWhenItIsBack) {
  base::write_file_atomically(picture(), raw_picture());
  base::Process program = start("YUYV");
  ASSERT_TRUE(wait_until([&] { return !results().empty(); })) << log();
  base::fs::remove(picture());
  ASSERT_TRUE(
      wait_until([&] { return log().find("the camera has broken off") != std::string::npos; }));
  const std::size_t before = results().size();
  base::write_file_atomically(picture(), raw_picture());
  EXPECT_TRUE(wait_until([&] { return results().size() > before + 2; })) << log();
  EXPECT_TRUE(program.stop(10s).ok());
}

#endif

}  // namespace
}  // namespace andon::inspect
