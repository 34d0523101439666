// SPDX-License-Identifier: Apache-2.0
// andon::ConvU8 and andon::ConvF32 (operators.hpp). Internal to vision/operators.
#pragma once

#include <array>

#include "vision/operators/byte_convolution.hpp"
#include "vision/operators/operator_call.hpp"
#include "vision/operators/pixel_convolution.hpp"

namespace andon::vision::operators {

// Its inputs are those of com.microsoft's QLinearConv.
struct ConvU8 {
  static constexpr const char* kName = "ConvU8";
  static constexpr bool kManyInputs = false;
  static constexpr abi::ElementType kOutput = abi::ElementType::uint8;
  static constexpr std::size_t kBias = 8;
  static constexpr std::array<abi::ElementType, kBias + 1> kTypes{
      abi::ElementType::uint8,   abi::ElementType::float32, abi::ElementType::uint8,
      abi::ElementType::int8,    abi::ElementType::float32, abi::ElementType::int8,
      abi::ElementType::float32, abi::ElementType::uint8,   abi::ElementType::int32};
  ByteConvolution convolution;

  ConvU8(const abi::Api& api, const abi::KernelInfo* info);
  // Called by several threads at once.
  void run(const Call& call) const;
};

// Its inputs are those of DequantizeLinear, and the other ones of Conv.
struct ConvF32 {
  static constexpr const char* kName = "ConvF32";
  static constexpr bool kManyInputs = false;
  static constexpr abi::ElementType kOutput = abi::ElementType::float32;
  static constexpr std::size_t kBias = 4;
  static constexpr std::array<abi::ElementType, kBias + 1> kTypes{
      abi::ElementType::uint8, abi::ElementType::float32, abi::ElementType::uint8,
      abi::ElementType::float32, abi::ElementType::float32};
  PackedPixelConvolution packed;

  ConvF32(const abi::Api& api, const abi::KernelInfo* info);
  // Called by several threads at once.
  void run(const Call& call) const;
};

}  // namespace andon::vision::operators
