// SPDX-License-Identifier: Apache-2.0
#include "model/quantise/device_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <span>
#include <vector>

#include "model/graph/execution.hpp"
#include "model/graph/graph.hpp"
#include "model/graph/onnx.hpp"
#include "model/quantise/byte_functions.hpp"
#include "model/quantise/pixel_squares.hpp"

namespace andon::model {
namespace {

constexpr std::string_view kRuntimes = "com.microsoft";
constexpr std::string_view kOwn = "andon";
const Shape kToChannelsLast{0, 2, 3, 1};
const Shape kToChannelsFirst{0, 3, 1, 2};

using Table = std::array<std::uint8_t, 256>;

onnx::NodeProto node_of(std::string_view domain, std::string_view type,
                        std::vector<std::string> inputs, std::vector<std::string> outputs) {
  onnx::NodeProto node = make_node(type, "", std::move(inputs), std::move(outputs));
  node.set_domain(std::string(domain));
  return node;
}

void set_tables(onnx::NodeProto& node, const std::string& name, const std::vector<Table>& tables) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::STRING);
  for (const Table& table : tables) attribute.mutable_s()->append(table.begin(), table.end());
}

std::int64_t channels_last(std::int64_t axis) {
  constexpr std::array<std::int64_t, 4> kPlaces{0, 3, 1, 2};
  const std::int64_t place = axis < 0 ? axis + 4 : axis;
  return place < 0 || place > 3 ? -1 : kPlaces.at(static_cast<std::size_t>(place));
}

class Writer {
 public:
  Writer(const Model& plain, const std::map<std::string, TensorFacts>& facts,
         const std::map<std::string, ByteFunction>& functions, std::optional<float> divisor)
      : result_(plain),
        from_(plain.graph()),
        index_(from_),
        names_(from_),
        facts_(facts),
        functions_(functions) {
    if (divisor) squares_ = find_pixel_squares(plain, *divisor);
    for (const auto& input : from_.input()) floats_.insert(input.name());
  }

  Model run() {
    to().clear_node();
    to().clear_value_info();
    to().clear_quantization_annotation();
    if (squares_) {
      declare_squares(to(), *squares_);
      stored_.insert(squares_->bytes);
    }
    for (int place = 0; place < from_.node_size(); ++place) {
      if (!done_.contains(place)) write(from_.node(place));
    }
    for (onnx::TensorProto& tensor : constants_) *to().add_initializer() = std::move(tensor);
    static_cast<void>(remove_dead_nodes(to()));
    for (const std::string_view domain : {kRuntimes, kOwn}) {
      const auto& known = result_.proto().opset_import();
      if (std::ranges::any_of(known, [&](const auto& it) { return it.domain() == domain; }))
        continue;
      auto& import = *result_.proto().add_opset_import();
      import.set_domain(std::string(domain));
      import.set_version(1);
    }
    return std::move(result_);
  }

 private:
  struct Step {
    float scale = 1;
    int zero = 0;
    bool operator==(const Step&) const = default;
  };

  onnx::GraphProto& to() { return result_.graph(); }
  void add(onnx::NodeProto node) { *to().add_node() = std::move(node); }

  [[nodiscard]] bool is_picture(const std::string& tensor) const {
    const auto found = facts_.find(tensor);
    return found != facts_.end() && found->second.shape.size() == 4;
  }

  // Of QuantizeLinear and DequantizeLinear with one scale and one zero point of UINT8.
  [[nodiscard]] std::optional<Step> step_of(const onnx::NodeProto& node) const {
    if (node.input_size() != 3) return std::nullopt;
    const auto* scale = index_.initialiser(node.input(1));
    const auto* zero = index_.initialiser(node.input(2));
    if (scale == nullptr || zero == nullptr || scale->data_type() != onnx::TensorProto::FLOAT ||
        zero->data_type() != onnx::TensorProto::UINT8 || element_count(*scale) != 1 ||
        element_count(*zero) != 1 || zero->raw_data().size() != 1) {
      return std::nullopt;
    }
    return Step{floats_of(*scale).front(), static_cast<unsigned char>(zero->raw_data().front())};
  }

  // Some channels of another tensor, from `first` on.
  struct Part {
    std::string of;
    std::string bytes;
    std::int64_t first = 0;
    std::int64_t size = 0;
  };
  struct PartOfAll {
    Part part;
    std::int64_t all = 0;  // channels
  };

  struct Stored {
    std::string bytes;
    std::string scale;
    std::string zero;
    Step step;
  };
  // What a float tensor is read from, where that is there channels last.
  [[nodiscard]] std::optional<Stored> stored(const std::string& tensor) const {
    const auto* reader = index_.producer(tensor);
    if (reader == nullptr || !is_onnx_operator(*reader, "DequantizeLinear")) return std::nullopt;
    const auto step = step_of(*reader);
    if (!step || !stored_.contains(reader->input(0))) return std::nullopt;
    return Stored{reader->input(0), reader->input(1), reader->input(2), *step};
  }
  // What a float tensor becomes, where nobody else reads it.
  [[nodiscard]] std::optional<Stored> becomes(const std::string& tensor) const {
    if (!index_.has_one_reader(tensor)) return std::nullopt;
    const auto& writer = from_.node(index_.consumers(tensor).front());
    if (!is_onnx_operator(writer, "QuantizeLinear")) return std::nullopt;
    const auto step = step_of(writer);
    if (!step) return std::nullopt;
    return Stored{writer.output(0), writer.input(1), writer.input(2), *step};
  }

  void write(const onnx::NodeProto& node) {
    if (is_onnx_operator(node, "QuantizeLinear")) {
      write_bytes(node);
      return;
    }
    const bool is_written = !has_subgraphs(node) && (write_table(node) || write_in_bytes(node));
    if (!is_written) write_in_float(node);
  }

  // Bytes that nobody has made yet.
  void write_bytes(const onnx::NodeProto& node) {
    const std::string& bytes = node.output(0);
    if (stored_.contains(bytes) || add_table(bytes)) return;
    need_float(node.input(0));
    const bool is_channels_first = step_of(node).has_value() && is_picture(bytes);
    if (!is_channels_first) {
      add(node);
      floats_.insert(bytes);
      return;
    }
    onnx::NodeProto quantised = node;
    quantised.set_output(0, channels_first(bytes));
    add(std::move(quantised));
    planar_.insert(bytes);
    onnx::NodeProto moved = node_of("", "Transpose", {channels_first(bytes)}, {bytes});
    set_integers_attribute(moved, "perm", kToChannelsLast);
    add(std::move(moved));
    stored_.insert(bytes);
  }

  bool add_table(const std::string& bytes) {
    const auto function = functions_.find(bytes);
    if (function == functions_.end() || !stored_.contains(function->second.of)) return false;
    onnx::NodeProto node = node_of(kOwn, "LutU8", {function->second.of}, {bytes});
    set_tables(node, "table", {function->second.table});
    add(std::move(node));
    stored_.insert(bytes);
    return true;
  }

  bool write_table(const onnx::NodeProto& node) {
    if (node.output_size() != 1) return false;
    const auto result = becomes(node.output(0));
    return result && add_table(result->bytes);
  }

  // True where the node was written with bytes for its values.
  bool write_in_bytes(const onnx::NodeProto& node) {
    if (node.output_size() == 0 || node.input_size() == 0 ||
        !is_onnx_operator(node, node.op_type())) {
      return false;
    }
    const std::string& type = node.op_type();
    if (type == "Conv") return write_convolution(node);
    if (type == "Concat") return write_concat(node);
    if (type == "Add" || type == "Mul") return write_sum_or_product(node);
    if (type == "MaxPool" || type == "AveragePool" || type == "GlobalAveragePool") {
      return write_pool(node);
    }
    if (type == "Split" || type == "Slice") return write_part(node);
    if (type == "Resize") return write_resize(node);
    return false;
  }

  bool write_convolution(const onnx::NodeProto& node) {
    const auto input = stored(node.input(0));
    const auto* weights = node.input_size() > 1 ? index_.producer(node.input(1)) : nullptr;
    if (!input || weights == nullptr || !is_constant_reader(*weights, onnx::TensorProto::INT8) ||
        weights->input_size() != 3 || text_attribute(node, "auto_pad", "NOTSET") != "NOTSET") {
      return false;
    }
    std::string bias;
    if (node.input_size() > 2 && !node.input(2).empty()) {
      const auto* reader = index_.producer(node.input(2));
      if (reader == nullptr || !is_constant_reader(*reader, onnx::TensorProto::INT32)) return false;
      bias = reader->input(0);
    }
    std::string end = node.output(0);
    int clipping = -1;
    if (index_.has_one_reader(end)) {
      const int place = index_.consumers(end).front();
      const auto& reader = from_.node(place);
      if (is_onnx_operator(reader, "Relu") || is_onnx_operator(reader, "Clip")) {
        clipping = place;
        end = reader.output(0);
      }
    }
    const auto output = becomes(end);
    if (!output || (clipping >= 0 && !is_clipped_by(output->step, from_.node(clipping)))) {
      return false;
    }
    onnx::NodeProto made =
        node_of(kRuntimes, "QLinearConv",
                {input->bytes, input->scale, input->zero, weights->input(0), weights->input(1),
                 weights->input(2), output->scale, output->zero},
                {output->bytes});
    if (!bias.empty()) made.add_input(bias);
    *made.mutable_attribute() = node.attribute();
    set_integer_attribute(made, "channels_last", 1);
    if (squares_ && input->bytes == squares_->bytes) {
      onnx::TensorProto over_squares = convolve_squares(made, *index_.initialiser(made.input(3)));
      over_squares.set_name(names_.make("squares_w"));
      made.set_input(3, over_squares.name());
      constants_.push_back(std::move(over_squares));
    }
    add(std::move(made));
    if (clipping >= 0) done_.insert(clipping);
    stored_.insert(output->bytes);
    return true;
  }

  [[nodiscard]] bool is_constant_reader(const onnx::NodeProto& reader, int type) const {
    if (!is_onnx_operator(reader, "DequantizeLinear") || reader.input_size() < 2) return false;
    const auto* constant = index_.initialiser(reader.input(0));
    return constant != nullptr && constant->data_type() == type;
  }

  // Do the bytes of that step hold no value that the node would clip?
  [[nodiscard]] bool is_clipped_by(const Step& step, const onnx::NodeProto& node) const {
    const auto bound = [&](int place, float otherwise) -> std::optional<float> {
      if (node.op_type() == "Relu" || node.input_size() <= place || node.input(place).empty()) {
        return otherwise;
      }
      const auto* constant = index_.initialiser(node.input(place));
      if (constant == nullptr || constant->data_type() != onnx::TensorProto::FLOAT ||
          element_count(*constant) != 1) {
        return std::nullopt;
      }
      return floats_of(*constant).front();
    };
    const auto low = bound(1, node.op_type() == "Relu" ? 0.0F : -INFINITY);
    const auto high = bound(2, INFINITY);
    const float tolerance = step.scale / 1000;
    return low && high && step.scale * static_cast<float>(-step.zero) >= *low - tolerance &&
           step.scale * static_cast<float>(255 - step.zero) <= *high + tolerance;
  }

  // How many of a Concat's inputs from `first` on are the parts of one tensor, all of them; then
  // it, else 1 and the input.
  struct Whole {
    int inputs = 1;
    std::string bytes;
  };
  [[nodiscard]] Whole whole_at(const onnx::NodeProto& node, int first) const {
    const std::string own = stored(node.input(first))->bytes;
    std::int64_t reached = 0;
    for (int i = first; i < node.input_size(); ++i) {
      const auto input = stored(node.input(i));
      const auto part = input ? parts_.find(input->bytes) : parts_.end();
      if (part == parts_.end() || part->second.part.first != reached) break;
      const auto& [it, size] = part->second;
      if (it.of != parts_.at(own).part.of) break;
      reached += it.size;
      if (reached == size) return {i - first + 1, it.of};
    }
    return {1, own};
  }

  bool write_concat(const onnx::NodeProto& node) {
    const auto output = becomes(node.output(0));
    if (!output || channels_last(integer_attribute(node, "axis", 0)) != 3 ||
        !is_picture(node.output(0))) {
      return false;
    }
    std::vector<std::string> inputs;
    std::vector<Table> tables;
    for (int i = 0; i < node.input_size();) {
      const auto input = stored(node.input(i));
      if (!input) return false;
      const Whole whole = whole_at(node, i);
      i += whole.inputs;
      inputs.push_back(whole.bytes);
      tables.push_back(change_of_step(input->step, output->step));
      // A table behind a table is one table.
      const auto function = functions_.find(whole.bytes);
      if (function == functions_.end() || !stored_.contains(function->second.of)) continue;
      inputs.back() = function->second.of;
      Table both{};
      for (std::size_t value = 0; value < both.size(); ++value) {
        both[value] = tables.back()[function->second.table[value]];
      }
      tables.back() = both;
    }
    constexpr std::size_t kMostInputs = 64;  // of ConcatU8
    if (inputs.size() > kMostInputs) return false;
    onnx::NodeProto made = node_of(kOwn, "ConcatU8", std::move(inputs), {output->bytes});
    set_tables(made, "tables", tables);
    add(std::move(made));
    stored_.insert(output->bytes);
    return true;
  }

  // As ONNX Runtime's QLinearConcat rounds.
  static Table change_of_step(const Step& from, const Step& to) {
    Table table{};
    for (int i = 0; i < 256; ++i) {
      const float value = from.scale * static_cast<float>(i - from.zero);
      const float place = std::nearbyintf(value / to.scale) + static_cast<float>(to.zero);
      table[static_cast<std::size_t>(i)] =
          from == to ? static_cast<std::uint8_t>(i)
                     : static_cast<std::uint8_t>(std::clamp(place, 0.0F, 255.0F));
    }
    return table;
  }

  bool write_sum_or_product(const onnx::NodeProto& node) {
    const auto output = becomes(node.output(0));
    const auto left = stored(node.input(0));
    const auto right = node.input_size() > 1 ? stored(node.input(1)) : std::nullopt;
    if (!output || !left || !right) return false;
    add(node_of(kRuntimes, "QLinear" + node.op_type(),
                {left->bytes, left->scale, left->zero, right->bytes, right->scale, right->zero,
                 output->scale, output->zero},
                {output->bytes}));
    stored_.insert(output->bytes);
    return true;
  }

  bool write_pool(const onnx::NodeProto& node) {
    const auto input = stored(node.input(0));
    const auto output = becomes(node.output(0));
    if (!input || !output || node.output_size() != 1 ||
        text_attribute(node, "auto_pad", "NOTSET") != "NOTSET") {
      return false;
    }
    onnx::NodeProto made;
    if (node.op_type() == "MaxPool") {
      if (input->step != output->step) return false;
      made = node_of(kRuntimes, "NhwcMaxPool", {input->bytes}, {output->bytes});
      *made.mutable_attribute() = node.attribute();
      remove_attribute(made, "storage_order");
    } else {
      made = node_of(kRuntimes, "QLinear" + node.op_type(),
                     {input->bytes, input->scale, input->zero, output->scale, output->zero},
                     {output->bytes});
      *made.mutable_attribute() = node.attribute();
      set_integer_attribute(made, "channels_last", 1);
    }
    add(std::move(made));
    stored_.insert(output->bytes);
    return true;
  }

  bool write_part(const onnx::NodeProto& node) {
    const auto input = stored(node.input(0));
    if (!input) return false;
    if (node.op_type() == "Split") return write_split(node, *input);
    const auto output = becomes(node.output(0));
    onnx::NodeProto made = node;
    if (!output || output->step != input->step || !move_axes(made)) return false;
    made.set_input(0, input->bytes);
    made.set_output(0, output->bytes);
    add(std::move(made));
    stored_.insert(output->bytes);
    return true;
  }

  // Each part by itself, so that what nobody reads but a Concat of all of them is not copied.
  bool write_split(const onnx::NodeProto& node, const Stored& input) {
    const std::int64_t place = integer_attribute(node, "axis", 0);
    const std::int64_t axis = channels_last(place);
    if (axis != 3) return false;
    std::vector<Part> parts;
    std::int64_t first = 0;
    for (const std::string& tensor : node.output()) {
      const auto facts = facts_.find(tensor);
      if (facts == facts_.end() || facts->second.shape.size() != 4) return false;
      const std::int64_t size =
          facts->second.shape[static_cast<std::size_t>(place < 0 ? place + 4 : place)];
      const auto output = becomes(tensor);
      const bool is_unread = index_.consumers(tensor).empty() && !index_.is_output(tensor);
      if (!is_unread && (!output || output->step != input.step)) return false;
      parts.push_back({input.bytes, output ? output->bytes : "", first, size});
      first += size;
    }
    for (const Part& part : parts) {
      if (part.bytes.empty()) continue;
      stored_.insert(part.bytes);
      parts_[part.bytes] = {part, first};
      // Behind a table it is that table over some channels.
      const auto function = functions_.find(part.of);
      if (function != functions_.end() && stored_.contains(function->second.of)) {
        onnx::NodeProto made = node_of(kOwn, "CutU8", {function->second.of}, {part.bytes});
        set_tables(made, "table", {function->second.table});
        set_integer_attribute(made, "first", part.first);
        set_integer_attribute(made, "size", part.size);
        add(std::move(made));
        continue;
      }
      add(make_node("Slice", "",
                    {part.of, integer(part.first), integer(part.first + part.size), integer(axis)},
                    {part.bytes}));
    }
    return true;
  }

  std::string integer(std::int64_t value) {
    std::string& name = integers_[value];
    if (name.empty()) {
      name = names_.make(fmt::format("i{}", value));
      constants_.push_back(make_integers(name, std::span(&value, 1)));
    }
    return name;
  }

  // Of a Slice.
  bool move_axes(onnx::NodeProto& node) {
    if (node.input_size() < 4) return false;
    const auto* axes = index_.initialiser(node.input(3));
    if (axes == nullptr || axes->data_type() != onnx::TensorProto::INT64) return false;
    std::vector<std::int64_t> moved;
    for (const std::int64_t axis : integers_of(*axes)) {
      moved.push_back(channels_last(axis));
      if (moved.back() < 0) return false;
    }
    const std::string name = names_.make("axes");
    constants_.push_back(make_integers(name, moved));
    node.set_input(3, name);
    return true;
  }

  bool write_resize(const onnx::NodeProto& node) {
    const auto input = stored(node.input(0));
    const auto output = becomes(node.output(0));
    if (!input || !output || input->step != output->step) return false;
    const auto times = times_of(node, input->bytes);
    if (!times) return false;
    onnx::NodeProto made = node_of(kOwn, "RepeatU8", {input->bytes}, {output->bytes});
    set_integer_attribute(made, "times", *times);
    add(std::move(made));
    stored_.insert(output->bytes);
    return true;
  }

  // How often a Resize repeats each pixel in both directions, where it does nothing else.
  [[nodiscard]] std::optional<std::int64_t> times_of(const onnx::NodeProto& node,
                                                     const std::string& bytes) const {
    const auto before = facts_.find(bytes);
    const auto after = facts_.find(node.output(0));
    if (before == facts_.end() || after == facts_.end()) return std::nullopt;
    const Shape& small = before->second.shape;
    const Shape& large = after->second.shape;
    if (small.size() != 4 || large.size() != 4 || small[0] != large[0] || small[1] != large[1] ||
        small[2] < 1 || small[3] < 1) {
      return std::nullopt;
    }
    const std::int64_t times = large[2] / small[2];
    constexpr std::int64_t kMostTimes = 16;  // of RepeatU8
    if (times < 2 || times > kMostTimes || large[2] != times * small[2] ||
        large[3] != times * small[3]) {
      return std::nullopt;
    }
    if (text_attribute(node, "mode", "nearest") != "nearest") return std::nullopt;
    const std::string centres =
        text_attribute(node, "coordinate_transformation_mode", "half_pixel");
    const std::string rounding = text_attribute(node, "nearest_mode", "round_prefer_floor");
    const bool is_floor = centres == "asymmetric" && rounding == "floor";
    const bool is_nearest = rounding == "round_prefer_floor" &&
                            (centres == "half_pixel" || centres == "pytorch_half_pixel" ||
                             (centres == "asymmetric" && times == 2));
    if (!is_floor && !is_nearest) return std::nullopt;
    return times;
  }

  void write_in_float(const onnx::NodeProto& node) {
    // Readers of bytes are written where somebody needs their floats.
    if (is_onnx_operator(node, "DequantizeLinear") && stored(node.output(0))) return;
    for (const std::string& input : node.input()) need_float(input);
    add(node);
    for (const std::string& output : node.output()) floats_.insert(output);
  }

  void need_float(const std::string& tensor) {
    if (tensor.empty() || floats_.contains(tensor)) return;
    const auto input = stored(tensor);
    if (!input) return;  // an initialiser, or what a subgraph's own node makes
    if (planar_.insert(input->bytes).second) {
      onnx::NodeProto moved =
          node_of("", "Transpose", {input->bytes}, {channels_first(input->bytes)});
      set_integers_attribute(moved, "perm", kToChannelsFirst);
      add(std::move(moved));
    }
    add(node_of("", "DequantizeLinear", {channels_first(input->bytes), input->scale, input->zero},
                {tensor}));
    floats_.insert(tensor);
  }

  const std::string& channels_first(const std::string& bytes) {
    std::string& name = channels_first_[bytes];
    if (name.empty()) name = names_.make(bytes + "_nchw");
    return name;
  }

  Model result_;
  const onnx::GraphProto& from_;
  const GraphIndex index_;
  NameSource names_;
  const std::map<std::string, TensorFacts>& facts_;
  const std::map<std::string, ByteFunction>& functions_;
  std::optional<PixelSquares> squares_;
  std::set<std::string> stored_;  // bytes that are there channels last
  std::set<std::string> planar_;  // bytes that are there channels first, too
  std::set<std::string> floats_;  // everything else that is there
  std::map<std::string, std::string> channels_first_;
  std::map<std::string, PartOfAll> parts_;  // by their bytes
  std::map<std::int64_t, std::string> integers_;
  std::set<int> done_;
  std::vector<onnx::TensorProto> constants_;
};

std::size_t count(const Model& model, std::string_view type) {
  return static_cast<std::size_t>(std::ranges::count_if(
      model.graph().node(), [&](const onnx::NodeProto& node) { return node.op_type() == type; }));
}

double difference(const vision::OnnxRuntime& runtime, const Model& left, const Model& right,
                  std::optional<vision::Size> input_size) {
  Execution first(runtime, left, output_names(left), inputs_of(left, input_size));
  Execution second(runtime, right, output_names(right), inputs_of(right, input_size));
  return largest_difference(first.run_random(1), second.run_random(1));
}

// The same noise as planes of floats and as squares of bytes.
double difference_over_squares(const vision::OnnxRuntime& runtime, const Model& planes,
                               const Model& squares, const DeviceGraphOptions& options) {
  Execution first(runtime, planes, output_names(planes), inputs_of(planes, options.input_size));
  const Shape shape = first.inputs().front().shape;
  ModelInput input = inputs_of(squares, options.input_size).front();
  input.shape = {shape[0], shape[2] / 2, shape[3] / 2, 4 * shape[1]};
  Execution second(runtime, squares, output_names(squares), {input});
  const auto width = static_cast<std::size_t>(shape[3]);
  const std::size_t plane = static_cast<std::size_t>(shape[2]) * width;
  const std::size_t colours = static_cast<std::size_t>(shape[1]);
  std::vector<float> floats(element_count(shape));
  std::vector<std::byte> bytes(floats.size());
  std::minstd_rand generator(1);
  for (std::size_t i = 0; i < floats.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(generator() >> 8U);
    floats[i] = static_cast<float>(byte) / *options.divisor;
    const std::size_t picture = i / (colours * plane);
    const std::size_t colour = i / plane % colours;
    const std::size_t y = i % plane / width;
    const std::size_t x = i % width;
    const std::size_t square = picture * plane / 4 + y / 2 * (width / 2) + x / 2;
    bytes[(square * 4 + y % 2 * 2 + x % 2) * colours + colour] = static_cast<std::byte>(byte);
  }
  const std::span<const std::byte> given(bytes);
  return largest_difference(first.run(floats), second.run({&given, 1}));
}

}  // namespace

DeviceGraph make_device_graph(const vision::OnnxRuntime& runtime, const Model& quantised,
                              const DeviceGraphOptions& options) {
  const auto functions = find_byte_functions(runtime, quantised);
  const auto facts = observe(runtime, quantised, options.input_size);
  Model same = Writer(quantised, facts, functions, std::nullopt).run();
  const std::size_t convolutions = count(same, "QLinearConv");
  const std::size_t tables = count(same, "LutU8") + count(same, "CutU8") + count(same, "ConcatU8");
  if (convolutions == 0 || tables == 0) return {{}, "none: no table would save anything"};
  // Each is a pass over memory, of which a table saves one and a convolution is worth some.
  const std::size_t changes = count(same, "Transpose");
  if (changes > convolutions + tables) {
    return {{},
            fmt::format("none: {} changes of layout for {} convolutions and {} tables", changes,
                        convolutions, tables)};
  }
  // Float operators may take sums in another order, no more.
  constexpr double kRounding = 1e-5;
  if (const double found = difference(runtime, quantised, same, options.input_size);
      !(found <= kRounding)) {
    return {{}, fmt::format("none: its outputs would differ by {:.3g}", found)};
  }
  const std::string what = fmt::format("{} tables", tables);
  if (!options.divisor) return {std::move(same), what};
  Model with_squares = Writer(quantised, facts, functions, options.divisor).run();
  if (!takes_squares(with_squares)) return {std::move(same), what};
  if (const double found = difference_over_squares(runtime, quantised, with_squares, options);
      !(found <= kRounding)) {
    return {std::move(same),
            fmt::format("{}; pixels as floats: its outputs would differ by {:.3g}", what, found)};
  }
  return {std::move(with_squares), what + ", pixels as bytes"};
}

}  // namespace andon::model
