// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/operators.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/error/error.hpp"
#include "vision/runtime/session.hpp"
#include "vision/testing/runtime.hpp"
#include "vision/testing/tiny_onnx.hpp"

namespace andon::vision {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using tiny_onnx::kUint8;
using tiny_onnx::Message;
using Shape = std::vector<std::int64_t>;

Message text_attribute(std::string_view name, std::string_view value) {
  return Message().bytes(1, name).bytes(4, value).number(20, 3);
}
Message integer_attribute(std::string_view name, std::uint64_t value) {
  return Message().bytes(1, name).number(3, value).number(20, 2);
}

// y = operation(inputs), with an attribute; all of it bytes of any shape of that rank.
std::string graph_of(std::string_view operation, std::size_t inputs, std::size_t rank,
                     const Message& attribute, const std::vector<Message>& others = {}) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < inputs; ++i) names.push_back("x" + std::to_string(i));
  Message graph;
  Message node = tiny_onnx::node(operation, names, "y");
  node.message(5, attribute).bytes(7, "andon");
  for (const Message& other : others) node.message(5, other);
  graph.message(1, node).bytes(2, "tiny");
  const Shape any(rank, -1);
  for (const std::string& name : names) {
    Message input = tiny_onnx::value_info(name, kUint8, any);
    graph.message(11, input);
  }
  graph.message(12, tiny_onnx::value_info("y", kUint8, any));
  return Message()
      .number(1, 8)
      .message(7, graph)
      .message(8, Message().bytes(1, "").number(2, 13))
      .message(8, Message().bytes(1, "andon").number(2, 1))
      .text();
}

struct Bytes {
  Shape shape;
  std::vector<std::uint8_t> values;
};

Bytes run(const std::string& model, const std::vector<Bytes>& inputs, int threads = 1) {
  Session session(test_runtime(), model, "tiny.onnx", {.threads = threads});
  std::vector<NamedTensor> given;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    given.push_back({"x" + std::to_string(i),
                     {2, inputs[i].shape, std::as_bytes(std::span(inputs[i].values))}});
  }
  const std::vector<std::string> wanted{"y"};
  const TensorView& found = session.run_tensors(given, wanted).front();
  const auto* first = reinterpret_cast<const std::uint8_t*>(found.bytes.data());
  return {found.shape, {first, first + found.bytes.size()}};
}

std::string refusal(const std::string& model, const std::vector<Bytes>& inputs) {
  try {
    (void)run(model, inputs);
    return "";
  } catch (const base::Error& error) {
    return error.message();
  }
}

std::string backwards() {
  std::string table(256, '\0');
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<char>(255 - i);
  return table;
}
std::string unchanged() {
  std::string table(256, '\0');
  std::iota(table.begin(), table.end(), '\0');
  return table;
}

TEST(Operators, LutU8LooksEachByteUp) {
  const std::string model = graph_of("LutU8", 1, 2, text_attribute("table", backwards()));
  const Bytes found = run(model, {{{2, 3}, {0, 1, 2, 253, 254, 255}}});
  EXPECT_THAT(found.shape, ElementsAre(2, 3));
  EXPECT_THAT(found.values, ElementsAre(255, 254, 253, 2, 1, 0));
}

std::string cut(std::uint64_t first, std::uint64_t size) {
  return graph_of("CutU8", 1, 3, text_attribute("table", backwards()),
                  {integer_attribute("first", first), integer_attribute("size", size)});
}

TEST(Operators, CutU8LooksUpSomeChannels) {
  const Bytes pixels{{1, 2, 3}, {0, 1, 2, 3, 4, 5}};
  const Bytes found = run(cut(1, 2), {pixels});
  EXPECT_THAT(found.shape, ElementsAre(1, 2, 2));
  EXPECT_THAT(found.values, ElementsAre(254, 253, 251, 250));
  EXPECT_EQ(run(cut(0, 3), {pixels}).values.size(), 6U);
  EXPECT_THAT(refusal(cut(2, 2), {pixels}), HasSubstr("channels that are not there"));
  EXPECT_THAT(refusal(cut(std::uint64_t{1} << 62U, 1), {pixels}), HasSubstr("are not there"));
  EXPECT_THAT(refusal(cut(0, std::uint64_t{1} << 62U), {pixels}), HasSubstr("are not there"));
  EXPECT_THAT(refusal(cut(0, 0), {pixels}), HasSubstr("one channel at least"));
  EXPECT_THAT(refusal(cut(~std::uint64_t{0}, 1), {pixels}), HasSubstr("one channel at least"));
}

TEST(Operators, ConcatU8JoinsChannelsEachThroughItsTable) {
  const std::string model =
      graph_of("ConcatU8", 2, 3, text_attribute("tables", unchanged() + backwards()));
  const Bytes found = run(model, {{{1, 2, 1}, {7, 8}}, {{1, 2, 3}, {0, 1, 2, 3, 4, 5}}});
  EXPECT_THAT(found.shape, ElementsAre(1, 2, 4));
  EXPECT_THAT(found.values, ElementsAre(7, 255, 254, 253, 8, 252, 251, 250));
}

TEST(Operators, RepeatU8RepeatsPixelsInBothDirections) {
  const std::string model = graph_of("RepeatU8", 1, 4, integer_attribute("times", 2));
  const Bytes found = run(model, {{{1, 1, 2, 2}, {1, 2, 3, 4}}});
  EXPECT_THAT(found.shape, ElementsAre(1, 2, 4, 2));
  EXPECT_THAT(found.values, ElementsAre(1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4));
}

// Large enough to be shared out, and no whole number of parts.
TEST(Operators, GiveTheSameOnAnyNumberOfThreads) {
  const Bytes narrow{{1, 401, 301, 3}, std::vector<std::uint8_t>(401 * 301 * 3)};
  Bytes wide{{1, 401, 301, 5}, std::vector<std::uint8_t>(401 * 301 * 5)};
  for (std::size_t i = 0; i < wide.values.size(); ++i) {
    wide.values[i] = static_cast<std::uint8_t>(i * 7 / 3);
  }
  const std::string lut = graph_of("LutU8", 1, 4, text_attribute("table", backwards()));
  const std::string concat =
      graph_of("ConcatU8", 2, 4, text_attribute("tables", backwards() + unchanged()));
  for (const int threads : {1, 2, 3}) {
    const Bytes looked_up = run(lut, {wide}, threads);
    for (std::size_t i = 0; i < wide.values.size(); ++i) {
      ASSERT_EQ(looked_up.values[i], 255 - wide.values[i]) << i;
    }
    const Bytes joined = run(concat, {narrow, wide}, threads);
    for (std::size_t i = 0; i < joined.values.size(); ++i) {
      ASSERT_EQ(joined.values[i], i % 8 < 3 ? 255 : wide.values[i / 8 * 5 + i % 8 - 3]) << i;
    }
  }
}

TEST(Operators, TakeTensorsWithoutElements) {
  EXPECT_TRUE(run(graph_of("LutU8", 1, 2, text_attribute("table", backwards())), {{{0, 3}, {}}})
                  .values.empty());
  EXPECT_TRUE(run(graph_of("RepeatU8", 1, 4, integer_attribute("times", 3)), {{{1, 0, 2, 2}, {}}})
                  .values.empty());
  EXPECT_THAT(run(graph_of("ConcatU8", 2, 2, text_attribute("tables", unchanged() + unchanged())),
                  {{{1, 0}, {}}, {{1, 2}, {5, 6}}})
                  .values,
              ElementsAre(5, 6));
}

TEST(Operators, RefuseWhatIsWrittenWrongly) {
  const std::vector<Bytes> one{{{1, 2}, {1, 2}}};
  const auto lut = [](const std::string& table) {
    return graph_of("LutU8", 1, 2, text_attribute("table", table));
  };
  EXPECT_THAT(refusal(lut("short"), one), HasSubstr("has 5 bytes, not 256 a table"));
  EXPECT_THAT(refusal(lut(""), one), HasSubstr("not 256 a table"));
  EXPECT_THAT(refusal(lut(backwards() + backwards()), one), HasSubstr("LutU8 has one table"));
  EXPECT_THAT(refusal(lut(std::string(256 * 65, 'x')), one), HasSubstr("more than 64 tables"));
  EXPECT_THAT(refusal(graph_of("LutU8", 1, 2, text_attribute("other", backwards())), one),
              HasSubstr("table is missing"));
  EXPECT_THAT(refusal(graph_of("RepeatU8", 1, 2, integer_attribute("times", 17)), one),
              HasSubstr("repeats 1 to 16 times"));
  EXPECT_THAT(refusal(graph_of("RepeatU8", 1, 2, integer_attribute("times", 2)), one),
              HasSubstr("has not four dimensions"));
  const std::string concat = graph_of("ConcatU8", 2, 2, text_attribute("tables", backwards()));
  EXPECT_THAT(refusal(concat, {one[0], one[0]}), HasSubstr("a table for each input"));
  const std::string uneven =
      graph_of("ConcatU8", 2, 2, text_attribute("tables", backwards() + backwards()));
  EXPECT_THAT(refusal(uneven, {one[0], {{2, 1}, {1, 2}}}), HasSubstr("differ in more than"));
}

TEST(Session, TakesBytes) {
  Session session(test_runtime(), graph_of("RepeatU8", 1, 4, integer_attribute("times", 2)),
                  "tiny.onnx");
  EXPECT_EQ(session.inputs().front().type, ElementType::uint8);
  const std::span<std::uint8_t> input = session.bind_bytes({1, 1, 1, 2});
  EXPECT_THAT(input, ElementsAre(0, 0));
}

}  // namespace
}  // namespace andon::vision
