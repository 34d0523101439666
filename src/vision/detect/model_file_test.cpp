// SPDX-License-Identifier: Apache-2.0
#include "vision/detect/model_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "base/error/error.hpp"
#include "trust/digests/digest.hpp"
#include "vision/detect/detector.hpp"
#include "vision/testing/runtime.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::vision {
namespace {

namespace fs = base::fs;
using testing::ElementsAre;
using testing::HasSubstr;

std::string weights() {
  const std::array<float, 2> values{3, 4};
  return {reinterpret_cast<const char*>(values.data()), sizeof values};
}

class OpenModel : public testing::Test {
 protected:
  void SetUp() override {
    write("m.onnx", tiny_onnx::with_weights_in("m.onnx.data"));
    write("m.onnx.data", weights());
  }
  void write(const std::string& name, std::string_view content) {
    base::make_directories((folder_.path() / name).parent_path());
    base::write_file_atomically(folder_.path() / name, content);
  }
  [[nodiscard]] fs::path at(const std::string& name) const { return folder_.path() / name; }
  [[nodiscard]] static std::string refusal(const fs::path& path) {
    try {
      static_cast<void>(open_model(path));
    } catch (const base::Error& error) {
      return std::string(base::to_string(error.code())) + ": " + error.message();
    }
    return "accepted";
  }

  base::TemporaryDirectory folder_;
};

TEST_F(OpenModel, ReadsItsWeightsAndItsDescription) {
  write("m.yaml", "channels: bgr\n");
  const ModelFile file = open_model(at("m.onnx"));
  EXPECT_EQ(file.name, "m.onnx");
  ASSERT_EQ(file.weights.size(), 1U);
  EXPECT_EQ(file.weights[0].bytes, weights());
  EXPECT_EQ(file.spec.channels, Preprocessing::Channels::bgr);
  EXPECT_EQ(file.total_bytes(), file.bytes.size() + weights().size());
  std::vector<std::string> places;
  for (const ModelFile::Part& part : file.parts()) places.push_back(part.place);
  EXPECT_THAT(places, ElementsAre("m.onnx", "m.yaml", "m.onnx.data"));
}

TEST_F(OpenModel, TakesABareName) {
  struct Back {
    fs::path before = fs::current_path();
    ~Back() { fs::current_path(before); }
  } back;
  fs::current_path(folder_.path());
  EXPECT_EQ(open_model("m.onnx").weights.at(0).bytes, weights());
  EXPECT_EQ(open_model("./m.onnx").sha256, open_model("m.onnx").sha256);
}

TEST_F(OpenModel, HasADigestOverAllItsFiles) {
  const std::string before = open_model(at("m.onnx")).sha256;
  write("m.onnx.data", "12345678");
  const std::string with_other_weights = open_model(at("m.onnx")).sha256;
  EXPECT_NE(with_other_weights, before);
  write("m.yaml", "channels: bgr\n");
  const std::string described = open_model(at("m.onnx")).sha256;
  EXPECT_NE(described, with_other_weights);
  write("m.yaml", "channels: rgb\n");
  EXPECT_NE(open_model(at("m.onnx")).sha256, described);
  // One file alone has the digest that everybody else gives it.
  const std::string alone = tiny_onnx::detector(tiny_onnx::one_box());
  write("alone.onnx", alone);
  EXPECT_EQ(open_model(at("alone.onnx")).sha256, trust::sha256_hex(alone));
}

// As in the cache of Hugging Face: each file of a snapshot is a link to a blob without an ending.
TEST_F(OpenModel, FollowsLinksOfTheModelAndOfWhatLiesBesideIt) {
  base::make_directories(at("blobs"));
  base::make_directories(at("snapshots/1"));
  fs::rename(at("m.onnx"), at("blobs/a1"));
  fs::rename(at("m.onnx.data"), at("blobs/b2"));
  fs::create_symlink("../../blobs/a1", at("snapshots/1/m.onnx"));
  fs::create_symlink("../../blobs/b2", at("snapshots/1/m.onnx.data"));
  const ModelFile file = open_model(at("snapshots/1/m.onnx"));
  EXPECT_EQ(file.weights.at(0).bytes, weights());
  Session session(test_runtime(), file.bytes, file.name,
                  {.weights = {{file.weights[0].location, file.weights[0].bytes}}});
  session.bind_input({2})[1] = 10;
  EXPECT_THAT(session.run().front().values, ElementsAre(0, 40));
}

// As releases are switched: the link leads to where all of it is.
TEST_F(OpenModel, FollowsALinkToWhereItsFilesAre) {
  base::make_directories(at("releases/5"));
  for (const char* name : {"m.onnx", "m.onnx.data"}) fs::rename(at(name), at("releases/5") / name);
  write("releases/5/m.yaml", "channels: bgr\n");
  fs::create_symlink("releases/5/m.onnx", at("current.onnx"));
  const ModelFile file = open_model(at("current.onnx"));
  EXPECT_EQ(file.weights.at(0).bytes, weights());
  EXPECT_TRUE(file.spec.channels.has_value());
  // Shipped under the link's name it finds its description there.
  EXPECT_EQ(file.parts().at(1).place, "current.yaml");
  // What lies beside the name that was given comes first.
  write("current.yaml", "divisor: 1\n");
  EXPECT_FALSE(open_model(at("current.onnx")).spec.channels.has_value());
}

TEST_F(OpenModel, SaysWhatIsMissingOrWrong) {
  fs::remove(at("m.onnx.data"));
  EXPECT_THAT(refusal(at("m.onnx")), HasSubstr("its external data is missing"));
  EXPECT_THAT(refusal(at("m.onnx")), HasSubstr("m.onnx.data"));
  write("m.onnx.data", "short");
  EXPECT_THAT(refusal(at("m.onnx")), HasSubstr("has 5 bytes, 8 are needed"));
  EXPECT_THAT(refusal(at("absent.onnx")), HasSubstr("not_found"));
  EXPECT_THAT(refusal(folder_.path()), HasSubstr("is a folder"));
  write("bad.onnx", tiny_onnx::with_weights_in("../m.onnx.data"));
  EXPECT_THAT(refusal(at("bad.onnx")), HasSubstr("points out of the model's folder"));
  write("m.onnx.data", weights());
  write("m.yaml", "chanels: bgr\n");
  EXPECT_THAT(refusal(at("m.onnx")), HasSubstr("m.yaml"));
  EXPECT_THAT(refusal(at("m.onnx")), HasSubstr("chanels"));
  write("m.yaml", "channels: bgr\n");
  write("m.yml", "channels: rgb\n");
  EXPECT_THAT(refusal(at("m.onnx")), HasSubstr("both describe the model"));
}

TEST_F(OpenModel, IsWhatADetectorIsMadeOf) {
  write("d.onnx", tiny_onnx::detector(tiny_onnx::one_box()));
  write("d.yaml", "channels: bgr\nlabels: [dent]\n");
  const Detector detector(test_runtime(), open_model(at("d.onnx")));
  EXPECT_EQ(detector.description().preprocessing.channels, Preprocessing::Channels::bgr);
  EXPECT_EQ(detector.label(0), "dent");
}

}  // namespace
}  // namespace andon::vision
