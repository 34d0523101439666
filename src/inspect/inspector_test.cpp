// SPDX-License-Identifier: Apache-2.0
#include "inspect/inspector.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/json.hpp"
#include "vision/annotate.hpp"
#include "vision/tiny_onnx.hpp"

namespace andon::inspect {
namespace {

using testing::HasSubstr;
using Outcome = Inspector::Outcome;
using namespace std::chrono_literals;

// One box whose score is 0.8 times the picture's brightness.
std::string tiny_model() {
  vision::tiny_onnx::DetectorSpec spec;
  spec.values.resize(5 * 21);
  const std::vector<float> box{16, 16, 8, 4, 0.8F};
  for (std::size_t c = 0; c < 5; ++c) spec.values[c * 21] = box[c];
  return vision::tiny_onnx::detector(spec);
}

class MemorySink final : public ResultSink {
 public:
  void publish(const std::string& message) override {
    if (is_refusing) throw base::Error(base::ErrorCode::unavailable, "no agent");
    messages.push_back(message);
  }
  std::vector<std::string> messages;
  bool is_refusing = false;
};

class InspectorTest : public testing::Test {
 protected:
  [[nodiscard]] base::fs::path picture(const std::string& name, std::uint8_t brightness) const {
    vision::Image image{{64, 64}, {}};
    image.rgb.assign(64 * 64 * 3, brightness);
    return file(name, vision::encode_jpeg(image, 95));
  }
  // Written long ago, by the test's clock.
  [[nodiscard]] base::fs::path file(const std::string& name, const std::string& content) const {
    const base::fs::path path = folder_.path() / name;
    base::write_file_atomically(path, content);
    set_modified(path, clock_.now() - 1h);
    return path;
  }
  static void set_modified(const base::fs::path& path, base::Timestamp time) {
    const auto millis = base::to_epoch_millis(time);
    const timespec moment{millis / 1000, millis % 1000 * 1'000'000};
    const timespec times[2] = {moment, moment};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  void start(const base::fs::path& annotations = {}) {
    journal_.reset();
    journal_.emplace(folder_.path() / "state");
    inspector_.emplace(InspectorParts{detector_, *journal_, {&sink_}, clock_, &spool_, annotations},
                       Identity{"device-1", {"Inspect", "1"}, {"Model", "2"}, "abc"});
    inspector_->set_settings({});
  }
  [[nodiscard]] base::json::value message(std::size_t index) const {
    return base::parse_json(sink_.messages.at(index), "message");
  }

  base::TemporaryDirectory folder_;
  base::FakeClock clock_{base::from_epoch_millis(1'795'341'600'000)};
  vision::OnnxRuntime runtime_;
  vision::Detector detector_{runtime_, tiny_model(), "tiny.onnx"};
  MemorySink sink_;
  UploadSpool spool_{folder_.path() / "uploads"};
  std::optional<Journal> journal_;
  std::optional<Inspector> inspector_;
};

TEST_F(InspectorTest, PublishesWhatItFindsOnce) {
  start();
  const auto path = picture("tag.jpg", 255);
  EXPECT_EQ(inspector_->inspect(path), Outcome::recorded);
  inspector_->publish();
  EXPECT_EQ(inspector_->inspect(path), Outcome::known);
  inspector_->publish();
  ASSERT_EQ(sink_.messages.size(), 1U);
  const base::json::value result = message(0);
  EXPECT_EQ(result.at("image").at("name"), "tag.jpg");
  EXPECT_EQ(result.at("image").at("width"), 64);
  ASSERT_EQ(result.at("detections").as_array().size(), 1U);
  const base::json::value& detection = result.at("detections").at(0);
  EXPECT_EQ(detection.at("label"), "scratch");
  EXPECT_NEAR(detection.at("confidence").as_double(), 0.8, 0.01);
  EXPECT_EQ(detection.at("box"), (base::json::array{24.0, 28.0, 16.0, 8.0}));
  EXPECT_EQ(inspector_->inspect(folder_.path() / "absent.jpg"), Outcome::gone);
}

TEST_F(InspectorTest, SendsTheSameMessageAgainAfterACrashBetweenRecordAndPublish) {
  start();
  const auto path = picture("tag.jpg", 255);
  sink_.is_refusing = true;
  EXPECT_EQ(inspector_->inspect(path), Outcome::recorded);
  EXPECT_THROW(inspector_->publish(), base::Error);
  const std::string recorded = journal_->pending().begin()->second.message;
  clock_.advance(10min);
  start();
  sink_.is_refusing = false;
  inspector_->publish();
  EXPECT_EQ(inspector_->inspect(path), Outcome::known);
  EXPECT_THAT(sink_.messages, testing::ElementsAre(recorded));
}

TEST_F(InspectorTest, GivesABadPictureAResultThatSaysWhyAndGoesOn) {
  start();
  const std::string whole = base::read_file(picture("whole.jpg", 200));
  for (const auto& [name, content] : std::vector<std::pair<std::string, std::string>>{
           {"empty.jpg", ""}, {"text.jpg", "not a picture"}, {"cut.jpg", whole.substr(0, 300)}}) {
    EXPECT_EQ(inspector_->inspect(file(name, content)), Outcome::recorded);
  }
  EXPECT_EQ(inspector_->inspect(picture("good.jpg", 255)), Outcome::recorded);
  inspector_->publish();
  ASSERT_EQ(sink_.messages.size(), 4U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(message(i).at("detections").as_array().empty());
  }
  EXPECT_THAT(message(0).at("error").at("message").as_string(), HasSubstr("empty.jpg is empty"));
  EXPECT_EQ(message(2).at("error").at("code"), "data_corrupted");
  EXPECT_FALSE(message(3).as_object().contains("error"));
}

TEST_F(InspectorTest, WaitsForAPictureThatMayStillBeGrowing) {
  start();
  const auto path = file("growing.jpg", "");
  set_modified(path, clock_.now() - 100ms);
  EXPECT_EQ(inspector_->inspect(path), Outcome::not_complete);
  EXPECT_TRUE(journal_->pending().empty());
  clock_.advance(Inspector::kSettleTime);
  EXPECT_EQ(inspector_->inspect(path), Outcome::recorded);
}

TEST_F(InspectorTest, KeepsPicturesInDoubtForUploadAndOnlyThose) {
  start();
  Settings settings;
  settings.confidence = 0.5;
  settings.doubt_low = 0.3;
  settings.doubt_high = 0.6;
  inspector_->set_settings(settings);
  (void)inspector_->inspect(picture("sure.jpg", 255));    // 0.8
  (void)inspector_->inspect(picture("doubt.jpg", 128));   // 0.4, below the threshold
  (void)inspector_->inspect(picture("found.jpg", 175));   // 0.55
  (void)inspector_->inspect(picture("nothing.jpg", 10));  // 0.03
  inspector_->publish();
  EXPECT_EQ(spool_.counts().waiting, 2U);
  const auto upload = spool_.wait_for_oldest(0ms);
  ASSERT_TRUE(upload.has_value());
  EXPECT_EQ(upload->key, "device-1/2026/11/22/doubt.jpg");
  EXPECT_EQ(upload->message, sink_.messages.at(1));
  EXPECT_TRUE(message(1).at("detections").as_array().empty());
  EXPECT_EQ(message(2).at("detections").as_array().size(), 1U);
}

TEST_F(InspectorTest, DrawsWhatItFound) {
  start(folder_.path());
  (void)inspector_->inspect(picture("tag.jpg", 255));
  (void)inspector_->inspect(file("broken.png", "text"));
  vision::ImageDecoder decoder;
  const auto drawn = folder_.path() / "tag.jpg";
  EXPECT_EQ(decoder.decode(base::read_file(drawn), "tag.jpg").size, (vision::Size{64, 64}));
}

}  // namespace
}  // namespace andon::inspect
