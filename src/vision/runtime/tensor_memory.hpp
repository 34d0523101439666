// SPDX-License-Identifier: Apache-2.0
// Memory for ONNX Runtime's tensors. Each run of a model asks for the same sizes again, so blocks
// that are given back are kept by size and handed out unchanged: after the first run a run touches
// no allocator, and nothing fragments. (With malloc each picture left a hole of tens of megabytes
// that the next one just did not fit into: glibc's bug 14581.) Any thread.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <vector>

namespace andon::vision {

class TensorMemory {
 public:
  TensorMemory() = default;
  TensorMemory(const TensorMemory&) = delete;
  TensorMemory& operator=(const TensorMemory&) = delete;
  ~TensorMemory();

  // Aligned to 64 bytes; null where the system has no more.
  [[nodiscard]] void* allocate(std::size_t bytes) noexcept;
  void give_back(void* block) noexcept;

  // Returns what is kept to the system.
  void release_unused() noexcept;

  struct Counts {
    std::size_t bytes_in_use = 0;
    std::size_t bytes_kept = 0;
    std::size_t taken_from_system = 0;  // how often
  };
  [[nodiscard]] Counts counts() const;

 private:
  mutable std::mutex mutex_;                        // guards all below
  std::map<std::size_t, std::vector<void*>> kept_;  // by size
  Counts counts_;
};

}  // namespace andon::vision
