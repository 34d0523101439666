// SPDX-License-Identifier: Apache-2.0
// What andon's operators for ONNX Runtime (operators.hpp) are written with: one run of a kernel,
// and what is read when it is made. Internal to vision/operators.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "vision/operators/byte_table.hpp"
#include "vision/operators/onnxruntime_abi.hpp"

namespace andon::vision::operators {

inline constexpr std::size_t kMostInputs = 64;
inline constexpr std::size_t kMostRank = 8;

// Throws internal with its reason where it is not success.
void check(const abi::Api& api, abi::Status* status);
[[noreturn]] void refuse(std::string_view what);

struct Bytes {
  std::array<std::int64_t, kMostRank> shape{};
  std::size_t rank = 0;
  std::size_t count = 0;
  std::uint8_t* data = nullptr;

  [[nodiscard]] std::size_t channels() const { return static_cast<std::size_t>(shape[rank - 1]); }
};

// One run of a kernel.
class Call {
 public:
  Call(const abi::Api& api, abi::KernelContext* context) : api_(api), context_(context) {}

  [[nodiscard]] std::size_t inputs() const {
    std::size_t count = 0;
    check(api_, api_.kernel_input_count(context_, &count));
    return count;
  }

  // Its data are only read.
  [[nodiscard]] Bytes input(std::size_t index) const {
    const abi::Value* value = nullptr;
    check(api_, api_.kernel_input(context_, index, &value));
    if (value == nullptr) refuse("an input is missing");
    abi::TensorInfo* raw = nullptr;
    check(api_, api_.value_tensor_info(value, &raw));
    const auto release = [this](abi::TensorInfo* it) { api_.release_tensor_info(it); };
    const std::unique_ptr<abi::TensorInfo, decltype(release)> info(raw, release);
    Bytes bytes;
    check(api_, api_.tensor_rank(raw, &bytes.rank));
    if (bytes.rank == 0 || bytes.rank > kMostRank) refuse("an input has no or too many dimensions");
    check(api_, api_.tensor_shape(raw, bytes.shape.data(), bytes.rank));
    check(api_, api_.tensor_elements(raw, &bytes.count));
    bytes.data = data_of(const_cast<abi::Value*>(value));
    return bytes;
  }

  [[nodiscard]] std::uint8_t* output(std::span<const std::int64_t> shape) const {
    abi::Value* value = nullptr;
    check(api_, api_.kernel_output(context_, 0, shape.data(), shape.size(), &value));
    return data_of(value);
  }

  // `work`, which does not throw, for rows from the first up to the last, in parts of about
  // kShareBytes, on the session's threads.
  template <typename Work>
  void share_rows(std::size_t rows, std::size_t row_bytes, const Work& work) const {
    share(rows, std::max<std::size_t>(1, kShareBytes / std::max<std::size_t>(1, row_bytes)), work);
  }

  // The same in parts of `each` rows.
  template <typename Work>
  void share(std::size_t rows, std::size_t each, const Work& work) const {
    struct Shared {
      const Work& work;
      std::size_t rows;
      std::size_t each;
    };
    Shared shared{work, rows, each};
    const auto part = [](void* data, std::size_t index) {
      const Shared& it = *static_cast<const Shared*>(data);
      it.work(index * it.each, std::min(it.rows, (index + 1) * it.each));
    };
    const std::size_t parts = (rows + each - 1) / each;
    if (parts <= 1) {
      if (parts == 1) part(&shared, 0);
      return;
    }
    check(api_, api_.kernel_share(context_, part, parts, 0, &shared));
  }

 private:
  static constexpr std::size_t kShareBytes = std::size_t{64} << 10U;

  [[nodiscard]] std::uint8_t* data_of(abi::Value* value) const {
    void* data = nullptr;
    check(api_, api_.value_data(value, &data));
    return static_cast<std::uint8_t*>(data);
  }

  const abi::Api& api_;
  abi::KernelContext* context_;
};
// Of an attribute: some tables of 256 bytes.
[[nodiscard]] std::vector<ByteTable> tables_of(const abi::Api& api, const abi::KernelInfo* info,
                                               const char* name);

}  // namespace andon::vision::operators
