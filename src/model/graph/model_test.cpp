// SPDX-License-Identifier: Apache-2.0
#include "model/graph/model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "model/graph/graph.hpp"
#include "model/testing/models.hpp"

namespace andon::model {
namespace {

using base::Error;
using base::ErrorCode;
using ::testing::HasSubstr;

// The error that parsing gives, "code: message" for what matters of it.
std::string refusal(std::string_view bytes) {
  try {
    static_cast<void>(Model::parse(bytes, "m.onnx"));
  } catch (const Error& error) {
    return std::string(base::to_string(error.code())) + ": " + error.message();
  }
  return "accepted";
}

ModelBuilder sum_of_two() {
  ModelBuilder builder;
  builder.input("x", {1, 4});
  builder.node("Add", {"x", builder.random("w", {1, 4}, 1)}, {"y"});
  builder.output("y", {1, 4});
  return builder;
}

// Moves the weights of `builder` to a file of that name.
void make_external(ModelBuilder& builder, const std::string& location, const std::string& offset) {
  auto& tensor = *builder.graph().mutable_initializer(0);
  tensor.clear_raw_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] :
       {std::pair{"location", location}, {"offset", offset}, {"length", std::string("16")}}) {
    auto& entry = *tensor.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  }
}

TEST(LoadModel, ReadsWhatItWrites) {
  const Model model = sum_of_two().model();
  EXPECT_EQ(model.opset(), 13);
  EXPECT_EQ(model.graph().node_size(), 1);
  const std::string bytes = model.serialise();
  EXPECT_EQ(bytes, Model::parse(bytes, "again").serialise());
  EXPECT_TRUE(model.digest().starts_with("sha256:"));
}

TEST(LoadModel, RefusesWhatIsNotOnnx) {
  EXPECT_THAT(refusal(""), HasSubstr("m.onnx is empty"));
  EXPECT_THAT(refusal("#!/bin/sh\necho hello\n"), HasSubstr("not an ONNX model"));
  EXPECT_THAT(refusal(std::string(5000, '\xff')), HasSubstr("not an ONNX model"));
  EXPECT_THAT(refusal("{\"format\": \"json\"}"), HasSubstr("not an ONNX model"));
}

TEST(LoadModel, RefusesEveryTruncation) {
  const std::string bytes = sum_of_two().bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string found = refusal(std::string_view(bytes).substr(0, size));
    // What follows the graph may be missing without anybody being able to tell.
    if (found == "accepted") {
      EXPECT_GT(size, bytes.size() * 3 / 4);
    } else {
      EXPECT_TRUE(found.find("m.onnx") != std::string::npos) << found;
    }
  }
}

TEST(LoadModel, ReadsExternalDataFromBesideTheModel) {
  const base::TemporaryDirectory folder;
  ModelBuilder builder = sum_of_two();
  const std::string weights = builder.graph().initializer(0).raw_data();
  make_external(builder, "weights.bin", "4");
  base::write_file_atomically(folder.path() / "weights.bin", "PAD." + weights);
  base::write_file_atomically(folder.path() / "m.onnx", builder.bytes());
  const Model model = Model::parse(vision::open_model(folder.path() / "m.onnx"));
  EXPECT_EQ(model.graph().initializer(0).raw_data(), weights);
}

TEST(LoadModel, SaysThatItsExternalDataWasNotGiven) {
  ModelBuilder builder = sum_of_two();
  make_external(builder, "weights.bin", "0");
  EXPECT_THAT(refusal(builder.bytes()), HasSubstr("save it as one file"));
}

TEST(LoadModel, RefusesGraphsThatCannotRun) {
  ModelBuilder cycle = sum_of_two();
  cycle.node("Add", {"y", "b"}, {"a"});
  cycle.node("Add", {"a", "y"}, {"b"});
  EXPECT_THAT(refusal(cycle.bytes()), HasSubstr("a cycle"));
  ModelBuilder twice = sum_of_two();
  twice.node("Relu", {"x"}, {"y"});
  EXPECT_THAT(refusal(twice.bytes()), HasSubstr("'y' is made twice"));
  ModelBuilder hole = sum_of_two();
  hole.node("Relu", {"nowhere"}, {"z"});
  EXPECT_THAT(refusal(hole.bytes()), HasSubstr("reads 'nowhere', which nothing makes"));
  ModelBuilder no_output = sum_of_two();
  no_output.output("lost", {1});
  EXPECT_THAT(refusal(no_output.bytes()), HasSubstr("'lost' is made by nothing"));
}

TEST(LoadModel, RefusesTensorsThatLackValues) {
  ModelBuilder builder = sum_of_two();
  builder.graph().mutable_initializer(0)->set_dims(1, 1'000'000'000);
  EXPECT_THAT(refusal(builder.bytes()), HasSubstr("where its dimensions ask for"));
  builder.graph().mutable_initializer(0)->set_dims(1, -4);
  EXPECT_THAT(refusal(builder.bytes()), HasSubstr("impossible dimensions"));
}

TEST(LoadModel, RefusesAnOpsetThatIsTooOld) {
  ModelBuilder builder(9);
  builder.input("x", {1});
  builder.node("Relu", {"x"}, {"y"});
  builder.output("y", {1});
  EXPECT_THAT(refusal(builder.bytes()), HasSubstr("opset 9 is older than 11"));
}

TEST(LoadModel, PutsNodesInOrder) {
  ModelBuilder builder;
  builder.input("x", {1});
  builder.node("Relu", {"a"}, {"y"});
  builder.node("Relu", {"x"}, {"a"});
  builder.output("y", {1});
  const Model model = builder.model();
  EXPECT_EQ(model.graph().node(0).output(0), "a");
}

TEST(GraphIndex, CountsWhatSubgraphsReadFromOutside) {
  ModelBuilder builder;
  builder.input("x", {1});
  builder.node("Relu", {"x"}, {"a"});
  auto& branch = builder.node("If", {"condition"}, {"y"});
  auto& attribute = *branch.add_attribute();
  attribute.set_name("then_branch");
  attribute.set_type(onnx::AttributeProto::GRAPH);
  *attribute.mutable_g()->add_node() = make_node("Relu", "inner", {"a"}, {"inner"});
  attribute.mutable_g()->add_output()->set_name("inner");
  const GraphIndex index(builder.graph());
  EXPECT_EQ(index.consumers("a"), (std::vector<int>{1}));
  EXPECT_EQ(index.producer_place("a"), 0);
  EXPECT_EQ(index.producer("x"), nullptr);
}

TEST(RemoveDeadNodes, KeepsWhatOutputsNeed) {
  ModelBuilder builder = sum_of_two();
  builder.node("Relu", {"x"}, {"unused"});
  builder.node("Relu", {"unused"}, {"also"});
  builder.random("nobody", {4}, 1);
  Model model = builder.model();
  EXPECT_EQ(remove_dead_nodes(model.graph()), 2U);
  EXPECT_EQ(model.graph().node_size(), 1);
  EXPECT_EQ(model.graph().initializer_size(), 1);
}

}  // namespace
}  // namespace andon::model
