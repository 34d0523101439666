// SPDX-License-Identifier: Apache-2.0
#include "inspect/live/live_frames.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "base/text/encoding.hpp"
#include "inspect/live/live_picture.hpp"
#include "inspect/testing/waiting.hpp"
#include "vision/image/decode.hpp"

namespace andon::inspect {
namespace {

namespace json = base::json;

vision::Image picture(int width, int height) {
  vision::Image image{{width, height}, {}};
  image.rgb.resize(image.row_bytes() * static_cast<std::size_t>(height));
  // Something that does not compress well.
  for (std::size_t i = 0; i < image.rgb.size(); ++i) {
    image.rgb[i] = static_cast<std::uint8_t>(i * 2654435761U >> 13U);
  }
  return image;
}

json::object ask(const json::object& message) {
  return {{"jsonMessage", json::object{{"message", message}}}};
}

class LiveFramesTest : public testing::Test {
 protected:
  LiveFramesTest()
      : frames_({.thing = "line-1",
                 .component = {"com.example.Inspect", "1.0.0"},
                 .send =
                     [this](const json::object& answer) {
                       const std::lock_guard lock(mutex_);
                       answers_.push_back(answer);
                     },
                 .counts =
                     [this] {
                       if (is_broken_) {
                         throw base::Error(base::ErrorCode::resource_exhausted, "no room for it");
                       }
                       return json::object{{"images", 7}};
                     }}) {}

  // As a worker does it.
  bool look_at(const vision::Image& image) {
    if (!frames_.wants()) return false;
    Job job;
    job.inspection.image_name = "a.jpg";
    job.inspection.size = image.size;
    job.inspection.verdict = Verdict{Judgement::ng, "deep scratch"};
    frames_.offer(image, job);
    return true;
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return answers_.size();
  }
  json::object answer(std::size_t index) {
    const std::lock_guard lock(mutex_);
    return answers_.at(index);
  }

  std::mutex mutex_;
  std::vector<json::object> answers_;
  std::atomic<bool> is_broken_ = false;
  LiveFrames frames_;
};

TEST_F(LiveFramesTest, WantsNothingWhileNobodyAsks) {
  EXPECT_FALSE(frames_.wants());
  frames_.ask(ask({{"component", "com.example.Other"}}));
  EXPECT_FALSE(frames_.wants());
}

TEST_F(LiveFramesTest, GivesOneFrameToWhoAsksForOne) {
  frames_.ask(ask({{"id", "7"}, {"maxSide", 160}, {"maxBytes", 16'384}}));
  ASSERT_TRUE(look_at(picture(640, 400)));
  ASSERT_TRUE(wait_until([&] { return count() == 1; }));
  const json::object answer = this->answer(0);
  EXPECT_EQ(answer.at("id").as_string(), "7");
  EXPECT_EQ(answer.at("component").as_string(), "com.example.Inspect");
  EXPECT_EQ(answer.at("verdict").as_string(), "NG");
  EXPECT_EQ(answer.at("verdict_rule").as_string(), "deep scratch");
  EXPECT_EQ(answer.at("width").to_number<int>(), 640);
  EXPECT_EQ(answer.at("counts").at("images").to_number<int>(), 7);
  const auto jpeg = base::from_base64(answer.at("jpeg").as_string());
  ASSERT_TRUE(jpeg.has_value());
  vision::ImageDecoder decoder;
  const vision::Image& shown = decoder.decode(*jpeg, "live.jpg");
  EXPECT_EQ(shown.size.width, 160);
  EXPECT_GT(shown.size.height, 100);  // with the bar
  EXPECT_EQ(answer.at("jpeg_height").to_number<int>(), shown.size.height);
  EXPECT_FALSE(frames_.wants());
}

TEST_F(LiveFramesTest, GivesFramesAsTheyComeButNoMoreThanAreAskedFor) {
  frames_.ask(ask({{"perSecond", 5}}));
  const vision::Image image = picture(64, 48);
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(wait_until([&] {
    look_at(image);
    return count() == 4;
  }));
  // Three pauses of a fifth of a second at least.
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds{590});
}

TEST_F(LiveFramesTest, AFrameThatCannotBeShownIsSaidSoAndTheNextIsShown) {
  const vision::Image image = picture(64, 48);
  is_broken_ = true;
  frames_.ask(ask({{"id", "bad"}}));
  ASSERT_TRUE(look_at(image));
  ASSERT_TRUE(wait_until([&] { return count() == 1; }));
  EXPECT_EQ(answer(0).at("error").at("message").as_string(), "no room for it");
  is_broken_ = false;
  frames_.ask(ask({{"id", "good"}}));
  ASSERT_TRUE(look_at(image));
  ASSERT_TRUE(wait_until([&] { return count() == 2; }));
  EXPECT_TRUE(answer(1).contains("jpeg"));
}

TEST_F(LiveFramesTest, WhoAsksForOneTakesNothingFromWhoLooksOn) {
  frames_.ask(ask({{"id", "stream"}, {"perSecond", 5}}));
  frames_.ask(ask({{"id", "one"}}));
  const vision::Image image = picture(64, 48);
  ASSERT_TRUE(wait_until([&] {
    look_at(image);
    return count() == 4;
  }));
  int ones = 0;
  for (std::size_t i = 0; i < 4; ++i) ones += answer(i).at("id").as_string() == "one" ? 1 : 0;
  EXPECT_EQ(ones, 1);
}

TEST_F(LiveFramesTest, SaysSoWhereNoFrameComes) {
  frames_.ask(ask({{"id", "7"}}));
  ASSERT_TRUE(wait_until([&] { return count() == 1; }));
  EXPECT_EQ(answer(0).at("error").at("code").as_string(), "not_found");
  EXPECT_FALSE(frames_.wants());
}

TEST_F(LiveFramesTest, ShowsTheLastFileAlsoWhereItsModelHasGone) {
  const base::TemporaryDirectory folder;
  const base::fs::path path = folder.path() / "a.jpg";
  base::write_file_atomically(path, draw_live(picture(64, 48), {}, 64, 65'536).jpeg);
  Job job;
  job.frame = open_picture(path).value();
  std::string label = "a scratch that is too long for a short text";
  auto model = std::make_shared<const Model>();
  job.model = model;
  job.inspection.size = {64, 48};
  job.inspection.detections.push_back({{}, label});
  frames_.note_last(job);
  const std::weak_ptr<const Model> gone = model;
  job.model.reset();
  model.reset();
  EXPECT_TRUE(gone.expired());
  label.assign(label.size(), '?');
  frames_.ask(ask({{"id", "7"}}));
  ASSERT_TRUE(wait_until([&] { return count() == 1; }));
  const json::object answer = this->answer(0);
  ASSERT_TRUE(answer.contains("jpeg")) << base::to_text(answer);
  EXPECT_EQ(answer.at("detections").to_number<int>(), 1);
}

TEST_F(LiveFramesTest, SaysWhatIsWrongWithAnAsk) {
  frames_.ask(ask({{"maxSide", 5}}));
  ASSERT_TRUE(wait_until([&] { return count() == 1; }));
  EXPECT_EQ(answer(0).at("error").at("code").as_string(), "invalid_argument");
  EXPECT_THAT(std::string(answer(0).at("error").at("message").as_string()),
              testing::HasSubstr("maxSide"));
}

TEST(LiveAsk, MayComeAsBytes) {
  const json::object event{
      {"binaryMessage", json::object{{"message", base::to_base64(R"({"id": "7"})")}}}};
  EXPECT_EQ(read_live_ask(live_message_of(event)).id, "7");
  EXPECT_THROW((void)live_message_of({{"binaryMessage", json::object{{"message", "!"}}}}),
               base::Error);
}

TEST(LivePicture, IsNeverLargerThanIsAskedFor) {
  const vision::Image image = picture(1920, 1080);
  Inspection inspection;
  inspection.size = image.size;
  for (const std::size_t most : {4096U, 20'000U, 92'160U}) {
    const LivePicture live = draw_live(image, inspection, 1280, most);
    EXPECT_LE(live.jpeg.size(), most);
  }
}

}  // namespace
}  // namespace andon::inspect
