// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "dataset.hpp"
#include "scene.hpp"

namespace metal_tags {
namespace {

namespace base = andon::base;

std::vector<Scene> scenes(const SceneOptions& options, std::uint64_t count) {
  std::vector<Scene> result;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    result.push_back(render_scene(options, seed));
  }
  return result;
}

TEST(RenderScene, GivesEachScratchTheBoxOfWhatIsSeenOfIt) {
  std::size_t checked = 0;
  for (const Scene& scene : scenes({.defect_rate = 1}, 40)) {
    ASSERT_EQ(scene.boxes.size(), scene.scratches.size());
    for (std::size_t i = 0; i < scene.boxes.size(); ++i) {
      const cv::Rect tight = cv::boundingRect(scene.scratches[i] > kSeenContrast);
      const cv::Rect& box = scene.boxes[i];
      EXPECT_EQ(box & tight, tight) << "the box leaves a part of the scratch out";
      // No side is farther away than the margin, but where the picture ends.
      EXPECT_EQ(std::max(0, tight.x - kLabelMargin), box.x);
      EXPECT_EQ(std::max(0, tight.y - kLabelMargin), box.y);
      EXPECT_EQ(std::min(scene.image.cols, tight.br().x + kLabelMargin), box.br().x);
      EXPECT_EQ(std::min(scene.image.rows, tight.br().y + kLabelMargin), box.br().y);
      ++checked;
    }
  }
  EXPECT_GT(checked, 40U);
}

TEST(RenderScene, ShowsScratchesBrighterThanThePlateAroundThem) {
  for (const Scene& scene : scenes({.difficulty = Difficulty::easy, .defect_rate = 1}, 20)) {
    for (const cv::Mat& light : scene.scratches) {
      const cv::Mat core = light > 60;
      if (cv::countNonZero(core) < 10) continue;
      cv::Mat near;
      cv::dilate(core, near, cv::Mat::ones(15, 15, CV_8U));
      cv::Mat around = near & (light < 1);
      EXPECT_GT(cv::mean(scene.image, core)[0], cv::mean(scene.image, around)[0] + 20);
    }
  }
}

TEST(RenderScene, LeavesGoodTagsWithoutBoxes) {
  for (const Scene& scene : scenes({.defect_rate = 0}, 10)) EXPECT_TRUE(scene.boxes.empty());
}

TEST(RenderScene, LooksLikeThePhotographs) {
  for (const Scene& scene : scenes({}, 20)) {
    EXPECT_EQ(scene.image.size(), cv::Size(450, 300));
    // A dark plate in the middle, an overexposed fixture at the sides.
    const double middle = cv::mean(scene.image(cv::Rect(120, 80, 200, 140)))[0];
    EXPECT_GT(middle, 45);
    EXPECT_LT(middle, 120);
    EXPECT_GT(cv::mean(scene.image(cv::Rect(0, 100, 6, 100)))[0], 200);
  }
}

TEST(RenderScene, DrawsTheSamePictureForTheSameSeed) {
  const Scene first = render_scene({}, 7);
  const Scene second = render_scene({}, 7);
  EXPECT_EQ(cv::norm(first.image, second.image, cv::NORM_INF), 0);
  EXPECT_GT(cv::norm(first.image, render_scene({}, 8).image, cv::NORM_INF), 0);
}

TEST(RenderScene, ChangesThePictureWithEveryKindOfDrift) {
  const double usual = cv::mean(render_scene({}, 3).image)[0];
  SceneOptions lamp;
  lamp.drift.lamp = 1;
  EXPECT_LT(cv::mean(render_scene(lamp, 3).image)[0], usual - 20);

  const auto sharpness = [](const SceneOptions& options) {
    cv::Mat edges;
    cv::Laplacian(render_scene(options, 3).image, edges, CV_32F);
    return cv::norm(edges, cv::NORM_L2);
  };
  SceneOptions lens;
  lens.drift.lens = 1;
  EXPECT_LT(sharpness(lens), 0.7 * sharpness({}));

  SceneOptions shift;
  shift.drift.shift = 1;
  const cv::Rect right_edge(425, 100, 10, 100);
  EXPECT_LT(cv::mean(render_scene(shift, 3).image(right_edge))[0],
            cv::mean(render_scene({}, 3).image(right_edge))[0] - 50);

  SceneOptions stamped;
  stamped.drift.stamped_text = true;
  EXPECT_GT(cv::norm(render_scene(stamped, 3).image, render_scene({}, 3).image, cv::NORM_L1), 0);
}

TEST(WriteDataset, WritesCocoAndYoloLabelsThatSayTheSame) {
  const base::TemporaryDirectory directory;
  const auto out = directory.path() / "set";
  write_dataset({.scene = {.defect_rate = 1}, .count = 3, .seed = 5}, out, [](int) {});
  const auto coco = base::parse_json(base::read_file(out / "annotations.json"), "annotations");
  EXPECT_EQ(coco.at("images").as_array().size(), 3U);
  std::size_t lines = 0;
  for (const auto& image : coco.at("images").as_array()) {
    base::fs::path name(std::string(image.at("file_name").as_string()));
    EXPECT_TRUE(base::fs::exists(out / "images" / name));
    const std::string labels = base::read_file(out / "labels" / name.replace_extension(".txt"));
    lines += static_cast<std::size_t>(std::ranges::count(labels, '\n'));
  }
  EXPECT_EQ(coco.at("annotations").as_array().size(), lines);
  EXPECT_GT(lines, 0U);
}

TEST(WriteDataset, IsTheSameForTheSameSeedAndRefusesADirectoryInUse) {
  const base::TemporaryDirectory directory;
  const auto file = [&](const char* set) {
    return base::read_file(directory.path() / set / "images" / "tag-2-00000.jpg");
  };
  write_dataset({.count = 1, .seed = 2}, directory.path() / "a", [](int) {});
  write_dataset({.count = 1, .seed = 2}, directory.path() / "b", [](int) {});
  EXPECT_EQ(file("a"), file("b"));
  EXPECT_THROW(write_dataset({.count = 1}, directory.path() / "a", [](int) {}), base::Error);
}

}  // namespace
}  // namespace metal_tags
