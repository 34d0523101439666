// SPDX-License-Identifier: Apache-2.0
#include "vision/runtime/tensor_memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>

namespace andon::vision {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kPage = 4096;
// Larger blocks come from the kernel, so that they can go back to it at once.
constexpr std::size_t kMapFrom = 128U << 10U;
constexpr std::size_t kTooLarge = std::size_t{1} << 40U;

// In front of each block, so that its alignment stays: the size of both together.
struct alignas(kAlignment) Header {
  std::size_t size;
};

std::size_t rounded_up(std::size_t size, std::size_t step) {
  return (size + step - 1) / step * step;
}

// Eight sizes a doubling: blocks are found again, and at most an eighth is wasted.
std::size_t block_size(std::size_t bytes) {
  const std::size_t whole = bytes + sizeof(Header);
  const std::size_t size = rounded_up(whole, std::max(kAlignment, std::bit_floor(whole) / 8));
  return size < kMapFrom ? size : rounded_up(size, kPage);
}

void* take_from_system(std::size_t size) {
  if (size < kMapFrom) return std::aligned_alloc(kAlignment, size);
  void* block = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return block == MAP_FAILED ? nullptr : block;
}

void return_to_system(void* block, std::size_t size) {
  if (size < kMapFrom) {
    std::free(block);
  } else {
    munmap(block, size);
  }
}

}  // namespace

TensorMemory::~TensorMemory() {
  release_unused();
}

void* TensorMemory::allocate(std::size_t bytes) noexcept {
  if (bytes >= kTooLarge) return nullptr;
  const std::size_t size = block_size(bytes);
  const std::lock_guard lock(mutex_);
  void* block = nullptr;
  if (const auto kept = kept_.find(size); kept != kept_.end() && !kept->second.empty()) {
    block = kept->second.back();
    kept->second.pop_back();
    counts_.bytes_kept -= size;
  } else {
    block = take_from_system(size);
    if (block == nullptr) return nullptr;
    ++counts_.taken_from_system;
  }
  counts_.bytes_in_use += size;
  return new (block) Header{size} + 1;
}

void TensorMemory::give_back(void* block) noexcept {
  if (block == nullptr) return;
  Header* header = static_cast<Header*>(block) - 1;
  const std::size_t size = header->size;
  const std::lock_guard lock(mutex_);
  counts_.bytes_in_use -= size;
  try {
    kept_[size].push_back(header);
    counts_.bytes_kept += size;
  } catch (const std::bad_alloc&) {
    return_to_system(header, size);
  }
}

void TensorMemory::release_unused() noexcept {
  const std::lock_guard lock(mutex_);
  for (const auto& [size, blocks] : kept_) {
    for (void* block : blocks) return_to_system(block, size);
  }
  kept_.clear();
  counts_.bytes_kept = 0;
}

TensorMemory::Counts TensorMemory::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace andon::vision
