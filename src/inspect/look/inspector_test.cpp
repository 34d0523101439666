// SPDX-License-Identifier: Apache-2.0
// A picture from its file to its published result, without threads.
#include "inspect/look/inspector.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/testing/fake_clock.hpp"
#include "inspect/program/recorder.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/draw/verdict.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::inspect {
namespace {

using testing::HasSubstr;
using Outcome = Recorder::Outcome;
using namespace std::chrono_literals;

// One box whose score is 0.8 times the picture's brightness.
std::string tiny_model() {
  return vision::tiny_onnx::detector(vision::tiny_onnx::one_box());
}

// A score of 0.6 and a map of 4x2 cells that is hot (0.9) in its upper left corner, times the
// picture's brightness.
std::string anomaly_model() {
  vision::tiny_onnx::ModelSpec spec;
  spec.outputs = {{"pred_score", {1, 1}, {0.6F}, {}},
                  {"anomaly_map", {1, 1, 2, 4}, {0.9F, 0, 0, 0, 0, 0, 0, 0}, {}}};
  return vision::tiny_onnx::model(spec);
}

// The same, for any number of pictures of any size.
std::string batch_model(bool has_free_size) {
  vision::tiny_onnx::ModelSpec spec;
  spec.has_batch = true;
  const std::int64_t side = has_free_size ? -1 : 32;
  spec.input_shape = {-1, 3, side, side};
  vision::tiny_onnx::OutputSpec output;
  output.name = "output0";
  output.shape = {1, 5, 21};
  output.values.resize(5 * 21);
  const std::vector<float> box{16, 16, 8, 4, 0.8F};
  for (std::size_t c = 0; c < 5; ++c) output.values[c * 21] = box[c];
  spec.outputs = {output};
  spec.metadata = {{"names", "{0: 'scratch'}"}, {"task", "detect"}, {"imgsz", "[32, 32]"}};
  return vision::tiny_onnx::model(spec);
}

double confidence_of(const base::json::value& message) {
  return message.at("detections").at(0).at("confidence").to_number<double>();
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
  void start(const base::fs::path& annotations = {}, const std::string& onnx = tiny_model()) {
    journal_.reset();
    journal_.emplace(folder_.path() / "state");
    recorder_.emplace(RecorderParts{*journal_, {&sink_}, clock_, metrics_, "device-1", &spool_});
    inspector_.emplace(InspectorOptions{.workers = 1,
                                        .thing = "device-1",
                                        .component = {"Inspect", "1"},
                                        .uploads = Uploads::on,
                                        .annotations = annotations},
                       clock_);
    use(onnx, 1);
  }
  void use(const std::string& onnx, std::size_t batch) {
    auto model = std::make_shared<Model>();
    model->component = {"Model", "2"};
    model->sha256 = "abc";
    model->parallelism.batch = batch;
    model->detectors.push_back(std::make_unique<vision::Detector>(runtime_, onnx, "tiny.onnx"));
    model_ = model;
  }
  // Their messages, looked at by one worker at once.
  std::vector<base::json::value> inspect_together(const std::vector<base::fs::path>& paths) {
    std::vector<std::unique_ptr<Job>> owned;
    std::vector<Job*> jobs;
    for (const auto& path : paths) {
      Job& job = *owned.emplace_back(std::make_unique<Job>());
      job.frame = *open_picture(path);
      job.model = model_;
      job.settings = std::make_shared<const Settings>(settings_);
      jobs.push_back(&job);
    }
    inspector_->look(0, jobs);
    std::vector<base::json::value> messages;
    for (const Job* job : jobs) messages.push_back(base::parse_json(job->message, "message"));
    return messages;
  }
  // Nothing where it is not looked at: it is gone, or has its result.
  std::optional<Outcome> inspect(const base::fs::path& path) {
    Job job;
    auto frame = open_picture(path);
    if (!frame || recorder_->knows(*frame)) return std::nullopt;
    job.frame = std::move(*frame);
    return finish(std::move(job));
  }
  Outcome finish(Job job) {
    job.model = model_;
    job.settings = std::make_shared<const Settings>(settings_);
    Job* const jobs[] = {&job};
    inspector_->look(0, jobs);
    return recorder_->record(job);
  }
  [[nodiscard]] base::json::value message(std::size_t index) const {
    return base::parse_json(sink_.messages.at(index), "message");
  }

  base::TemporaryDirectory folder_;
  base::FakeClock clock_{base::from_epoch_millis(1'795'341'600'000)};
  vision::OnnxRuntime runtime_;
  std::shared_ptr<const Model> model_;
  Settings settings_;
  Metrics metrics_;
  MemorySink sink_;
  UploadSpool spool_{folder_.path() / "uploads"};
  std::optional<Journal> journal_;
  std::optional<Recorder> recorder_;
  std::optional<Inspector> inspector_;
};

TEST_F(InspectorTest, PublishesWhatItFindsOnce) {
  start();
  const auto path = picture("tag.jpg", 255);
  EXPECT_EQ(inspect(path), Outcome::recorded);
  recorder_->publish();
  EXPECT_EQ(inspect(path), std::nullopt);
  recorder_->publish();
  ASSERT_EQ(sink_.messages.size(), 1U);
  const base::json::value result = message(0);
  EXPECT_EQ(result.at("image").at("name"), "tag.jpg");
  EXPECT_EQ(result.at("image").at("width"), 64);
  ASSERT_EQ(result.at("detections").as_array().size(), 1U);
  const base::json::value& detection = result.at("detections").at(0);
  EXPECT_EQ(detection.at("label"), "scratch");
  EXPECT_NEAR(detection.at("confidence").as_double(), 0.8, 0.01);
  EXPECT_EQ(detection.at("box"), (base::json::array{24.0, 28.0, 16.0, 8.0}));
  EXPECT_EQ(inspect(folder_.path() / "absent.jpg"), std::nullopt);
}

TEST_F(InspectorTest, SendsTheSameMessageAgainAfterACrashBetweenRecordAndPublish) {
  start();
  const auto path = picture("tag.jpg", 255);
  sink_.is_refusing = true;
  EXPECT_EQ(inspect(path), Outcome::recorded);
  EXPECT_THROW(recorder_->publish(), base::Error);
  const std::string recorded = journal_->pending().begin()->second.message;
  clock_.advance(10min);
  start();
  sink_.is_refusing = false;
  recorder_->publish();
  EXPECT_EQ(inspect(path), std::nullopt);
  EXPECT_THAT(sink_.messages, testing::ElementsAre(recorded));
}

TEST_F(InspectorTest, GivesABadPictureAResultThatSaysWhyAndGoesOn) {
  start();
  const std::string whole = base::read_file(picture("whole.jpg", 200));
  for (const auto& [name, content] : std::vector<std::pair<std::string, std::string>>{
           {"empty.jpg", ""}, {"text.jpg", "not a picture"}, {"cut.jpg", whole.substr(0, 300)}}) {
    EXPECT_EQ(inspect(file(name, content)), Outcome::recorded);
  }
  EXPECT_EQ(inspect(picture("good.jpg", 255)), Outcome::recorded);
  recorder_->publish();
  ASSERT_EQ(sink_.messages.size(), 4U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(message(i).at("detections").as_array().empty());
  }
  EXPECT_THAT(message(0).at("error").at("message").as_string(), HasSubstr("empty.jpg is empty"));
  EXPECT_EQ(message(2).at("error").at("code"), "data_corrupted");
  EXPECT_FALSE(message(3).as_object().contains("error"));
}

TEST_F(InspectorTest, GivesEveryPictureAVerdictByItsRulesAlsoOneThatCannotBeRead) {
  start();
  VerdictRule rule;
  rule.name = "anything";
  settings_.verdict = VerdictRules{.rules = {rule}, .unreadable = Judgement::doubt};
  EXPECT_EQ(inspect(picture("bright.jpg", 255)), Outcome::recorded);
  EXPECT_EQ(inspect(picture("dark.jpg", 0)), Outcome::recorded);
  EXPECT_EQ(inspect(file("text.jpg", "not a picture")), Outcome::recorded);
  recorder_->publish();
  ASSERT_EQ(sink_.messages.size(), 3U);
  EXPECT_EQ(message(0).at("verdict"), "NG");
  EXPECT_EQ(message(0).at("verdict_rule"), "anything");
  EXPECT_EQ(message(1).at("verdict"), "OK");
  EXPECT_FALSE(message(1).as_object().contains("verdict_rule"));
  EXPECT_EQ(message(2).at("verdict"), "DOUBT");
  EXPECT_EQ(message(2).at("verdict_rule"), "unreadable");
}

TEST_F(InspectorTest, WaitsForAPictureThatMayStillBeGrowing) {
  start();
  const auto path = file("growing.jpg", "");
  set_modified(path, clock_.now() - 100ms);
  EXPECT_EQ(inspect(path), Outcome::not_complete);
  EXPECT_TRUE(journal_->pending().empty());
  clock_.advance(Frame::kSettleTime);
  EXPECT_EQ(inspect(path), Outcome::recorded);
}

TEST_F(InspectorTest, KeepsPicturesInDoubtForUploadAndOnlyThose) {
  start();
  settings_.confidence = 0.5;
  settings_.uploads.low = 0.3;
  settings_.uploads.high = 0.6;
  (void)inspect(picture("sure.jpg", 255));    // 0.8
  (void)inspect(picture("doubt.jpg", 128));   // 0.4, below the threshold
  (void)inspect(picture("found.jpg", 175));   // 0.55
  (void)inspect(picture("nothing.jpg", 10));  // 0.03
  recorder_->publish();
  EXPECT_EQ(spool_.counts().waiting, 2U);
  const auto upload = spool_.wait_for_oldest(0ms);
  ASSERT_TRUE(upload.has_value());
  EXPECT_EQ(upload->key, "device-1/2026/11/22/doubt.jpg");
  EXPECT_EQ(upload->message, sink_.messages.at(1));
  EXPECT_TRUE(message(1).at("detections").as_array().empty());
  EXPECT_EQ(message(2).at("detections").as_array().size(), 1U);
}

TEST_F(InspectorTest, KeepsALiveFrameInDoubtAsAJpegAndForgetsItOncePublished) {
  start();
  Job job;
  job.frame.name = "camera-1.jpg";
  job.frame.image = {{64, 64}, std::vector<std::uint8_t>(64 * 64 * 3, 128)};
  EXPECT_EQ(finish(std::move(job)), Outcome::recorded);
  ASSERT_EQ(journal_->pending().size(), 1U);
  EXPECT_FALSE(journal_->pending().begin()->second.picture.has_value());
  recorder_->publish();
  EXPECT_EQ(message(0).at("image").at("name"), "camera-1.jpg");
  const auto upload = spool_.wait_for_oldest(0ms);
  ASSERT_TRUE(upload.has_value());
  vision::ImageDecoder decoder;
  EXPECT_EQ(decoder.decode(*spool_.read_picture(*upload), "upload").size, (vision::Size{64, 64}));
}

TEST_F(InspectorTest, GivesEachFrameOfABatchItsOwnResult) {
  start();
  use(batch_model(false), 4);
  const std::vector<base::fs::path> paths{
      picture("a.jpg", 255), picture("b.jpg", 128), file("broken.jpg", "not a picture"),
      picture("c.jpg", 200), picture("d.jpg", 0),   picture("e.jpg", 250)};
  const auto messages = inspect_together(paths);
  ASSERT_EQ(messages.size(), paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    EXPECT_EQ(messages[i].at("image").at("name").as_string(), paths[i].filename().string());
  }
  EXPECT_NEAR(confidence_of(messages[0]), 0.8, 0.01);
  EXPECT_NEAR(confidence_of(messages[1]), 0.8 * 128 / 255, 0.01);
  EXPECT_EQ(messages[2].at("error").at("code"), "invalid_argument");
  EXPECT_NEAR(confidence_of(messages[3]), 0.8 * 200 / 255, 0.01);
  EXPECT_TRUE(messages[4].at("detections").as_array().empty());
  EXPECT_NEAR(confidence_of(messages[5]), 0.8 * 250 / 255, 0.01);
  // Four pictures in the first run and one in the second; each has its share of the time.
  EXPECT_EQ(messages[0].at("ms").at("batch"), 4);
  EXPECT_EQ(messages[0].at("ms").at("inference"), messages[4].at("ms").at("inference"));
  EXPECT_FALSE(messages[5].at("ms").as_object().contains("batch"));
}

TEST_F(InspectorTest, FindsTheSameInAPictureWhateverLiesBesideItInABatch) {
  start();
  use(batch_model(true), 4);
  vision::Image wide{{64, 32}, std::vector<std::uint8_t>(64 * 32 * 3, 255)};
  const std::vector<base::fs::path> paths{picture("a.jpg", 255),
                                          file("wide.jpg", vision::encode_jpeg(wide, 95)),
                                          picture("b.jpg", 255)};
  const auto together = inspect_together(paths);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto alone = inspect_together({paths[i]});
    EXPECT_EQ(together[i].at("detections"), alone[0].at("detections"));
    EXPECT_EQ(together[i].at("detections").as_array().size(), 1U);
  }
  EXPECT_EQ(together[0].at("ms").at("batch"), 2);
  EXPECT_FALSE(together[1].at("ms").as_object().contains("batch"));
}

TEST_F(InspectorTest, LooksOneByOneWhereTheModelFailsOnABatch) {
  start();
  // It says that its batch is free, and gives one output whatever it gets.
  vision::tiny_onnx::DetectorSpec spec = vision::tiny_onnx::one_box();
  spec.input_shape = {-1, 3, 32, 32};
  use(vision::tiny_onnx::detector(spec), 4);
  const auto messages = inspect_together({picture("a.jpg", 255), picture("b.jpg", 128)});
  EXPECT_NEAR(confidence_of(messages[0]), 0.8, 0.01);
  EXPECT_NEAR(confidence_of(messages[1]), 0.8 * 128 / 255, 0.01);
  // When it is loaded, that is found out.
  const base::fs::path path = file("model.onnx", vision::tiny_onnx::detector(spec));
  ModelOptions options;
  options.parallelism.batch = 4;
  EXPECT_EQ(load_model(runtime_, vision::open_model(path), options)->parallelism.batch, 1U);
  base::write_file_atomically(path, batch_model(false));
  EXPECT_EQ(load_model(runtime_, vision::open_model(path), options)->parallelism.batch, 4U);
}

TEST_F(InspectorTest, DrawsWhatItFound) {
  start(folder_.path());
  (void)inspect(picture("tag.jpg", 255));
  (void)inspect(file("broken.png", "text"));
  vision::ImageDecoder decoder;
  const auto drawn = folder_.path() / "tag.jpg";
  EXPECT_EQ(decoder.decode(base::read_file(drawn), "tag.jpg").size,
            (vision::Size{64, 64 + vision::verdict_height({64, 64})}));
}

TEST_F(InspectorTest, SendsTheMapOfAnAnomalyWhereItIsAskedForAndDrawsIt) {
  start(folder_.path() / "drawn", anomaly_model());
  base::make_directories(folder_.path() / "drawn");
  (void)inspect(picture("plain.jpg", 255));
  settings_.anomaly.map_side = 2;
  settings_.anomaly.heat = {1.0, 2.0};
  (void)inspect(picture("mapped.jpg", 255));
  recorder_->publish();
  const auto plain = message(0).at("anomaly").as_object();
  EXPECT_NEAR(plain.at("score").as_double(), 0.6, 0.01);
  EXPECT_FALSE(plain.contains("map"));
  const base::json::value map = message(1).at("anomaly").at("map");
  EXPECT_EQ(map.at("size"), (base::json::array{1, 2}));
  EXPECT_EQ(map.at("box"), (base::json::array{0.0, 0.0, 64.0, 64.0}));
  EXPECT_NEAR(map.at("max").as_double(), 0.9, 0.01);
  vision::ImageDecoder decoder;
  // Blue goes where it is hot; below the scale's low end nothing is drawn.
  const auto blue = [&](const std::string& name, int x, int y) {
    const std::string drawn = base::read_file(folder_.path() / "drawn" / name);
    return decoder.decode(drawn, name).row(y)[static_cast<std::size_t>(x) * 3 + 2];
  };
  EXPECT_LT(blue("plain.jpg", 6, 22), 150);
  EXPECT_GT(blue("plain.jpg", 50, 50), 230);
  EXPECT_GT(blue("mapped.jpg", 6, 22), 230);
}

TEST_F(InspectorTest, SendsAndDrawsKeypointsAndTurnedBoxes) {
  base::make_directories(folder_.path() / "drawn");
  // The first is below the confidence: what belongs to the second goes with it.
  vision::tiny_onnx::ModelSpec spec;
  spec.metadata = {{"task", "pose"}, {"names", "['a']"}, {"kpt_shape", "[2, 3]"}};
  spec.outputs = {{"output0",
                   {1, 2, 12},
                   {4, 4, 28, 28, 0.3F, 0, 1, 1, 1,    2,  2,  1,  //
                    4, 4, 28, 28, 0.9F, 0, 8, 6, 0.9F, 20, 24, 0.2F},
                   {}}};
  spec.metadata["end2end"] = "True";
  start(folder_.path() / "drawn", vision::tiny_onnx::model(spec));
  settings_.confidence = 0.5;
  (void)inspect(picture("pose.jpg", 255));
  spec.metadata = {{"task", "obb"}, {"names", "['a']"}, {"end2end", "True"}};
  spec.outputs = {{"output0", {1, 1, 7}, {16, 16, 16, 8, 0.9F, 0, 0.785398F}, {}}};
  use(vision::tiny_onnx::model(spec), 1);
  (void)inspect(picture("turned.jpg", 255));
  recorder_->publish();
  const auto pose = message(0).at("detections");
  ASSERT_EQ(pose.as_array().size(), 1U);
  EXPECT_EQ(base::to_text(pose.at(0).at("keypoints")), "[[16.0,12.0,0.9],[40.0,48.0,0.2]]");
  EXPECT_FALSE(pose.at(0).as_object().contains("rotated_box"));
  const auto turned = message(1).at("detections").at(0);
  EXPECT_EQ(base::to_text(turned.at("rotated_box")), "[32.0,32.0,32.0,16.0,0.7854]");
  EXPECT_NEAR(turned.at("box").at(0).as_double(), 32 - 16.97, 0.01);
  vision::ImageDecoder decoder;
  const auto blue = [&](const std::string& name, int x, int y) {
    const std::string drawn = base::read_file(folder_.path() / "drawn" / name);
    return decoder.decode(drawn, name).row(y)[static_cast<std::size_t>(x) * 3 + 2];
  };
  EXPECT_LT(blue("pose.jpg", 16, 12), 150) << "the first keypoint is seen";
  EXPECT_GT(blue("pose.jpg", 40, 48), 230) << "the second hardly";
  EXPECT_LT(blue("turned.jpg", 43, 43), 150) << "the side that the angle points to";
  EXPECT_GT(blue("turned.jpg", 37, 37), 230) << "within it, below its label";
}

}  // namespace
}  // namespace andon::inspect
