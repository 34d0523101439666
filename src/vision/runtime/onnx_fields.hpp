// SPDX-License-Identifier: Apache-2.0
// Members of ONNX's messages by their numbers (onnx.proto), for base/text/protobuf_reader.hpp: what
// devices read of a model without ONNX's own library.
#pragma once

#include <cstdint>

namespace andon::vision::onnx_field {

using Number = std::uint64_t;

namespace model {
inline constexpr Number kGraph = 7;
inline constexpr Number kMetadata = 14;
inline constexpr Number kFunctions = 25;
}  // namespace model
// Of a model's metadata and of a tensor's external data.
namespace entry {
inline constexpr Number kKey = 1;
inline constexpr Number kValue = 2;
}  // namespace entry
namespace function {
inline constexpr Number kNode = 7;
}
namespace graph {
inline constexpr Number kNode = 1;
inline constexpr Number kInitializer = 5;
inline constexpr Number kOutput = 12;
inline constexpr Number kSparseInitializer = 15;
}  // namespace graph
namespace value_info {
inline constexpr Number kName = 1;
}
namespace node {
inline constexpr Number kInput = 1;
inline constexpr Number kOutput = 2;
inline constexpr Number kType = 4;
inline constexpr Number kAttribute = 5;
inline constexpr Number kDomain = 7;
}  // namespace node
namespace attribute {
inline constexpr Number kName = 1;
inline constexpr Number kInteger = 3;
inline constexpr Number kTensor = 5;
inline constexpr Number kGraph = 6;
inline constexpr Number kIntegers = 8;
inline constexpr Number kTensors = 10;
inline constexpr Number kGraphs = 11;
inline constexpr Number kSparseTensor = 22;
inline constexpr Number kSparseTensors = 23;
}  // namespace attribute
namespace sparse {
inline constexpr Number kValues = 1;
inline constexpr Number kIndices = 2;
}  // namespace sparse
namespace tensor {
inline constexpr Number kDimensions = 1;
inline constexpr Number kType = 2;
inline constexpr Number kName = 8;
inline constexpr Number kExternalData = 13;
inline constexpr Number kLocation = 14;
inline constexpr std::uint64_t kIsExternal = 1;  // a location
inline constexpr std::uint64_t kFloat32 = 1;     // types
inline constexpr std::uint64_t kInt8 = 3;
}  // namespace tensor

}  // namespace andon::vision::onnx_field
