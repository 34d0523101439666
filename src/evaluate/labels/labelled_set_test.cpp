// SPDX-License-Identifier: Apache-2.0
#include "evaluate/labels/labelled_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "evaluate/labels/data_yaml.hpp"
#include "evaluate/labels/yolo.hpp"
#include "vision/draw/annotate.hpp"

namespace andon::evaluate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Truth> parse(std::string_view text, YoloNotes& notes, const YoloFormat& format = {}) {
  return parse_yolo(text, "a.txt", format, {200, 100}, notes);
}

std::string problem(std::string_view text, const YoloFormat& format = {}) {
  YoloNotes notes;
  EXPECT_TRUE(parse(text, notes, format).empty()) << text;
  try {
    notes.problems.throw_if_any("labels");
  } catch (const base::Error& error) {
    return error.message();
  }
  return "";
}

TEST(YoloRows, AreBoxesInPartsOfThePicture) {
  YoloNotes notes;
  const auto truths = parse(
      "\xEF\xBB\xBF"
      "1 0.5 0.5 0.2 0.4\r\n\n0.0 0.1\t0.2 0.1 0.2",
      notes);
  notes.problems.throw_if_any("labels");
  ASSERT_EQ(truths.size(), 2U);
  EXPECT_EQ(truths[0].category, 1U);
  EXPECT_NEAR(truths[0].box.x, 80, 1e-9);
  EXPECT_NEAR(truths[0].box.y, 30, 1e-9);
  EXPECT_NEAR(truths[0].box.width, 40, 1e-9);
  EXPECT_NEAR(truths[0].box.height, 40, 1e-9);
  EXPECT_NEAR(truths[0].area, 1600, 1e-9);
  EXPECT_EQ(truths[1].category, 0U);
}

TEST(YoloRows, MayBeOutlinesOrHaveKeypoints) {
  YoloNotes notes;
  const auto outline = parse("0 0.1 0.1 0.3 0.1 0.1 0.5", notes);
  ASSERT_EQ(outline.size(), 1U);
  EXPECT_NEAR(outline[0].box.x, 20, 1e-9);
  EXPECT_NEAR(outline[0].box.width, 40, 1e-9);
  EXPECT_NEAR(outline[0].box.height, 40, 1e-9);
  EXPECT_NEAR(outline[0].area, 800, 1e-9);  // a triangle
  const auto pose = parse("0 0.5 0.5 0.2 0.4 0.5 0.5 2 7 -3 0", notes, {1, 6});
  ASSERT_EQ(pose.size(), 1U);
  EXPECT_NEAR(pose[0].box.width, 40, 1e-9);
  notes.problems.throw_if_any("labels");
}

TEST(YoloRows, ThatAreWrongAreToldWithTheirLine) {
  EXPECT_THAT(problem("\n0 0.5 0.5 0.2"), HasSubstr("a.txt:2: 3 values stand behind the class"));
  EXPECT_THAT(problem("scratch 0.5 0.5 0.2 0.2"), HasSubstr("'scratch' is no class"));
  EXPECT_THAT(problem("-1 0.5 0.5 0.2 0.2"), HasSubstr("'-1' is no class"));
  EXPECT_THAT(problem("1.5 0.5 0.5 0.2 0.2"), HasSubstr("is no class"));
  EXPECT_THAT(problem("2 0.5 0.5 0.2 0.2", {2, 0}), HasSubstr("there is no class 2"));
  EXPECT_THAT(problem("99999999999 0.5 0.5 0.2 0.2"), HasSubstr("there is no class"));
  EXPECT_THAT(problem("0 120 40 30 20"), HasSubstr("not within 0 and 1"));
  EXPECT_THAT(problem("0 0.5 0.5 -0.2 0.2"), HasSubstr("the size is negative"));
  EXPECT_THAT(problem("0 nan 0.5 0.2 0.2"), HasSubstr("'nan' is no number"));
  EXPECT_THAT(problem("0 0.5 0.5 0.2 0.2 0.9"), HasSubstr("a detection with its confidence"));
  EXPECT_THAT(problem("0 0.5 0.5 0.2 0.2 0.1 0.1", {1, 6}), HasSubstr("6 of keypoints"));
}

TEST(YoloRows, ThatAreOddAreKeptWithAWarning) {
  YoloNotes notes;
  const auto truths =
      parse("0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0 0.2\n0 0.95 0.5 0.2 0.2\n", notes);
  EXPECT_EQ(truths.size(), 3U);
  std::vector<std::string> warnings;
  notes.tell(warnings);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("1 boxes have no area"), HasSubstr("over the border"),
                                    HasSubstr("twice and count once (first: a.txt:2)")));
}

TEST(DataYaml, NamesClassesAndPictures) {
  const DataYaml data = parse_data_yaml(
      "path: tags\ntrain: [images/a, images/b]\nval: list.txt\nnc: 2\nnames: {1: dent, 0: no}\n"
      "kpt_shape: [17, 3]\n",
      "/data/data.yaml", "train");
  EXPECT_THAT(data.names, ElementsAre("no", "dent"));
  EXPECT_THAT(data.pictures, ElementsAre("images/a", "images/b"));
  EXPECT_EQ(data.root, "/data/tags");
  EXPECT_EQ(data.keypoint_values, 51U);
  EXPECT_THAT(parse_data_yaml("names: [7, 8]\n", "d.yaml", "").names, ElementsAre("7", "8"));
}

TEST(DataYaml, ThatIsWrongIsToldWithItsMember) {
  const auto problem_of = [](std::string_view text, std::string_view split = "val") {
    try {
      static_cast<void>(parse_data_yaml(text, "d.yaml", split));
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      return error.message();
    }
    return std::string("none");
  };
  EXPECT_THAT(problem_of("val: x\n"), HasSubstr("d.yaml: names is missing"));
  EXPECT_THAT(problem_of("val: x\nnames: {0: a, 2: b}\n"), HasSubstr("without gaps"));
  EXPECT_THAT(problem_of("val: x\nnames: [a, a]\n"), HasSubstr("'a' twice"));
  EXPECT_THAT(problem_of("val: x\nnames: [a]\nnc: 2\n"), HasSubstr("nc is 2"));
  EXPECT_THAT(problem_of("train: x\nnames: [a]\n"), HasSubstr("--split may be: train"));
  EXPECT_THAT(problem_of("val: 7\nnames: [a]\n"), HasSubstr("val must be"));
  EXPECT_THAT(problem_of("val: x\nnames: [a]\nkpt_shape: 3\n"), HasSubstr("kpt_shape"));
  EXPECT_THAT(problem_of("[1, 2]"), HasSubstr("d.yaml"));
  EXPECT_THAT(problem_of("val: {"), HasSubstr("d.yaml"));
}

TEST(DataYaml, LooksForLabelsWhereUltralyticsDoes) {
  EXPECT_EQ(yolo_labels_of("/d/images/train/images/a.b.jpg"), "/d/images/train/labels/a.b.txt");
  EXPECT_EQ(yolo_labels_of("/d/a.png"), "/d/a.txt");
  EXPECT_EQ(yolo_labels_of("images/a.png"), "labels/a.txt");
}

class LabelledSetTest : public testing::Test {
 protected:
  void write(const std::string& name, std::string_view content) const {
    base::make_directories((folder_.path() / name).parent_path());
    base::write_file_atomically(folder_.path() / name, content);
  }
  void write_picture(const std::string& name) const {
    vision::Image image{{200, 100}, {}};
    image.rgb.assign(200 * 100 * 3, 90);
    write(name, vision::encode_jpeg(image));
  }
  [[nodiscard]] base::fs::path path(const std::string& name) const { return folder_.path() / name; }
  [[nodiscard]] static std::string problem(const LabelPlace& place) {
    try {
      static_cast<void>(read_labels(place));
    } catch (const base::Error& error) {
      return error.message();
    }
    return "none";
  }

  base::TemporaryDirectory folder_;
};

TEST_F(LabelledSetTest, OfADataYamlIsItsSplit) {
  write_picture("images/val/a.jpg");
  write_picture("images/val/deep/b.jpg");
  write_picture("images/train/c.jpg");
  write("labels/val/a.txt", "1 0.5 0.5 0.5 0.5\n");
  write("data.yaml", "train: images/train\nval: ../images/val\nnames: [scratch, dent]\n");
  const LabelledSet set = read_labels({.labels = path("data.yaml"), .images = {}});
  ASSERT_EQ(set.dataset.images.size(), 2U);
  EXPECT_EQ(set.files.size(), 2U);
  EXPECT_EQ(set.dataset.images[0].file_name, "images/val/a.jpg");
  EXPECT_EQ(set.dataset.images[0].size, (vision::Size{200, 100}));
  ASSERT_EQ(set.dataset.images[0].truths.size(), 1U);
  EXPECT_EQ(set.dataset.images[0].truths[0].box, (Rectangle{50, 25, 100, 50}));
  EXPECT_TRUE(set.dataset.images[1].truths.empty());
  EXPECT_THAT(set.dataset.warnings, ElementsAre(HasSubstr("1 of 2 pictures have no label file")));
  EXPECT_EQ(set.dataset.categories[1].name, "dent");
  EXPECT_THAT(problem({.labels = path("data.yaml"), .images = {}, .split = "train"}),
              HasSubstr("none of its 1 pictures has a label file"));
}

TEST_F(LabelledSetTest, OfAFolderOfTextsHasTheNamesThatLieBesideOrAboveIt) {
  write_picture("pictures/a.jpg");
  write_picture("pictures/sub/b.jpg");
  write("labels/a.txt", "0 0.5 0.5 0.5 0.5\n");
  write("labels/sub/b.txt", "2 0.5 0.5 0.5 0.5\n");
  const LabelPlace place{.labels = path("labels"), .images = path("pictures")};
  LabelledSet set = read_labels(place);
  EXPECT_EQ(set.dataset.categories.back().name, "class 2");
  EXPECT_EQ(set.dataset.images[1].file_name, "sub/b.jpg");
  // Without names classes are known by their numbers, and the model may have more.
  const std::vector<std::string> model{"a", "b", "c", "d"};
  EXPECT_THAT(match_labels(set.dataset, model), ElementsAre(0U, 1U, 2U, kNoCategory));
  write("data.yaml", "names: [x, y, z]\n");
  EXPECT_EQ(read_labels(place).dataset.categories.back().name, "z");
  write("labels/classes.txt", "scratch\ndent\npit\n");
  EXPECT_EQ(read_labels(place).dataset.categories.back().name, "pit");
  write("labels/classes.txt", "scratch\ndent\n");
  EXPECT_THAT(problem(place), HasSubstr("there is no class 2"));
}

TEST_F(LabelledSetTest, ThatDoesNotFitItsPicturesIsRefused) {
  write_picture("pictures/a.jpg");
  write("labels/a.txt", "0 0.5 0.5 0.5 0.5\n");
  write("labels/other.txt", "0 0.5 0.5 0.5 0.5\n");
  EXPECT_THAT(problem({.labels = path("labels"), .images = path("pictures")}),
              HasSubstr("1 label files in"));
  EXPECT_THAT(problem({.labels = path("labels"), .images = {}}), HasSubstr("is a folder"));
  base::fs::remove(path("labels/other.txt"));
  write("pictures/broken.jpg", "no picture");
  EXPECT_THAT(problem({.labels = path("labels"), .images = path("pictures")}),
              HasSubstr("1 of 2 pictures cannot be read"));
  write("data.yaml", "val: nowhere\nnames: [a]\n");
  EXPECT_THAT(problem({.labels = path("data.yaml"), .images = {}}),
              HasSubstr("names 'nowhere', which is not there"));
  write("list.txt", "pictures/a.jpg\npictures/absent.jpg\n");
  write("data.yaml", "val: list.txt\nnames: [a]\n");
  EXPECT_THAT(problem({.labels = path("data.yaml"), .images = {}}), HasSubstr("absent.jpg"));
}

TEST_F(LabelledSetTest, OfCocoIsAsBefore) {
  write_picture("pictures/a.jpg");
  write("labels.json",
        R"({"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [],
            "categories": [{"id": 1, "name": "scratch"}]})");
  EXPECT_TRUE(read_labels({.labels = path("labels.json"), .images = {}}).files.empty());
  EXPECT_EQ(read_labels({.labels = path("labels.json"), .images = path("pictures")}).files.size(),
            1U);
}

}  // namespace
}  // namespace andon::evaluate
