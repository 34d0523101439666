// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/convolution_operator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace andon::vision::operators {
namespace {

// The values of an initialiser, which ONNX Runtime holds as long as its session.
template <typename Value>
std::span<const Value> constant_of(const abi::Api& api, const abi::KernelInfo* info,
                                   std::size_t index, abi::ElementType type,
                                   std::vector<std::int64_t>& shape) {
  int is_constant = 0;
  const abi::Value* value = nullptr;
  check(api, api.constant_input(info, index, &is_constant, &value));
  if (is_constant == 0 || value == nullptr) {
    refuse(fmt::format("input {} is no constant", index));
  }
  abi::TensorInfo* raw = nullptr;
  check(api, api.value_tensor_info(value, &raw));
  const auto release = [&api](abi::TensorInfo* it) { api.release_tensor_info(it); };
  const std::unique_ptr<abi::TensorInfo, decltype(release)> tensor(raw, release);
  abi::ElementType found{};
  check(api, api.tensor_element_type(raw, &found));
  if (found != type) refuse(fmt::format("input {} has another type", index));
  std::size_t rank = 0;
  std::size_t count = 0;
  check(api, api.tensor_rank(raw, &rank));
  shape.resize(rank);
  check(api, api.tensor_shape(raw, shape.data(), rank));
  check(api, api.tensor_elements(raw, &count));
  void* data = nullptr;
  check(api, api.value_data(const_cast<abi::Value*>(value), &data));
  return {static_cast<const Value*>(data), count};
}

std::vector<std::int64_t> integers_of(const abi::Api& api, const abi::KernelInfo* info,
                                      const char* name, std::vector<std::int64_t> otherwise) {
  std::size_t count = otherwise.size();
  std::vector<std::int64_t> values(count);
  if (abi::Status* status = api.attribute_integers(info, name, nullptr, &count);
      status != nullptr) {
    api.release_status(status);  // it is not there
    return otherwise;
  }
  if (count != values.size()) refuse(fmt::format("the attribute {} of ConvU8 is wrong", name));
  check(api, api.attribute_integers(info, name, values.data(), &count));
  return values;
}
std::size_t inputs_of(const abi::Api& api, const abi::KernelInfo* info) {
  std::size_t inputs = 0;
  check(api, api.kernel_info_inputs(info, &inputs));
  return inputs;
}

ConvolutionShape shape_of(const abi::Api& api, const abi::KernelInfo* info,
                          const std::vector<std::int64_t>& weights) {
  const auto strides = integers_of(api, info, "strides", {1, 1});
  const auto pads = integers_of(api, info, "pads", {0, 0, 0, 0});
  const auto dilations = integers_of(api, info, "dilations", {1, 1});
  std::int64_t groups = 1;
  if (abi::Status* status = api.attribute_integer(info, "group", &groups); status != nullptr) {
    api.release_status(status);
    groups = 1;
  }
  if (weights.size() != 4 || groups != 1 || dilations != std::vector<std::int64_t>{1, 1}) {
    refuse("ConvU8 has two dimensions, one group and no dilation");
  }
  // What is negative is impossibly large then.
  const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  return {size(weights[1]), size(weights[0]), size(weights[2]), size(weights[3]), size(strides[0]),
          size(strides[1]), size(pads[0]),    size(pads[1]),    size(pads[2]),    size(pads[3])};
}

std::optional<ByteTable> table_of(const abi::Api& api, const abi::KernelInfo* info) {
  std::size_t size = 0;
  if (abi::Status* status = api.attribute_text(info, "table", nullptr, &size); status != nullptr) {
    api.release_status(status);
    return std::nullopt;
  }
  const std::vector<ByteTable> tables = tables_of(api, info, "table");
  if (tables.size() != 1) refuse("ConvU8 has one table");
  return tables.front();
}

ByteConvolution read(const abi::Api& api, const abi::KernelInfo* info) {
  std::vector<std::int64_t> shape;
  const auto floats = [&](std::size_t index) {
    return constant_of<float>(api, info, index, ConvU8::kTypes.at(index), shape);
  };
  const auto zero = [&](std::size_t index) {
    const auto values =
        constant_of<std::uint8_t>(api, info, index, ConvU8::kTypes.at(index), shape);
    if (values.size() != 1) refuse("ConvU8 has one zero point for its input and its output");
    return values.front();
  };
  if (floats(1).size() != 1 || floats(6).size() != 1) {
    refuse("ConvU8 has one scale for its input and its output");
  }
  const auto zeros = constant_of<std::int8_t>(api, info, 5, ConvU8::kTypes[5], shape);
  if (std::ranges::any_of(zeros, [](std::int8_t it) { return it != 0; })) {
    refuse("the weights of ConvU8 have no zero point");
  }
  ByteConvolution::Description it;
  it.weights = constant_of<std::int8_t>(api, info, 3, ConvU8::kTypes[3], shape);
  it.shape = shape_of(api, info, shape);
  const auto scales = floats(4);
  std::vector<float> factors(it.shape.outputs);
  if (scales.size() != 1 && scales.size() != factors.size()) {
    refuse("ConvU8 has a scale for each output channel");
  }
  for (std::size_t i = 0; i < factors.size(); ++i) {
    factors[i] = floats(1).front() * scales[scales.size() == 1 ? 0 : i] / floats(6).front();
  }
  it.factors = factors;
  it.input_zero = zero(2);
  it.output_zero = zero(7);
  if (inputs_of(api, info) > ConvU8::kBias)
    it.bias =
        constant_of<std::int32_t>(api, info, ConvU8::kBias, ConvU8::kTypes[ConvU8::kBias], shape);
  it.table = table_of(api, info);
  const ConvolutionKernel* fast = fast_convolution();
  return {it, fast == nullptr ? portable_convolution() : *fast};
}

}  // namespace

ConvU8::ConvU8(const abi::Api& api, const abi::KernelInfo* info) : convolution(read(api, info)) {}

void ConvU8::run(const Call& call) const {
  const Bytes from = call.input(0);
  const ConvolutionShape& shape = convolution.shape();
  if (from.rank != 4 || from.channels() != shape.channels) {
    refuse("the input of ConvU8 has other channels than its weights");
  }
  const ByteConvolution::Side side{static_cast<std::size_t>(from.shape[1]),
                                   static_cast<std::size_t>(from.shape[2])};
  const auto output = convolution.output_of(side);
  if (!output) refuse("the input of ConvU8 is smaller than its kernel");
  const std::array<std::int64_t, 4> sizes{from.shape[0], static_cast<std::int64_t>(output->height),
                                          static_cast<std::int64_t>(output->width),
                                          static_cast<std::int64_t>(shape.outputs)};
  std::uint8_t* to = call.output(sizes);
  const std::size_t input_bytes = side.height * side.width * shape.channels;
  const std::size_t output_bytes = output->height * output->width * shape.outputs;
  for (std::int64_t picture = 0; picture < from.shape[0]; ++picture) {
    const auto place = static_cast<std::size_t>(picture);
    call.share(output->height, convolution.lines_at_a_time(side),
               [&](std::size_t first, std::size_t last) {
                 convolution.run(from.data + place * input_bytes, side, to + place * output_bytes,
                                 first, last);
               });
  }
}
ConvF32::ConvF32(const abi::Api& api, const abi::KernelInfo* info) {
  constexpr std::size_t kWeights = 3;
  std::vector<std::int64_t> shape;
  const auto scale = constant_of<float>(api, info, 1, kTypes[1], shape);
  const auto zero = constant_of<std::uint8_t>(api, info, 2, kTypes[2], shape);
  if (scale.size() != 1 || zero.size() != 1) refuse("ConvF32 has one scale and one zero point");
  PixelConvolution it;
  it.scale = scale.front();
  it.zero = zero.front();
  if (inputs_of(api, info) > kBias) {
    it.bias = constant_of<float>(api, info, kBias, kTypes[kBias], shape);
  }
  it.weights = constant_of<float>(api, info, kWeights, kTypes[kWeights], shape);
  if (shape.size() != 4 || shape[2] != 1 || shape[3] != 1) {
    refuse("the weights of ConvF32 are not of one pixel");
  }
  it.outputs = static_cast<std::size_t>(shape[0]);
  it.channels = static_cast<std::size_t>(shape[1]);
  packed = pack(it);
}

void ConvF32::run(const Call& call) const {
  constexpr std::size_t kPixelsAtATime = 480;
  const Bytes from = call.input(0);
  if (from.rank != 4 || from.channels() != packed.channels) {
    refuse("the input of ConvF32 has other channels than its weights");
  }
  const std::array<std::int64_t, 4> sizes{from.shape[0], static_cast<std::int64_t>(packed.outputs),
                                          from.shape[1], from.shape[2]};
  auto* to = reinterpret_cast<float*>(call.output(sizes));
  const auto pixels = static_cast<std::size_t>(from.shape[1] * from.shape[2]);
  for (std::size_t picture = 0; picture < static_cast<std::size_t>(from.shape[0]); ++picture) {
    call.share(pixels, kPixelsAtATime, [&](std::size_t first, std::size_t last) {
      best_pixel_convolution().run(packed, from.data + picture * pixels * packed.channels, pixels,
                                   to + picture * pixels * packed.outputs, first, last);
    });
  }
}

}  // namespace andon::vision::operators
